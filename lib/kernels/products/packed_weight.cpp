#include <weft/lib/isa/table_functions.h>
#include <weft/lib/kernels/products/packed_weight.h>
#include <weft/lib/kernels/tiles.h>
#include <weft/lib/machine/parallel.h>

#include <algorithm>
#include <array>

namespace weft::kernels {

namespace {

constexpr int64_t smallest = int64_t{1} << 10;  ///< floats
constexpr int64_t stream = isa::GemmFunctions::stream_columns;

std::shared_ptr<const Buffer> pack(const Array& weight) {
  const auto pack_streams = isa::table().gemm.pack_streams;
  const int64_t outputs = weight.dim(0), inputs = weight.dim(1);
  const std::shared_ptr<Buffer> streams =
      allocate(static_cast<size_t>(round_up(outputs, 16) * inputs) * sizeof(float));
  const float* const from = weight.data<float>();
  float* const to = static_cast<float*>(streams->data);
  parallel_for(outputs, stream, [&](int64_t begin, int64_t end) {
    pack_streams(inputs, end - begin, from + begin * inputs, to + begin * inputs);
  });
  return streams;
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

void multiply_few_rows(int64_t m, int64_t inputs, const float* x, std::span<const FewRowsProduct> products) {
  const auto multiply = isa::table().gemm.multiply_streams;
  const int64_t tile = stream * std::max<int64_t>(up(tile_work / 16, m * inputs * stream), 1);
  int64_t tiles = 0;
  for (const FewRowsProduct& product : products) tiles += up(product.outputs, tile);
  parallel_for(tiles, 1, [&](int64_t i, int64_t) {
    auto product = products.begin();
    for (; i >= up(product->outputs, tile); ++product) i -= up(product->outputs, tile);
    const int64_t begin = i * tile, end = std::min(product->outputs, begin + tile);
    multiply(m, end - begin, inputs, x, static_cast<const float*>(product->streams.data) + begin * inputs,
             product->y + begin, product->outputs, product->bias ? product->bias + begin : nullptr);
  });
}

}  // namespace weft::kernels
