// What a training step takes from the operating system, and keeps.
#include <doctest/doctest.h>
#include <unistd.h>
#include <weft/layers/models/gpt.h>
#include <weft/lib/machine/memory.h>
#include <weft/optim/adam.h>
#include <weft/optim/train_step.h>

#include <fstream>

namespace weft::test {

namespace {

/// A small run with everything that allocates: dropout, ragged micro-batches, clipping.
class Run {
 public:
  explicit Run(const GPTConfig& config) : model_(config), optimizer_(model_.parameters()) {
    Array ids({6, config.block_size}, int64);
    for (int64_t i = 0; i < ids.size(); ++i) ids.mutable_data<int64_t>()[i] = i * i % config.vocab_size;
    whole_ = ids;
  }

  void step() {
    const RandomScope random({.seed = 1, .step = steps_++});
    int64_t count = 0;
    for (const auto& [begin, end] : {std::pair<int64_t, int64_t>{0, 4}, {4, 6}}) {
      const Array ids = slice(Tensor(whole_), 0, begin, end).value();
      const Loss loss = model_.loss({ids, ids});
      loss.sum.backward();
      count += loss.count;
    }
    train_step(optimizer_, {.lr = 1e-3, .count = count, .max_norm = 1});
  }

 private:
  const RandomScope initial_{{.seed = 1}};
  GPT model_;
  AdamW optimizer_;
  Array whole_;
  uint64_t steps_ = 0;
};

int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  int64_t size = 0, resident = 0;
  file >> size >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

}  // namespace

TEST_CASE("memory: after the second step the operating system is asked for nothing") {
  Run run({.vocab_size = 65,
           .block_size = 64,
           .n_layer = 2,
           .n_head = 4,
           .n_embd = 128,
           .dropout = 0.1,
           .bias = true});
  for (int i = 0; i < 2; ++i) run.step();
  const uint64_t before = memory_stats().from_system;
  for (int i = 0; i < 20; ++i) run.step();
  CHECK(memory_stats().from_system == before);
}

TEST_CASE("memory: ten thousand steps take what a hundred took") {
  Run run({.vocab_size = 11, .block_size = 4, .n_layer = 1, .n_head = 1, .n_embd = 16, .dropout = 0.1});
  for (int i = 0; i < 100; ++i) run.step();
  const size_t in_use = memory_stats().in_use, cached = memory_stats().cached;
  const int64_t resident = resident_bytes();
  for (int i = 0; i < 9'900; ++i) run.step();
  CHECK(memory_stats().in_use == in_use);
  CHECK(memory_stats().cached == cached);
  CHECK(resident_bytes() - resident < 256 << 10);
}

}  // namespace weft::test
