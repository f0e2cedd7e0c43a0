// Which ways of cutting products for the caches are the fastest on this machine (lib/kernels/products/tuning.h), and
// whether bfloat16 is multiplied in pairs or as floats.
//   build/bin/bench_tune [--threads N] [--seconds S] [--json]
// One parameter after the other: its candidates in turns, over products of bench_step's models in all three directions; the
// ratio is the mean over the models of their time by that of what is in use without this program. One is taken where it
// gains a hundredth. A minute or two.
#include <weft/lib/isa/table_functions.h>
#include <weft/lib/kernels/products/matmul.h>
#include <weft/lib/kernels/products/tuning.h>

#include <iostream>
#include <string>
#include <vector>

#include "options.h"

namespace {

using bench::numbers;
using weft::kernels::MatrixView;
using weft::kernels::ProductTuning;
using weft::kernels::TuningScope;

constexpr double worth = 0.99;

/// y = x W^T, dx and dW of one layer.
struct Layer {
  const char* model;
  int64_t rows, outputs, inputs;
  bench::Floats x = numbers(rows * inputs), w = numbers(outputs * inputs), y = numbers(rows * outputs);
  bench::Floats dx = x, dw = w;

  void run() {
    using weft::kernels::gemm;
    gemm(rows, outputs, inputs, {x.data(), inputs, 1}, MatrixView<float>{w.data(), 1, inputs}, y.data(),
         outputs, false);
    gemm(rows, inputs, outputs, {y.data(), outputs, 1}, MatrixView<float>{w.data(), inputs, 1}, dx.data(),
         inputs, false);
    gemm(outputs, inputs, rows, {y.data(), 1, outputs}, MatrixView<float>{x.data(), inputs, 1}, dw.data(),
         inputs, false, nullptr, false);
  }
  void run_narrow() {
    using weft::kernels::gemm_in_pairs;
    gemm_in_pairs(rows, outputs, inputs, {x.data(), inputs, 1, true}, {w.data(), 1, inputs, true}, y.data(),
                  outputs, false);
    gemm_in_pairs(outputs, inputs, rows, {y.data(), 1, outputs, true}, {x.data(), inputs, 1, true}, dw.data(),
                  inputs, false);
  }
};

std::vector<Layer> layers() {
  std::vector<Layer> all;
  const auto add = [&](const char* model, int64_t rows, int64_t C, int64_t qkv) {
    for (const auto& [outputs, inputs] : {std::pair{qkv, C}, {C, C}, {4 * C, C}, {C, 4 * C}})
      all.push_back({model, rows, outputs, inputs});
  };
  add("nano", 768, 128, 128);
  add("baby", 2048, 384, 384);
  add("gpt2", 256, 768, 768);
  return all;
}

/// The shortest time of each layer, by candidate.
template <class Run>
std::vector<std::vector<double>> measured(size_t candidates, std::vector<Layer>& all, double budget,
                                          Run run) {
  std::vector<std::vector<double>> best(candidates, std::vector<double>(all.size(), 1e300));
  const double begin = bench::seconds();
  for (int round = 0; round < 3 || bench::seconds() - begin < budget; ++round)
    for (size_t i = 0; i < all.size(); ++i)
      for (size_t c = 0; c < candidates; ++c) {
        const double before = bench::seconds();
        run(c, all[i]);
        best[c][i] = std::min(best[c][i], bench::seconds() - before);
      }
  return best;
}

double ratio(const std::vector<Layer>& all, const std::vector<double>& times,
             const std::vector<double>& usual) {
  double sum = 0;
  int models = 0;
  for (size_t i = 0; i < all.size(); ++models) {
    const std::string model = all[i].model;
    double mine = 0, theirs = 0;
    for (; i < all.size() && all[i].model == model; ++i) mine += times[i], theirs += usual[i];
    sum += mine / theirs;
  }
  return sum / models;
}

struct Parameter {
  const char* name;
  int64_t ProductTuning::*field;
  std::vector<int64_t> values;
};

void tune(const bench::Setup& setup) {
  const std::vector<Parameter> parameters{
      {"depth", &ProductTuning::depth, {256, 384, 512, 768, 1024}},
      {"panels", &ProductTuning::panels, {3, 5, 7, 10, 14, 20, 28}},
      {"near_floats", &ProductTuning::near_floats, {1 << 15, 1 << 16, 1 << 17, 1 << 18}},
      {"cached_floats", &ProductTuning::cached_floats, {3 << 16, 3 << 17, 3 << 18, 3 << 19}},
      {"shared_floats", &ProductTuning::shared_floats, {1 << 19, 1 << 20, 1 << 21, 1 << 22, 1 << 23}},
      {"shared_rows", &ProductTuning::shared_rows, {140, 280, 560, 1120}},
      {"streamed_floats", &ProductTuning::streamed_floats, {1 << 17, 1 << 19, 1 << 21}}};
  std::vector<Layer> all = layers();
  bench::Report report("tune", setup);
  const weft::Caches& caches = weft::processor_caches();
  report.note("second_cache_kb", caches.second >> 10);
  ProductTuning best = weft::kernels::product_tuning();
  const ProductTuning usual = best;
  report.note("in_use", usual.text());
  for (const Parameter& p : parameters) {
    std::vector<ProductTuning> candidates{best};
    for (const int64_t value : p.values) {
      if (value == best.*p.field) continue;
      candidates.push_back(best);
      candidates.back().*p.field = value;
    }
    const auto times =
        measured(candidates.size(), all, 20 * setup.seconds * static_cast<double>(candidates.size()) / 3,
                 [&](size_t c, Layer& layer) {
                   const TuningScope scope(candidates[c]);
                   layer.run();
                 });
    size_t taken = 0;
    std::vector<double> ratios;
    for (size_t c = 0; c < candidates.size(); ++c) {
      ratios.push_back(ratio(all, times[c], times[0]));
      if (ratios[c] < worth && ratios[c] < ratios[taken]) taken = c;
    }
    for (size_t c = 0; c < candidates.size(); ++c)
      report.add({{"parameter", p.name},
                  {"value", candidates[c].*p.field},
                  {"time_ratio", ratios[c]},
                  {"taken", c == taken ? "yes" : ""}});
    best = candidates[taken];
  }
  std::string pairs = "floats";
  if (weft::isa::active_set() == weft::isa::Set::avx512 && weft::isa::bf16_supported()) {
    const weft::isa::PairFunctions* const ways[] = {&weft::isa::table().pairs,
                                                    &weft::isa::avx512_bf16_functions};
    const auto times = measured(2, all, 20 * setup.seconds, [&](size_t c, Layer& layer) {
      const weft::isa::PairsBy by(*ways[c]);
      layer.run_narrow();
    });
    const double gain = ratio(all, times[1], times[0]);
    if (gain < 1) pairs = "pairs";
    report.add({{"parameter", "WEFT_BFLOAT16"},
                {"value", 1},
                {"time_ratio", gain},
                {"taken", gain < 1 ? "yes" : ""}});
  }
  report.note("chosen", best.text());
  report.note("bfloat16", pairs);
  report.finish();
  if (!setup.json) {
    std::cout << "\nin use  WEFT_TUNING=\"" << usual.text() << "\"\nchosen  WEFT_TUNING=\"" << best.text()
              << "\" WEFT_BFLOAT16=" << pairs << "\n";
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Which ways of cutting products for the caches are the fastest here");
  bench::Setup setup;
  bench::add_options(app, setup);
  CLI11_PARSE(app, argc, argv);
  return bench::run(setup, [&] { tune(setup); });
}
