#include "measure.h"

#include <immintrin.h>
#include <sys/wait.h>
#include <unistd.h>
#include <weft/lib/machine/parallel.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <stdexcept>

namespace bench {
namespace {

constexpr int chains = 16;  // enough of them to hide the latency of one

__attribute__((target("avx512f"))) float fma_avx512(int64_t steps) {
  __m512 sum[chains];
  for (int i = 0; i < chains; ++i) sum[i] = _mm512_set1_ps(static_cast<float>(i));
  const __m512 factor = _mm512_set1_ps(0.5f);
  for (int64_t step = 0; step < steps; ++step)
#pragma GCC unroll 16
    for (int i = 0; i < chains; ++i) sum[i] = _mm512_fmadd_ps(sum[i], factor, factor);
  for (int i = 1; i < chains; ++i) sum[0] = _mm512_add_ps(sum[0], sum[i]);
  return _mm512_cvtss_f32(sum[0]);
}

__attribute__((target("avx2,fma"))) float fma_avx2(int64_t steps) {
  constexpr int few = 12;  // as many as sixteen registers keep
  __m256 sum[few];
  for (int i = 0; i < few; ++i) sum[i] = _mm256_set1_ps(static_cast<float>(i));
  const __m256 factor = _mm256_set1_ps(0.5f);
  for (int64_t step = 0; step < steps; ++step)
#pragma GCC unroll 16
    for (int i = 0; i < few; ++i) sum[i] = _mm256_fmadd_ps(sum[i], factor, factor);
  for (int i = 1; i < few; ++i) sum[0] = _mm256_add_ps(sum[0], sum[i]);
  return _mm256_cvtss_f32(sum[0]);
}

__attribute__((target("avx512f"))) float read_avx512(const float* p, int64_t count) {
  __m512 sum[8] = {};
  for (int64_t i = 0; i + 128 <= count; i += 128)
#pragma GCC unroll 8
    for (int v = 0; v < 8; ++v) sum[v] = _mm512_add_ps(sum[v], _mm512_loadu_ps(p + i + 16 * v));
  for (int v = 1; v < 8; ++v) sum[0] = _mm512_add_ps(sum[0], sum[v]);
  return _mm512_cvtss_f32(sum[0]);
}

__attribute__((target("avx2"))) float read_avx2(const float* p, int64_t count) {
  __m256 sum[8] = {};
  for (int64_t i = 0; i + 64 <= count; i += 64)
#pragma GCC unroll 8
    for (int v = 0; v < 8; ++v) sum[v] = _mm256_add_ps(sum[v], _mm256_loadu_ps(p + i + 8 * v));
  for (int v = 1; v < 8; ++v) sum[0] = _mm256_add_ps(sum[0], sum[v]);
  return _mm256_cvtss_f32(sum[0]);
}

float read_plain(const float* p, int64_t count) {
  float sum[16] = {};
  for (int64_t i = 0; i + 16 <= count; i += 16)
    for (int v = 0; v < 16; ++v) sum[v] += p[i + v];
  return sum[0];
}

volatile float sink;  // so that no result is unused

std::string cell(const nlohmann::ordered_json& value) {
  if (value.is_null()) return "-";
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_number_float()) return value.dump();
  char text[32];
  const double number = value.get<double>();
  std::snprintf(text, sizeof text, number < 10 ? "%.3f" : "%.1f", number);
  return text;
}

struct Machine {
  double peak, bandwidth;
};

/// Of a child, forked before this process has any threads but its first.
Machine measure_in_child() {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("no pipe to measure the machine through");
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("no process to measure the machine in");
  if (child == 0) {
    try {
      const Machine found{fma_peak(0.1), read_bandwidth(int64_t{256} << 20, 0.1)};
      _exit(write(ends[1], &found, sizeof found) == sizeof found ? 0 : 1);
    } catch (...) {
      _exit(1);
    }
  }
  close(ends[1]);
  Machine found{};
  const bool received = read(ends[0], &found, sizeof found) == sizeof found;
  close(ends[0]);
  waitpid(child, nullptr, 0);
  if (!received) throw std::runtime_error("the machine could not be measured: out of memory?");
  return found;
}

/// The best of several children: one now and then finds half of the peak for as long as it lives.
Machine measure_apart() {
  Machine best{};
  for (int child = 0; child < 3; ++child) {
    const Machine found = measure_in_child();
    best = {std::max(best.peak, found.peak), std::max(best.bandwidth, found.bandwidth)};
  }
  return best;
}

}  // namespace

