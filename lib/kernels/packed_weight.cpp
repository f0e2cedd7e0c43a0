#include <weft/lib/isa/table_functions.h>
#include <weft/lib/kernels/packed_weight.h>
#include <weft/lib/kernels/tiles.h>
#include <weft/lib/parallel.h>

#include <algorithm>
#include <array>

namespace weft::kernels {

namespace {

constexpr int64_t smallest = int64_t{1} << 10;  ///< floats

std::shared_ptr<const Buffer> pack(const Array& weight) {
  const isa::GemmFunctions& functions = isa::table().gemm;
  const int64_t outputs = weight.dim(0), inputs = weight.dim(1), width = functions.columns;
  const std::shared_ptr<Buffer> panels =
      allocate(static_cast<size_t>(round_up(outputs, width) * inputs) * sizeof(float));
  const float* const from = weight.data<float>();
  float* const to = static_cast<float*>(panels->data);
  parallel_for(outputs, width, [&](int64_t begin, int64_t end) {
    functions.pack_b(inputs, end - begin, {from + begin * inputs, 1, inputs}, to + begin * inputs);
  });
  return panels;
}

}  // namespace

std::shared_ptr<const Buffer> packed_weight(const Array& weight) {
  if (weight.size() < smallest) return nullptr;
  Buffer& buffer = *weight.buffer();
  const int64_t outputs = weight.dim(0);
  if (const auto known = buffer.derived.load()) return known->rows == outputs ? known->values : nullptr;
  const uint64_t mark = buffer.version.load(std::memory_order_relaxed) + 1;
  if (buffer.derived_reads.exchange(mark, std::memory_order_relaxed) != mark) return nullptr;
  auto made = pack(weight);
  buffer.derived.store(std::make_shared<const Buffer::Derived>(Buffer::Derived{outputs, made}));
  buffer.has_derived.store(true, std::memory_order_relaxed);
  return made;
}

void multiply_few_rows(int64_t m, int64_t outputs, int64_t inputs, const float* x, const Buffer& panels,
                       float* y, const float* bias) {
  const isa::GemmFunctions& functions = isa::table().gemm;
  const auto* const packed = static_cast<const float*>(panels.data);
  const auto bias_at = [bias](int64_t j) { return bias ? bias + j : nullptr; };
  // Two panels at a time keep enough of the memory's answers on their way, four a few more; fewer tiles than
  // that would not come out even.
  const int64_t width = functions.columns, work = m * inputs * width, least = outputs >= 64 * width ? 4 : 2;
  const int64_t tile = width * std::max(up(tile_work / 16, work), least);
  if (m == 1) {
    parallel_for(outputs, tile, [&](int64_t begin, int64_t end) {
      functions.multiply_row_packed(end - begin, inputs, x, packed + begin * inputs, y + begin,
                                    bias_at(begin));
    });
    return;
  }
  const int64_t height = up(m, up(m, functions.rows)),
                floats = up(m, height) * inputs * functions.panel_stride;
  const auto rows = allocate(static_cast<size_t>(floats) * sizeof(float));
  float* const a = static_cast<float*>(rows->data);
  functions.pack_a(m, inputs, height, {x, inputs, 1}, a);
  parallel_for(outputs, tile, [&](int64_t begin, int64_t end) {
    const float* const b = packed + begin * inputs;
    functions.multiply_packed({.m = m,
                               .n = end - begin,
                               .k = inputs,
                               .height = height,
                               .a = a,
                               .b = b,
                               .c = y + begin,
                               .c_row = outputs,
                               .accumulate = false,
                               .bias = bias_at(begin),
                               .next_a = a,
                               .next_b = b});
  });
}

}  // namespace weft::kernels
