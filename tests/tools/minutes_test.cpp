// weft train --minutes: what is chosen, and that it is all written down.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "program.h"

namespace {

/// The shortest time there is.
const Arguments shortly{"train", "--minutes", "0.1", "--data", "text.txt", "--out"};

double number_of(const std::string& config, const std::string& key) {
  const size_t at = config.find("\n" + key + " = ");
  REQUIRE_MESSAGE(at != std::string::npos, key, " in ", config);
  return std::stod(config.substr(at + key.size() + 4));
}

}  // namespace

TEST_CASE(
    "--minutes: everything is chosen, said, and written into config.toml, which makes the same run again") {
  const Folder folder;
  write_text(folder);
  const Result ran = run_weft(folder, with(shortly, {"run", "--set", "sample_tokens=0"}));
  REQUIRE_MESSAGE(ran.code == 0, ran.err);
  for (const char* line : {"text: ", "model: best, ", "reading: bpe", "learning: muon", "length: "})
    CHECK_MESSAGE(contains(ran.err, line), line, " in ", ran.err);
  const std::string config = folder.read("run/config.toml");
  for (const char* line :
       {"model = \"best\"", "tokenizer = \"bpe\"", "optimizer = \"muon\"", "schedule = \"linear\""})
    CHECK_MESSAGE(contains(config, line), config);
  CHECK_FALSE(contains(config, "max_iters = 2000"));
  const Result again =
      run_weft(folder, {"train", "--config", "run/config.toml", "--out", "again", "--threads", "1"});
  REQUIRE_MESSAGE(again.code == 0, again.err);
  CHECK(last_saved(folder, "again") == last_saved(folder, "run"));
}

TEST_CASE("--minutes: what is set stays as it was set") {
  const Folder folder;
  write_text(folder);
  REQUIRE(run_weft(folder, with(shortly, {"run", "--model", "gpt2", "--set", "n_layer=1", "n_head=2",
                                          "n_embd=16", "block_size=16", "batch_size=4", "learning_rate=0.002",
                                          "optimizer=adamw", "tokenizer=char", "sample_tokens=0"}))
              .code == 0);
  const std::string config = folder.read("run/config.toml");
  for (const char* line :
       {"model = \"gpt2\"", "n_layer = 1", "n_head = 2", "n_embd = 16", "block_size = 16", "batch_size = 4",
        "learning_rate = 0.002", "optimizer = \"adamw\"", "tokenizer = \"char\""})
    CHECK_MESSAGE(contains(config, line), line, " in ", config);
}

TEST_CASE("--minutes: the rate falls with depth and width, and is higher in few updates") {
  const Folder folder;
  write_text(folder);
  REQUIRE(run_weft(folder, with(shortly, {"run", "--set", "n_layer=4", "n_head=2", "n_embd=64",
                                          "block_size=32", "batch_size=4", "sample_tokens=0"}))
              .code == 0);
  const std::string config = folder.read("run/config.toml");
  const double few = 80 / number_of(config, "max_iters");
  const double rate = std::min(2.9 / (4 * 64) * (1 + few * few), 4e-2);
  CHECK(number_of(config, "learning_rate") == doctest::Approx(rate).epsilon(0.05));
}

TEST_CASE("--minutes: of other tasks, and of what goes on from a run, the length is chosen") {
  const Folder folder;
  write_text(folder);
  REQUIRE(run_weft(folder, {"train", "--minutes", "0.1", "--model", "transformer", "--task", "copy", "--out",
                            "copy", "--set", "n_layer=1", "n_embd=16", "n_head=2", "sample_tokens=0"})
              .code == 0);
  CHECK(contains(folder.read("copy/config.toml"), "optimizer = \"adamw\""));
  CHECK_FALSE(contains(folder.read("copy/config.toml"), "max_iters = 2000"));
  REQUIRE(run_weft(folder, train("old", {"max_iters=4"})).code == 0);
  REQUIRE(run_weft(folder, {"train", "--minutes", "0.1", "--continue", "old", "--out", "new"}).code == 0);
  CHECK_FALSE(contains(folder.read("new/config.toml"), "max_iters = 4\n"));
}

