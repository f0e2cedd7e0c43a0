// weft find: a learning rate and a batch size, by short trainings.
#include <doctest/doctest.h>

#include <cmath>

#include "program.h"

TEST_CASE("find lr: a rate at which the model learns, with its curves") {
  const Folder folder;
  write_text(folder);
  const std::vector<std::string> small{"n_layer=1", "n_head=1", "n_embd=16", "block_size=16", "batch_size=4"};
  std::vector<std::string> words{"find", "lr", "--data", "text.txt", "--updates", "60", "--json", "--set"};
  words.insert(words.end(), small.begin(), small.end());
  const Result found = run_weft(folder, words);
  REQUIRE_MESSAGE(found.code == 0, found.err);
  const double rate = number_in(found.out, "learning_rate"), lowest = number_in(found.out, "lowest");
  CHECK(rate == doctest::Approx(std::sqrt(number_in(found.out, "steepest") * lowest)).epsilon(0.01));
  CHECK(rate > 1e-4);
  CHECK(rate < 1.0);
  CHECK(contains(folder.read("lr.svg"), "<svg"));
  CHECK(folder.read("lr.csv").starts_with("learning_rate,loss,smoothed\n1e-06,"));
  // The same again, whatever the threads; and nothing but these files is left.
  words.insert(words.end(), {"--threads", "1", "--out", "again.svg"});
  CHECK(run_weft(folder, words).out == found.out);
  CHECK(folder.read("again.csv") == folder.read("lr.csv"));
  CHECK_FALSE(exists(folder, "runs"));
}

TEST_CASE("find batch: the noise of the gradient and the speed of each size") {
  const Folder folder;
  write_text(folder);
  const Result found =
      run_weft(folder, {"find", "batch", "--data", "text.txt", "--updates", "20", "--largest", "4", "--set",
                        "n_layer=1", "n_head=1", "n_embd=16", "block_size=16", "batch_size=4"});
  REQUIRE_MESSAGE(found.code == 0, found.err);
  CHECK(contains(found.out, "try it: --set batch_size="));
  CHECK(contains(folder.read("batch.svg"), "<svg"));
  const std::string table = folder.read("batch.csv");
  CHECK(contains(table, "noise_scale,19,"));
  for (const char* size : {"1", "2", "4"})
    CHECK(contains(table, std::string("samples_per_second,") + size + ","));
  CHECK_FALSE(contains(table, "samples_per_second,8,"));
}

TEST_CASE("find: any task; what cannot be is refused before work") {
  const Folder folder;
  write_text(folder);
  const std::vector<std::string> tiny{"--updates", "12", "--set", "n_layer=1", "n_head=1", "n_embd=16"};
  for (const auto& [model, task] : {std::pair{"transformer", "copy"}, {"vit", "which"}}) {
    std::vector<std::string> words{"find", "batch", "--model", model, "--task", task, "--largest", "1"};
    words.insert(words.end(), tiny.begin(), tiny.end());
    const Result found = run_weft(folder, words);
    CHECK_MESSAGE(found.code == 0, found.err);
  }
  refused_with(folder, {"find", "size", "--data", "text.txt"}, {"'size' is not lr or batch"});
  refused_with(folder, {"find", "batch", "--data", "text.txt", "--from", "1e-5"}, {"--from: is of find lr"});
  refused_with(folder, {"find", "batch", "--data", "text.txt", "--to", "1"}, {"--to: is of find lr"});
  refused_with(folder, {"find", "lr", "--data", "text.txt", "--largest", "4"},
               {"--largest: is of find batch"});
  refused_with(folder, {"find", "lr", "--data", "text.txt", "--out", "nowhere/lr"}, {"nowhere/lr.svg"});
  REQUIRE(run_weft(folder, train("run", {"max_iters=2"})).code == 0);
  const std::string table = folder.read("run/metrics.csv"), picture = folder.read("run/loss.svg");
  refused_with(folder, {"find", "lr", "--data", "text.txt", "--out", "run/metrics"},
               {"run/metrics.csv: is a file of the run run"});
  refused_with(folder, {"find", "batch", "--data", "text.txt", "--out", "run/loss.csv"},
               {"run/loss.svg: is a file of the run run"});
  CHECK(folder.read("run/metrics.csv") == table);
  CHECK(folder.read("run/loss.svg") == picture);
  CHECK_FALSE(exists(folder, "run/metrics.svg"));
  refused_with(folder, {"find", "lr"}, {"no text to train on"});
  refused_with(folder, {"find", "lr", "--data", "text.txt", "--from", "1", "--to", "0.1"}, {"0 < from < to"});
}
