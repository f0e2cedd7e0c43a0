#include <weft/lib/base/error.h>
#include <weft/lib/isa/table_functions.h>
#include <weft/lib/kernels/products/int8_weight.h>
#include <weft/lib/kernels/scratch.h>
#include <weft/lib/kernels/tiles.h>
#include <weft/lib/machine/parallel.h>
#include <weft/lib/profile/profile.h>

#include <algorithm>
#include <cstring>

namespace weft::kernels {

namespace {

using isa::Int8Functions;
using isa::Int8Rows;

constexpr int64_t group = Int8Functions::group, columns = Int8Functions::panel_columns;

/// Rows that are multiplied with a panel while it is in the second cache.
constexpr int64_t rows_at_once = 64;
/// Multiply-adds worth a tile: of few rows it takes as long as the panels take to be read.
constexpr int64_t work_of_tile = tile_work / 16;

int64_t row_bytes(int64_t k) { return round_up(k, 64); }

/// Of a panel of `width` columns, the integer of element p of column j, and the scale of its group.
int64_t place_of(int64_t width, int64_t j, int64_t p) {
  return p / group * (group + 4) * width + p % group / 4 * 4 * width + 4 * j + p % 4;
}
int64_t place_of_scale(int64_t width, int64_t k, int64_t j, int64_t g) {
  return g * (group + 4) * width + std::min(group, round_up(k, 4) - g * group) * width + 4 * j;
}

/// Rows as the kernels read them, in memory of `floats_of(m, k)` floats.
struct Rows {
  int8_t* values;
  float* scales;
  int32_t* sums;

  static int64_t floats_of(int64_t m, int64_t k) {
    return m * (row_bytes(k) / 4 + 2 * Int8Functions::groups(k));
  }
  Rows(float* memory, int64_t m, int64_t k)
      : values(reinterpret_cast<int8_t*>(memory)),
        scales(memory + m * row_bytes(k) / 4),
        sums(reinterpret_cast<int32_t*>(scales + m * Int8Functions::groups(k))) {}

