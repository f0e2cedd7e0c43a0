#include <doctest/doctest.h>
#include <weft/data/dataset.h>
#include <weft/layers/models/gpt.h>
#include <weft/lib/files/checkpoint.h>
#include <weft/optim/adam.h>
#include <weft/optim/train_step.h>
#include <weft/train/run.h>

#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "checks.h"
#include "folder.h"

namespace weft::test {
namespace {

namespace fs = std::filesystem;

/// A small program of its own, which trains from wherever its run stands.
struct Program {
  static constexpr GPTConfig config{
      .vocab_size = 7, .block_size = 6, .n_layer = 1, .n_head = 2, .n_embd = 8, .dropout = 0.1};
  const RandomScope initial{{.seed = 3}};
  GPT model{config};
  AdamW optimizer{model.parameters()};
  Loader loader;
  std::string said;
  Run run;

  explicit Program(const std::string& path, int64_t interval = 4)
      : loader(dataset(), 2),
        run(Run::create_or_resume(
            path, {model, optimizer, loader},
            {.config = config.state(), .content_hash = "sevens", .checkpoint_interval = interval},
            [this](std::string_view line) { said += line; })) {}

  static std::shared_ptr<const Dataset> dataset() {
    std::vector<int64_t> ids;
    for (int64_t i = 0; i < 200; ++i) ids.push_back(i * i % 7);
    return std::make_shared<TokenDataset>(all_tokens(std::make_shared<MemoryTokens>(ids)), 6, 1);
  }