TEST_CASE("--minutes: what a file of --config sets is kept, too, where a run goes on") {
  const Folder folder;
  write_text(folder);
  REQUIRE(run_weft(folder, train("old", {"max_iters=4"})).code == 0);
  folder.write("keys.toml", "eval_interval = 7\n");
  const Arguments words{"train",          "--minutes", "0.1",       "--init-from", "old", "--data",
                        "text.txt",       "--config",  "keys.toml", "--out",       "new", "--set",
                        "sample_tokens=0"};
  REQUIRE(run_weft(folder, words).code == 0);
  CHECK(contains(folder.read("new/config.toml"), "\neval_interval = 7 "));
  folder.write("keys.toml", "max_iters = 50\n");
  Arguments again = words;
  *std::find(again.begin(), again.end(), "new") = "newer";
  refused_with(folder, again, {"--minutes", "max_iters"});
}

TEST_CASE(
    "--minutes: the rest of the size fits to the part of it that is given, and to the model that is chosen") {
  const Folder folder;
  write_text(folder);
  int count = 0;
  const auto chosen = [&](const Arguments& settings) {
    const std::string out = "run" + std::to_string(count++);
    const Result ran =
        run_weft(folder, with(with(shortly, {out, "--threads", "1", "--set", "sample_tokens=0"}), settings));
    REQUIRE_MESSAGE(ran.code == 0, ran.err);
    return folder.read(out + "/config.toml");
  };
  CHECK(contains(chosen({"vocab_size=300", "n_kv_head=1"}), "\nn_kv_head = 1 "));
  const std::string heads = chosen({"n_head=3"});
  CHECK(number_of(heads, "n_head") == 3);
  CHECK(std::fmod(number_of(heads, "n_embd"), 6) == 0);
  const std::string width = chosen({"n_embd=42"});
  CHECK(number_of(width, "n_embd") == 42);
  CHECK(std::fmod(42, 2 * number_of(width, "n_head")) == 0);
  CHECK(number_of(chosen({"n_layer=1"}), "n_layer") == 1);
}

#ifndef __SANITIZE_ADDRESS__  // which takes more addresses than there are
TEST_CASE(
    "--minutes: of sizes that have no room a smaller one is chosen, and what was measured is given back") {
  const Folder folder;
  write_text(folder);
  const long limit = 200l << 20;
  Arguments words = with(shortly, {"run", "--threads", "1", "--set", "sample_tokens=0", "tokenizer=char",
                                   "batch_size=48", "block_size=256", "eval_iters=1"});
  words[2] = "0.3";  // of updates that take long
  const Result ran = run_weft(folder, words, {.memory_limit = limit});
  REQUIRE_MESSAGE(ran.code == 0, ran.err);
  CHECK(number_of(folder.read("run/config.toml"), "n_embd") < 64);
  *std::find(words.begin(), words.end(), "run") = "larger";
  words.insert(words.end(), {"n_layer=8", "n_embd=256", "n_head=4"});
  const Result refused = run_weft(folder, words, {.memory_limit = limit});
  CHECK(refused.code == 2);
  CHECK_MESSAGE(contains(refused.err, "the run would take "), refused.err);
  CHECK_MESSAGE(contains(refused.err, "\n  weft train --minutes 0.3 "), refused.err);
  // A sample alone has room in one batch, but not in micro-batches.
  *std::find(words.begin(), words.end(), "batch_size=48") = "batch_size=16";
  const Result least = run_weft(folder, words, {.memory_limit = 190l << 20});
  CHECK(least.code == 2);
  CHECK_MESSAGE(contains(least.err, "\n  weft train --minutes 0.3 "), least.err);
}
#endif

TEST_CASE("--minutes: what contradicts it is refused, and nothing is left") {
  const Folder folder;
  write_text(folder);
  refused_with(folder, with(shortly, {"run", "--set", "max_iters=5"}), {"--minutes", "max_iters"});
  refused_with(folder, {"train", "--minutes", "0", "--data", "text.txt"}, {"--minutes"});
  refused_with(folder, {"train", "--resume", "run", "--minutes", "1"}, {"--resume", "--minutes"});
  refused_with(folder, with(shortly, {"run", "--set", "n_layer=100", "n_embd=1024", "n_head=16"}),
               {"give more minutes, or a smaller model"});
  refused_with(folder, {"train", "--minutes", "0.1", "--data", "nowhere.txt", "--out", "run"},
               {"nowhere.txt"});
  CHECK_FALSE(exists(folder, "run/config.toml"));
}