double fma_peak(double budget) {
  constexpr int64_t steps = 200000;
  const bool wide = __builtin_cpu_supports("avx512f"),
             middle = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (!wide && !middle) return 0;
  const int threads = weft::num_threads();
  const double time = best_seconds(budget, [&] {
    weft::parallel_for(threads, 1,
                       [&](int64_t, int64_t) { sink = wide ? fma_avx512(steps) : fma_avx2(steps); });
  });
  const double lanes = wide ? 16.0 * chains : 8.0 * 12;
  return 2e-9 * lanes * static_cast<double>(steps) * threads / time;
}

double read_bandwidth(int64_t bytes, double budget, int64_t times) {
  const Floats data(static_cast<size_t>(bytes / 4), 1.0f);
  const auto read = __builtin_cpu_supports("avx512f") ? read_avx512
                    : __builtin_cpu_supports("avx2")  ? read_avx2
                                                      : read_plain;
  // Where the threads' shares take long enough, small tiles even out who comes late.
  const int64_t count = bytes / 4, share = (count / weft::num_threads() + 127) / 128 * 128;
  const int64_t tile = share > 1 << 18 ? share / 8 : std::max<int64_t>(share, 1 << 12);
  const double time = best_seconds(budget, [&] {
    for (int64_t i = 0; i < times; ++i)
      weft::parallel_for(count, tile,
                         [&](int64_t begin, int64_t end) { sink = read(data.data() + begin, end - begin); });
  });
  return 1e-9 * static_cast<double>(bytes * times) / time;
}

Floats numbers(int64_t count) {
  Floats x(static_cast<size_t>(count));
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i * 7919 % 1000) / 1000.0f - 0.5f;
  return x;
}

int run(Setup& setup, const std::function<void()>& work) {
  try {
    if (setup.threads > 0) weft::set_num_threads(setup.threads);
    setup.threads = weft::num_threads();
    const Machine machine = measure_apart();
    setup.peak = machine.peak;
    setup.bandwidth = machine.bandwidth;
    work();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

Report::Report(std::string name, const Setup& setup) : json_(setup.json) {
  all_ = {{"benchmark", std::move(name)},
          {"threads", setup.threads},
          {"peak_gflops", setup.peak},
          {"read_gb_per_second", setup.bandwidth},
          {"rows", nlohmann::ordered_json::array()}};
  if (!json_)
    std::printf("%d threads, %.0f GFLOP/s of multiply-adds, %.1f GB/s read from memory\n", setup.threads,
                setup.peak, setup.bandwidth);
}

void Report::note(const std::string& key, const nlohmann::ordered_json& value) {
  auto rows = all_["rows"];
  all_.erase("rows");
  all_[key] = value;
  all_["rows"] = std::move(rows);
  if (!json_) std::printf("%s: %s\n", key.c_str(), value.dump().c_str());
}

void Report::add(const nlohmann::ordered_json& row) {
  const auto print = [](const std::string& key, const nlohmann::ordered_json& value,
                        const std::string& text) {
    if (value.is_string())
      std::printf("  %-25s", text.c_str());
    else
      std::printf("%*s", std::max(9, static_cast<int>(key.size()) + 2), text.c_str());
  };
  auto& rows = all_["rows"];
  const bool heads = rows.empty() || rows.back().size() != row.size();
  rows.push_back(row);
  if (json_) return;
  if (heads) {
    for (const auto& [key, value] : row.items()) print(key, value, key);
    std::printf("\n");
  }
  for (const auto& [key, value] : row.items()) print(key, value, cell(value));
  std::printf("\n");
  std::fflush(stdout);
}

void Report::finish() const {
  if (json_) std::printf("%s\n", all_.dump(2).c_str());
}

void Report::finish_with_one(const nlohmann::ordered_json& result) {
  all_.erase("rows");
  if (!json_) return add(result);
  all_.update(result);
  finish();
}

}  // namespace bench