  /// To update `end`, with an evaluation and a checkpoint every four; `last_save` writes one at the end.
  void train(int64_t end, bool last_save = true) {
    while (true) {
      if (run.step() % 4 == 0 && !run.evaluated())
        run.record(Evaluation{run.step(), 1.0, 2.0 - 0.01 * static_cast<double>(run.step())});
      if (run.step() > 0 && run.step() % 4 == 0) run.save();
      if (run.step() >= end) break;
      TrainStep step(optimizer, {.seed = 3, .step = run.step()});
      step.backward(model, loader.next());
      Update done{.step = run.step(), .loss = step.loss(), .lr = 0.01};
      done.grad_norm = step.finish({.lr = 0.01});
      run.record(done);
    }
    if (last_save) run.save();
  }
};

std::string checkpoint_of(const Folder& folder, const std::string& run) {
  return folder.read(run + "/checkpoints/step-00000012.h5");
}

}  // namespace

TEST_CASE("run: left at any update and opened again, it ends with the same bytes") {
  const Folder folder;
  Program(folder.path("whole")).train(12);
  REQUIRE_FALSE(checkpoint_of(folder, "whole").empty());
  for (const int64_t left : {0, 1, 3, 4, 5, 8, 11}) {
    for (const bool saved : {false, true}) {
      CAPTURE(left);
      CAPTURE(saved);
      const std::string name = str("run-", left, saved);
      Program(folder.path(name)).train(left, saved);
      Program(folder.path(name)).train(12);
      CHECK(checkpoint_of(folder, name) == checkpoint_of(folder, "whole"));
      CHECK(folder.read(name + "/best.h5") == folder.read("whole/best.h5"));
    }
  }
}

TEST_CASE("run: one that was left before anything was saved can be begun again") {
  const Folder folder;
  { const Program abandoned(folder.path("run")); }
  CHECK(fs::exists(folder.path("run/metrics.jsonl")));
  Program(folder.path("run")).train(12);
  CHECK_FALSE(checkpoint_of(folder, "run").empty());
}

TEST_CASE("run: best.h5 alone is gone on from, and what cannot be read is not begun anew over") {
  const Folder folder;
  Program(folder.path("run")).train(12);
  fs::remove_all(folder.path("run/checkpoints"));
  {
    Program again(folder.path("run"));
    CHECK(again.run.step() == 12);
    CHECK(fs::exists(folder.path("run/checkpoints/step-00000012.h5")));
  }
  fs::resize_file(folder.path("run/best.h5"), 100);
  {
    Program restored(folder.path("run"));
    CHECK(restored.said.find("best.h5: restored from") != std::string::npos);
  }
  fs::resize_file(folder.path("run/best.h5"), 100);
  for (const auto& entry : fs::directory_iterator(folder.path("run/checkpoints")))
    fs::resize_file(entry.path(), 100);
  refuses<FileError>([&] { Program again(folder.path("run")); }, {"nothing is begun anew", "is truncated"});
}

TEST_CASE("run: checkpoints that cannot be read are moved aside, never removed") {
  const Folder folder;
  Program(folder.path("run")).train(12);
  fs::resize_file(folder.path("run/checkpoints/step-00000012.h5"), 100);
  Program again(folder.path("run"));
  CHECK(again.run.step() == 8);
  CHECK(fs::exists(folder.path("run/before-1/step-00000012.h5")));
  CHECK(again.said.find("are in") != std::string::npos);
}

TEST_CASE("run: other data, another configuration, and steps out of order are refused") {
  const Folder folder;
  Program made(folder.path("run"));
  made.train(4);
  refuses<ValueError>([&] { made.run.record(Update{.step = 3}); }, {"an update of step 3 at step 4"});
  refuses<ValueError>([&] { made.run.record(Evaluation{9, 1, 1}); }, {"an evaluation of step 9 at step 4"});
  refuses<FileError>([&] { Program second(folder.path("run")); }, {"run"});  // it is held
  const Folder other;
  Program(other.path("run")).train(4);
  GPT model(Program::config);
  AdamW optimizer(model.parameters());
  Loader loader(Program::dataset(), 2);
  refuses<ValueError>(
      [&] {
        Run::create_or_resume(other.path("run"), {model, optimizer, loader},
                              {.config = Program::config.state(), .content_hash = "eights"});
      },
      {"was trained on other data"});
  refuses<ValueError>(
      [&] {
        Run::create_or_resume(other.path("run"), {model, optimizer, loader}, {.content_hash = "sevens"});
      },
      {"another configuration"});
}

TEST_CASE("run: the tokens that were learned from go on with it, unless an update did not say") {
  const Folder folder;
  const auto counted = [](Run& run, std::optional<int64_t> more) {
    const std::optional<int64_t> before = run.tokens();
    Update done{.step = run.step(), .loss = 1, .lr = 0.01};
    if (before && more) done.tokens = *before + *more;
    run.record(done);
  };
  {
    Program made(folder.path("run"));
    CHECK(made.run.tokens() == 0);
    for (int k = 0; k < 4; ++k) counted(made.run, 12);
    made.run.save();
    counted(made.run, 12);
  }
  {
    Program made(folder.path("run"));
    CHECK(made.run.tokens() == 48);
    counted(made.run, 10);
    CHECK(made.run.tokens() == 58);
    CHECK(made.run.log().updates().back().tokens == 58);
    counted(made.run, std::nullopt);
    made.run.save();
  }
  Program made(folder.path("run"));
  CHECK_FALSE(made.run.tokens());
  counted(made.run, 10);
  CHECK_FALSE(made.run.log().updates().back().tokens);
}

TEST_CASE("run: samples and statistics are of the step where it stands") {
  const Folder folder;
  {
    Program made(folder.path("run"));
    CHECK_FALSE(made.run.has_sample());
    made.run.record_sample("one\n\xff two");
    CHECK(made.run.has_sample());
    refuses<ValueError>([&] { made.run.record_sample("again"); }, {"samples.jsonl: a line of step 0"});
    refuses<ValueError>([&] { made.run.record(UpdateStatistics{.step = 1}); },
                        {"statistics of step 1 at step 0"});
    made.run.record(UpdateStatistics{});
    refuses<ValueError>([&] { made.run.record(UpdateStatistics{}); }, {"statistics.jsonl: a line of step 0"});
    made.run.record(Update{.step = 0});
    CHECK_FALSE(made.run.has_sample());
  }
  CHECK(folder.read("run/samples.jsonl") == "{\"step\":0,\"text\":\"one\\n\xef\xbf\xbd two\"}\n");
  folder.write("run/samples.jsonl", folder.read("run/samples.jsonl") + "none\n");
  // Nothing was saved: it begins again.
  Program again(folder.path("run"));
  CHECK_FALSE(fs::exists(folder.path("run/samples.jsonl")));
  CHECK_FALSE(fs::exists(folder.path("run/statistics.jsonl")));
  CHECK(again.run.notes() ==
        std::vector<std::string>{folder.path("run/samples.jsonl: 1 unreadable lines removed")});
}

TEST_CASE("run: weights that are not finite are never saved") {
  const Folder folder;
  Program made(folder.path("run"));
  made.train(3, false);
  const NoGrad no_grad;
  made.model.token_embedding.weight.mutable_value().mutable_data<float>()[0] =
      std::numeric_limits<float>::infinity();
  refuses<NumericError>([&] { made.run.save(); }, {"update 2 made 'token_embedding.weight' not finite"});
  CHECK_FALSE(fs::exists(folder.path("run/checkpoints/step-00000003.h5")));
}

}  // namespace weft::test