  void quantize(int64_t begin, int64_t end, int64_t k, const float* x) const {
    const int64_t groups = Int8Functions::groups(k);
    isa::int8_functions().quantize(end - begin, k, x, values + begin * row_bytes(k), row_bytes(k),
                                   scales + begin * groups, sums + begin * groups);
  }
  Int8Rows from(int64_t begin, int64_t k) const {
    const int64_t groups = Int8Functions::groups(k);
    return {values + begin * row_bytes(k), row_bytes(k), scales + begin * groups, sums + begin * groups};
  }
};

/// Into the panel of `n` columns, those behind them zeros.
void pack_panel(int64_t n, int64_t k, const Rows& rows, int8_t* panel) {
  const int64_t width = round_up(n, 16), groups = Int8Functions::groups(k);
  std::memset(panel, 0, static_cast<size_t>(width * Int8Functions::panel_bytes(k)));
  for (int64_t j = 0; j < n; ++j) {
    for (int64_t p = 0; p < k; p += 4)  // behind k there are zeros
      std::memcpy(panel + place_of(width, j, p), rows.values + j * row_bytes(k) + p, 4);
    for (int64_t g = 0; g < groups; ++g)
      std::memcpy(panel + place_of_scale(width, k, j, g), rows.scales + j * groups + g, sizeof(float));
  }
}

struct Int8Product {
  const Int8Weight& weight;
  const float* bias;
  float* y;
};

/// Y (m, O) of each, X (m, k) quantized.
void multiply(int64_t m, int64_t k, const Rows& x, std::span<const Int8Product> products) {
  const int64_t blocks = up(m, rows_at_once);
  const int64_t width =
      columns * up(work_of_tile, std::min(m, rows_at_once) * columns * std::max<int64_t>(k, 1));
  const auto tiles_of = [&](const Int8Product& product) {
    return up(product.weight.outputs(), width) * blocks;
  };
  int64_t tiles = 0;
  for (const Int8Product& product : products) tiles += tiles_of(product);
  parallel_for(tiles, 1, [&](int64_t i, int64_t) {
    auto product = products.begin();
    for (; i >= tiles_of(*product); ++product) i -= tiles_of(*product);
    const int64_t outputs = product->weight.outputs();
    const int64_t j = i / blocks * width, row = i % blocks * rows_at_once;
    isa::int8_functions().multiply(
        std::min(rows_at_once, m - row), std::min(width, outputs - j), k, x.from(row, k),
        product->weight.panels() + j * Int8Functions::panel_bytes(k), product->y + row * outputs + j, outputs,
        product->bias ? product->bias + j : nullptr);
  });
}

void check(const Array& x, const Int8LinearWeights& by) {
  const Shape weight{by.weight.outputs(), by.weight.inputs()};
  if (x.rank() < 1 || x.dim(-1) != weight[1])
    fail<ShapeError>("linear: x (..., I) and weight (O, I) do not fit: x is ", x.shape(), ", weight is ",
                     weight, " in int8");
  if (by.bias.defined() && by.bias.shape() != Shape{weight[0]})
    fail<ShapeError>("linear: bias must be ", Shape{weight[0]}, " for weight ", weight, " in int8, not ",
                     by.bias.shape());
  if (x.dtype() != float32 || (by.bias.defined() && by.bias.dtype() != float32))
    fail<TypeError>("linear: beside a weight in int8 all must be float32: x is ", x.dtype(),
                    by.bias.defined() ? str(", bias is ", by.bias.dtype()) : "");
}

}  // namespace

void Int8Weight::check(const Array& weight) {
  if (weight.rank() != 2) fail<ShapeError>("int8: a weight must be (O, I), not ", weight.shape());
  if (weight.dtype() != float32) fail<TypeError>("int8: a weight must be float32, not ", weight.dtype());
  if (!weight.all_finite())
    fail<ValueError>("int8: the weight ", weight.shape(), " has NaN or infinity in it");
}

Int8Weight::Int8Weight(const Array& weight) {
  check(weight);
  outputs_ = weight.dim(0), inputs_ = weight.dim(1);
  panels_ = allocate(static_cast<size_t>(round_up(outputs_, 16) * Int8Functions::panel_bytes(inputs_)));
  const float* const values = weight.data<float>();
  int8_t* const panels = static_cast<int8_t*>(panels_->data);
  const Scratch scratch(Rows::floats_of(columns, inputs_));
  parallel_for(outputs_, columns, [&](int64_t begin, int64_t end) {
    const Rows rows(scratch.here(), columns, inputs_);
    rows.quantize(0, end - begin, inputs_, values + begin * inputs_);
    pack_panel(end - begin, inputs_, rows, panels + begin * Int8Functions::panel_bytes(inputs_));
  });
}

Array Int8Weight::dequantized() const {
  Array whole({outputs_, inputs_}, float32);
  float* const values = whole.mutable_data<float>();
  parallel_for(outputs_, columns, [&](int64_t begin, int64_t end) {
    const int8_t* const panel = panels() + begin * Int8Functions::panel_bytes(inputs_);
    const int64_t width = round_up(end - begin, 16);
    for (int64_t j = 0; j < end - begin; ++j)
      for (int64_t p = 0; p < inputs_; ++p) {
        float scale;
        std::memcpy(&scale, panel + place_of_scale(width, inputs_, j, p / group), sizeof scale);
        values[(begin + j) * inputs_ + p] = scale * static_cast<float>(panel[place_of(width, j, p)]);
      }
  });
  return whole;
}

std::vector<Array> linears(const Array& x, std::span<const Int8LinearWeights> weights) {
  std::vector<Array> results;
  for (const Int8LinearWeights& by : weights) {
    check(x, by);
    results.emplace_back(x.shape().with(x.rank() - 1, by.weight.outputs()), float32);
  }
  const KernelScope profile("linear int8", [&] {
    KernelWork work{0, static_cast<int64_t>(x.nbytes()), str(x.shape())};
    for (size_t i = 0; i < weights.size(); ++i) {
      work.flop += 2 * results[i].size() * x.dim(-1);
      work.bytes += static_cast<int64_t>(weights[i].weight.bytes() + results[i].nbytes());
      work.shapes += str(" ", Shape{weights[i].weight.outputs(), weights[i].weight.inputs()});
    }
    return work;
  });
  const int64_t k = x.dim(-1), m = x.shape().without(-1).size();
  if (m == 0) return results;
  std::vector<Int8Product> products;
  for (size_t i = 0; i < weights.size(); ++i) {
    const Array& bias = weights[i].bias;
    products.push_back(
        {weights[i].weight, bias.defined() ? bias.data<float>() : nullptr, results[i].mutable_data<float>()});
  }
  const std::shared_ptr<Buffer> memory = allocate(static_cast<size_t>(Rows::floats_of(m, k)) * sizeof(float));
  const Rows rows(static_cast<float*>(memory->data), m, k);
  parallel_for(m, up(work_of_tile, std::max<int64_t>(k, 1)), [&](int64_t begin, int64_t end) {
    rows.quantize(begin, end, k, x.data<float>() + begin * k);
  });
  multiply(m, k, rows, products);
  return results;
}

Array linear(const Array& x, const Int8Weight& weight, const Array& bias) {
  const Int8LinearWeights by[] = {{weight, bias}};
  return std::move(linears(x, by)[0]);
}

}  // namespace weft::kernels
