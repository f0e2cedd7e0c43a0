// One training step by one process with all threads and by several with one each, and what goes between them.
//   build/bin/bench_processes [--model nano|baby|gpt2] [--processes P] [--steps K] [--rounds R] [--python FILE] [--json]
// Variants are measured in turns, each in processes of its own, and the fastest step of all rounds counts. With --python
// (torch), PyTorch's DistributedDataParallel over gloo is one of them, and a step of one PyTorch process.
#include <unistd.h>
#include <weft/lib/machine/parallel.h>
#include <weft/lib/processes/processes.h>
#include <weft/optim/adam.h>
#include <weft/optim/train_step.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>
#include <stdexcept>

#include "models.h"
#include "options.h"

namespace {

using nlohmann::ordered_json;
namespace fs = std::filesystem;

/// Ids without a pattern that the model could learn in a few steps; rows of a batch.
weft::Array some_ids(const bench::Model& m, uint64_t stream, int64_t first, int64_t rows) {
  weft::Array ids({rows, m.tokens}, weft::int64);
  int64_t* const values = ids.mutable_data<int64_t>();
  for (int64_t i = 0; i < ids.size(); ++i)
    values[i] = static_cast<int64_t>(weft::integer_at(weft::random_key(1, stream), 0,
                                                      static_cast<uint64_t>(first * m.tokens + i),
                                                      static_cast<uint64_t>(m.config.vocab_size)));
  return ids;
}

/// Steps of this process and those that mpirun started with it; the first prints an object. Alone it may do what one of
/// `share` processes does.
void work(const bench::Model& m, int64_t shards, int64_t share, int steps, int threads) {
  weft::Processes& processes = weft::Processes::joined();
  weft::set_num_threads(threads);
  const weft::RandomScope random({.seed = 1});
  weft::GPT model(m.config);
  weft::AdamW optimizer(weft::parameter_groups(model.parameters()), {.beta2 = 0.99, .weight_decay = 0.1});
  weft::GradientShards sums(optimizer.parameters(), shards, processes);
  struct Part {
    weft::UpdatePiece piece;
    weft::Batch batch;
  };
  std::vector<Part> parts;
  for (const weft::UpdatePiece& piece : weft::pieces_of(0, {m.batch / share}, sums.share()))
    parts.push_back(
        {piece, {some_ids(m, 1, piece.offset, piece.count), some_ids(m, 2, piece.offset, piece.count)}});
  double loss = 0;
  const auto step = [&] {
    weft::TrainStep one(optimizer, {.seed = 1, .shards = shards > 1 ? &sums : nullptr});
    for (const Part& part : parts) one.backward(model, part.batch, part.piece);
    one.finish({.lr = 1e-3, .max_norm = 1.0});
    loss = one.loss();
  };
  step();
  step();
  const weft::ProcessTraffic before = processes.traffic();
  std::vector<double> times;
  for (int i = 0; i < steps; ++i) {
    const double start = bench::seconds();
    step();
    times.push_back(bench::seconds() - start);
  }
  const weft::ProcessTraffic after = processes.traffic();
  std::sort(times.begin(), times.end());
  int64_t gradient = 0;
  for (const weft::NamedTensor& p : optimizer.parameters())
    gradient += static_cast<int64_t>(p.tensor.value().nbytes());
  const double P = processes.size(), busy = after.busy - before.busy, waited = after.waited - before.waited;
  if (processes.is_first())
    std::printf("%s\n",
                ordered_json{{"min_ms", 1e3 * times.front()},
                             {"median_ms", 1e3 * times[times.size() / 2]},
                             {"sent_mb", 1e-6 * static_cast<double>(after.sent - before.sent) / steps},
                             {"floor_mb", 1e-6 * 2 * (P - 1) / P * static_cast<double>(gradient)},
                             {"busy_ms", 1e3 * busy / steps},
                             {"waited_ms", 1e3 * waited / steps},
                             {"loss", loss}}
                    .dump()
                    .c_str());
  std::fflush(stdout);
  processes.leave();
}

/// What a command prints, the last line of which is an object.
ordered_json told_by(const std::string& command) {
  FILE* const out = ::popen(command.c_str(), "r");
  if (out == nullptr) throw std::runtime_error(command + ": cannot be started");
  std::string text;
  std::array<char, 4096> piece{};
  while (const size_t got = std::fread(piece.data(), 1, piece.size(), out)) text.append(piece.data(), got);
  if (::pclose(out) != 0) throw std::runtime_error(command + ": failed");
  const size_t begin = text.rfind("\n{");
  return ordered_json::parse(text.substr(begin == std::string::npos ? 0 : begin + 1));
}

struct Variant {
  std::string name, command;
  ordered_json best = {};
};

void compare(const bench::Setup& setup, const std::string& model, int processes, int steps, int rounds,
             const std::string& python) {
  const std::string self = fs::read_symlink("/proc/self/exe").string();
  const std::string common = " --model " + model + " --steps " + std::to_string(steps) + " --worker ";
  const std::string threads = std::to_string(setup.threads), count = std::to_string(processes);
  const std::string each = std::to_string(std::max(1, setup.threads / processes));
  int64_t enough = 1;
  while (enough < processes) enough *= 2;
  const std::string mpirun =
      "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 mpirun --oversubscribe --bind-to none -n ";
  std::vector<Variant> variants{
      {"1 process", self + common + "1 --threads " + threads},
      {"1 process, 8 shards", self + common + "8 --threads " + threads},
      {count + " processes",
       mpirun + count + " " + self + common + std::to_string(enough) + " --threads " + each},
      {count + " processes, 8 shards", mpirun + count + " " + self + common + "8 --threads " + each}};
  if (model == "gpt2") std::erase_if(variants, [](const Variant& v) { return v.name.ends_with("8 shards"); });
  if (!python.empty()) {
    const std::string peers = std::string(WEFT_BENCH_PEERS) + "/";
    variants.push_back(
        {"PyTorch, 1 process", python + " " + peers + "step.py --model " + model + " --threads " + threads});
    variants.push_back({"PyTorch DDP, " + count, python + " " + peers + "step_ddp.py --model " + model +
                                                     " --processes " + count + " --threads " + each});
  }
  for (int round = 0; round < rounds; ++round)
    for (Variant& variant : variants) {
      const ordered_json told = told_by(variant.command);
      if (variant.best.empty() || told["min_ms"] < variant.best["min_ms"]) variant.best = told;
    }
  bench::Report report("processes", setup);
  report.note("model", model);
  const double one = variants[0].best["min_ms"];
  for (const Variant& variant : variants) {
    const ordered_json& best = variant.best;
    ordered_json row{{"variant", variant.name},
                     {"min_ms", best["min_ms"]},
                     {"speed_of_1", one / best["min_ms"].get<double>()}};
    for (const char* key : {"sent_mb", "floor_mb", "busy_ms", "waited_ms"})
      row[key] = best.contains(key) ? best[key] : ordered_json(0.0);
    row["hidden"] =
        row["busy_ms"] > 0.0 ? 1 - row["waited_ms"].get<double>() / row["busy_ms"].get<double>() : 1.0;
    report.add(row);
  }
  report.finish();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("One training step, by one process and by several");
  bench::Setup setup;
  std::string name = "baby", python;
  int steps = 0, rounds = 3, processes = 2;
  int64_t worker = 0, share = 1;
  bench::add_options(app, setup);
  bench::add_model(app, name);
  app.add_option("--steps", steps, "Steps of a variant in a round (default: 100, 6, 5)")
      ->check(CLI::Range(1, 1 << 20));
  app.add_option("--rounds", rounds, "How often each variant is measured")->check(CLI::Range(1, 1000));
  app.add_option("--processes", processes, "How many beside one")->check(CLI::Range(2, 64));
  app.add_option("--python", python, "An interpreter with torch, to measure beside");
  app.add_option("--worker", worker, "Measure here, with so many shards")->check(CLI::Range(1, 1 << 20));
  app.add_option("--share", share, "Of a worker alone: what one of so many does")->check(CLI::Range(1, 64));
  CLI11_PARSE(app, argc, argv);
  if (steps == 0) steps = name == "nano" ? 100 : name == "baby" ? 6 : 5;
  try {
    if (worker > 0) {
      work(bench::model_named(name), worker, share, steps,
           setup.threads > 0 ? setup.threads : weft::available_cores());
      return 0;
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_processes: %s\n", error.what());
    std::_Exit(1);
  }
  return bench::run(setup, [&] { compare(setup, name, processes, steps, rounds, python); });
}
