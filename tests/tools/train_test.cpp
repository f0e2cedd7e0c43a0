#include <doctest/doctest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "program.h"

namespace {}  // namespace

TEST_CASE("a run makes exactly max_iters updates and leaves what it promises") {
  const Text folder;
  const Result result = run_weft(folder, train("run", {"sample_tokens=5"}));
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK(result.out == "run\n");
  CHECK(listed(folder, "run") == Names{".lock", "best.h5", "cache", "checkpoints", "config.toml", "loss.svg",
                                       "metrics.csv", "metrics.digest", "metrics.jsonl", "samples.jsonl"});
  CHECK(listed(folder, "run/checkpoints") ==
        Names{"step-00000010.h5", "step-00000015.h5", "step-00000020.h5"});
  CHECK(contains(result.err, "weft generate run"));
  CHECK(contains(result.err, "\n---\n"));
  CHECK(contains(folder.read("run/loss.svg"), "</svg>"));

  std::set<int> updates, evaluations;
  for (const std::string& line : lines_of(folder.read("run/metrics.jsonl"))) {
    auto& steps = contains(line, "val_loss") ? evaluations : updates;
    CHECK(steps.insert(static_cast<int>(number_in(line, "step"))).second);
    if (&steps == &updates) {
      for (const char* name : {"loss", "lr", "grad_norm", "tokens_per_second", "seconds"})
        CHECK(number_in(line, name) > 0);
      const double k = number_in(line, "step");
      if (k < 2) CHECK(number_in(line, "lr") == doctest::Approx(0.01 * (k + 1) / 3));
    } else {
      CHECK(number_in(line, "train_loss") > 0);
    }
  }
  CHECK(updates.size() == 20);
  CHECK(*updates.rbegin() == 19);
  CHECK(evaluations == std::set<int>{0, 5, 10, 15, 20});
}

TEST_CASE("the model learns") {
  const Text folder;
  REQUIRE(run_weft(folder, train("run", {"max_iters=400", "dropout=0", "eval_interval=400"})).code == 0);
  const auto lines = lines_of(folder.read("run/metrics.jsonl"));
  CHECK(number_in(lines.front(), "val_loss") > 2.5);
  CHECK(number_in(lines.back(), "val_loss") < 1.7);
}

TEST_CASE("no updates at all") {
  const Text folder;
  REQUIRE(run_weft(folder, train("run", {"max_iters=0"})).code == 0);
  CHECK(listed(folder, "run/checkpoints") == Names{"step-00000000.h5"});
  CHECK(folder.read("run/checkpoints/step-00000000.h5") == folder.read("run/best.h5"));
}

TEST_CASE("the end is evaluated and saved though no interval falls there") {
  const Text folder;
  REQUIRE(run_weft(folder, train("run", {"max_iters=7"})).code == 0);
  CHECK(listed(folder, "run/checkpoints") == Names{"step-00000005.h5", "step-00000007.h5"});
  CHECK(number_in(lines_of(folder.read("run/metrics.jsonl")).back(), "val_loss") > 0);
}

TEST_CASE("keep_checkpoints") {
  const Text folder;
  REQUIRE(run_weft(folder, train("one", {"keep_checkpoints=1"})).code == 0);
  CHECK(listed(folder, "one/checkpoints") == Names{"step-00000020.h5"});
  REQUIRE(run_weft(folder, train("all", {"keep_checkpoints=0"})).code == 0);
  CHECK(listed(folder, "all/checkpoints").size() == 4);
}

TEST_CASE("patience ends a run that gets no better") {
  const Text folder;
  // A rate of 0: no evaluation is better than the first.
  const Result result = run_weft(folder, train("run", {"learning_rate=0", "min_lr=0", "patience=2"}));
  REQUIRE(result.code == 0);
  CHECK(contains(result.err, "stopped early"));
  CHECK(listed(folder, "run/checkpoints") == Names{"step-00000005.h5", "step-00000010.h5"});
  CHECK(run_weft(folder, resume("run", {"patience=0"})).code == 0);
  CHECK(listed(folder, "run/checkpoints").back() == "step-00000020.h5");
}

TEST_CASE("a folder is found: runs/NAME, runs/NAME-2, ...") {
  const Text folder;
  for (const char* expected : {"runs/text\n", "runs/text-2\n", "runs/text-3\n"}) {
    const Result result =
        run_weft(folder, {"train", "--data", "text.txt", "--set", "max_iters=0", "sample_tokens=0"});
    CHECK(result.code == 0);
    CHECK(result.out == expected);
  }
}

TEST_CASE("defaults, then --config, then --set from left to right") {
  const Text folder;
  folder.write("small.toml", "max_iters = 3\nn_layer = 1\nn_embd = 8 # narrow\nlearning_rate = 1\n");
  const Result result =
      run_weft(folder, {"train", "--data", "text.txt", "--out", "run", "--config", "small.toml", "--set",
                        "n_embd=12", "--set", "max_iters=2", "n_embd=16"});
  REQUIRE_MESSAGE(result.code == 0, result.err);
  const std::string config = folder.read("run/config.toml");
  for (const char* line : {"\nn_embd = 16 ", "\nmax_iters = 2 ", "\nn_layer = 1 ", "\nlearning_rate = 1.0 ",
                           "\nlr_decay_iters = 2 ", "\nn_head = 4 ", "\nseed = 1337 "})
    CHECK_MESSAGE(contains(config, line), line);
}

TEST_CASE("several files, with names of any kind, are one text") {
  const Folder folder;
  folder.write("[a,b] \"c\"", std::string(300, 'a'));
  folder.write("d'\xc3\xa9.txt", std::string(300, 'd'));
  const Result result =
      run_weft(folder, {"train", "--data", "[a,b] \"c\"", "d'\xc3\xa9.txt", "--out", "my run", "--set",
                        "max_iters=1", "n_embd=8", "block_size=8", "boundaries=none"});
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK(contains(result.err, "600 tokens"));
  CHECK(contains(result.err, "weft generate 'my run'"));
  CHECK(run_weft(folder, {"train", "--config", "my run/config.toml", "--out", "again"}).code == 0);
  CHECK(folder.read("again/best.h5") == folder.read("my run/best.h5"));
}

TEST_CASE("more files than a process may open, empty ones among them, are trained on, resumed and scored") {
  const Text folder;
  const std::string text = folder.read("text.txt");
  Arguments files{"--data"};
  for (size_t i = 0; i < 1100; ++i) {
    files.push_back("part" + std::to_string(i));
    folder.write(files.back(), i < 1000 ? text.substr(i * 3, 3) : "");
  }
  const auto run = [&](Arguments arguments) {
    const Result result =
        run_weft(folder, arguments, {.under = {"sh", "-c", "ulimit -n 1024; exec \"$0\" \"$@\""}});
    CHECK_MESSAGE(result.code == 0, result.err);
    return result;
  };
  Arguments all = train("many", {"max_iters=2", "boundaries=none"});
  all.erase(all.begin() + 1, all.begin() + 3);  // --data text.txt
  all.insert(all.end(), files.begin(), files.end());
  const Result result = run(all);
  CHECK_MESSAGE(contains(result.err, "warning: 100 of the 1100 files are empty and passed over: /"),
                result.err);
  CHECK(contains(result.err, "/part1000, /"));
  CHECK(contains(result.err, "/part1002, ...\n"));
  run(resume("many", {"max_iters=4"}));
  const std::string scores = run({"eval", "many", "--json"}).out;
  CHECK(number_in(scores, "tokens") == 299);
  CHECK(number_in(run_weft(folder, {"eval", "many", "--data", "text.txt", "--json"}).out, "trained_share") ==
        0.9);
  folder.write("text.txt", "");
  CHECK(contains(run_weft(folder, train("none")).err,
                 "/text.txt: is empty; a text needs at least one character"));
}

TEST_CASE("--config RUN/config.toml starts the same run again, data included") {
  const Text folder;
  REQUIRE(run_weft(folder, train("a")).code == 0);
  std::filesystem::create_directory(folder.path("elsewhere"));
  REQUIRE(run_weft(folder, {"train", "--config", "a/config.toml", "--out", "elsewhere/b", "--threads", "2"})
              .code == 0);
  // The same but for how the text is named from there.
  std::string config = folder.read("elsewhere/b/config.toml");
  const std::string named = "data = [\"../../text.txt\"]";
  REQUIRE(contains(config, named));
  CHECK(folder.read("a/config.toml") ==
        config.replace(config.find(named), named.size(), "data = [\"../text.txt\"]"));
  for (const char* file : {"/best.h5", "/checkpoints/step-00000020.h5"})
    CHECK(folder.read(std::string("a") + file) == folder.read(std::string("elsewhere/b") + file));
}

TEST_CASE("paths of a configuration begin where weft is started, or at its folder if it says so") {
  const Text folder;
  std::filesystem::create_directory(folder.path("deep"));
  const std::string small = "max_iters = 0\nsample_tokens = 0\nn_layer = 1\n";
  folder.write("deep/started.toml", "data = [\"text.txt\"]\n" + small);
  CHECK(run_weft(folder, {"train", "--config", "deep/started.toml", "--out", "a"}).code == 0);
  folder.write("deep/here.toml", "data = [\"../text.txt\"]\npaths_from = \"here\"\n" + small);
  CHECK(run_weft(folder, {"train", "--config", "deep/here.toml", "--out", "b"}).code == 0);
  CHECK(folder.read("a/config.toml") == folder.read("b/config.toml"));
  folder.write("deep/there.toml", "paths_from = \"there\"\n");
  const Result result = run_weft(folder, {"train", "--config", "deep/there.toml", "--out", "c"});
  CHECK(result.code == 2);
  CHECK_MESSAGE(contains(result.err, "there.toml:1: paths_from must be \"here\""), result.err);
}

TEST_CASE("the help names every key of config.toml") {
  const Text folder;
  REQUIRE(run_weft(folder, train("run", {"max_iters=0"})).code == 0);
  const std::string help = run_weft(folder, {"train", "--help"}).out;
  for (const std::string& line : lines_of(folder.read("run/config.toml"))) {
    const std::string key = line.substr(0, line.find(' '));
    if (line[0] != '#' && key != "data" && key != "paths_from")
      CHECK_MESSAGE(contains(help, "\n  " + key + " = "), key);
  }
}

TEST_CASE("dropout draws anew at every update") {
  const Folder folder;
  std::string text;
  for (int i = 0; i < 200; ++i) text += "ab";
  folder.write("text.txt", text);
  // Every update sees the same windows, at one of two offsets, and changes nothing.
  REQUIRE(run_weft(folder, train("run", {"block_size=2", "batch_size=179", "max_iters=12", "dropout=0.5",
                                         "learning_rate=0", "min_lr=0"}))
              .code == 0);
  std::set<double> losses;
  for (const std::string& line : lines_of(folder.read("run/metrics.jsonl")))
    if (!contains(line, "val_loss")) losses.insert(number_in(line, "loss"));
  CHECK(losses.size() == 12);
}

TEST_CASE("a text with a byte-order mark and carriage returns") {
  const Text folder;
  std::string text = "\xef\xbb\xbf";
  for (const std::string& line : lines_of(folder.read("text.txt"))) text += line + "\r\n";
  folder.write("text.txt", text);
  Result result = run_weft(folder, train("keep", {"max_iters=0"}));
  CHECK(result.code == 0);
  CHECK(contains(result.err, "byte-order mark"));
  CHECK(contains(result.err, "carriage returns, which are kept"));
  result = run_weft(folder, train("lf", {"max_iters=0", "newlines=lf"}));
  CHECK(result.code == 0);
  CHECK(contains(result.err, "carriage returns are dropped"));
  CHECK(number_in(run_weft(folder, {"inspect", "keep", "--json"}).out, "vocab_size") ==
        number_in(run_weft(folder, {"inspect", "lf", "--json"}).out, "vocab_size") + 1);
}

TEST_CASE("a compressed text is not blamed for its bytes, and taken with a warning by those who take bytes") {
  const Text folder;
  folder.write("a.txt.bz2", "BZh91AY&SY" + folder.read("text.txt") + "\xff");
  Result result = run_weft(folder, {"train", "--data", "a.txt.bz2"});
  CHECK(result.code == 2);
  CHECK_MESSAGE(contains(result.err, "/a.txt.bz2: is bzip2-compressed, not text; bunzip2 -k "), result.err);
  CHECK_FALSE(contains(result.err, "tokenizer=byte"));
  result = run_weft(folder,
                    {"train", "--data", "a.txt.bz2", "--set", "tokenizer=byte", "max_iters=0", "n_layer=1"});
  CHECK_MESSAGE(result.code == 0, result.err);
  CHECK(contains(result.err, "warning: taken as it is: "));
  CHECK(contains(result.err, "/a.txt.bz2: is bzip2-compressed"));
}

TEST_CASE("a folder of texts, some of them compressed, is one text, and stays the run's") {
  const Text folder;
  const std::string text = folder.read("text.txt");
  folder.with("books/a.txt", text.substr(0, 1000))
      .with("books/more/b.txt", text.substr(1000))
      .with("books/.hidden", "#");
  REQUIRE(run_weft(folder, train("whole", {"boundaries=none"})).code == 0);
  Arguments all = train("run", {"boundaries=none"});
  *(std::find(all.begin(), all.end(), "text.txt")) = "books/";
  REQUIRE(run_weft(folder, all).code == 0);
  CHECK(folder.read("run/best.h5") == folder.read("whole/best.h5"));
  CHECK(contains(folder.read("run/config.toml"), "/books\"]"));
  REQUIRE(::system(("gzip -q " + folder.path("books/a.txt") + " && cd " + folder.path("books/more") +
                    " && gzip -q b.txt")
                       .c_str()) == 0);
  CHECK(run_weft(folder, resume("run", {"max_iters=25"})).code == 0);
  folder.write("books/c.txt", "more");
  const Result other = run_weft(folder, resume("run", {"max_iters=30"}));
  CHECK(other.code == 2);
  CHECK_MESSAGE(contains(other.err, "is not the text that the run was made with"), other.err);
  *(std::find(all.begin(), all.end(), "books/")) = "books/a.*";
  *(std::find(all.begin(), all.end(), "run")) = "pattern";
  CHECK(run_weft(folder, all).code == 0);
}

TEST_CASE("runs of one text keep its ids once") {
  const Text folder;
  for (const char* run : {"runs/a", "runs/b", "runs/c"}) {
    Arguments all = train(run, {"max_iters=1"});
    if (run[5] == 'c') all.insert(all.end(), {"--set", "tokenizer=byte"});
    REQUIRE(run_weft(folder, all).code == 0);
  }
  const auto ids = [&](const char* run) {
    return folder.path(std::string(run) + "/cache/" + listed(folder, std::string(run) + "/cache").at(0));
  };
  CHECK(std::filesystem::equivalent(ids("runs/a"), ids("runs/b")));
  CHECK(std::filesystem::hard_link_count(ids("runs/c")) == 1);
  // Each goes on without the other.
  std::filesystem::remove_all(folder.path("runs/a"));
  CHECK(run_weft(folder, resume("runs/b", {"max_iters=2"})).code == 0);
  CHECK(run_weft(folder, {"eval", "runs/b"}).code == 0);
}

TEST_CASE("--overwrite replaces a run only once the new one is sound") {
  const Text folder;
  REQUIRE(run_weft(folder, train("run")).code == 0);
  const std::string before = folder.read("run/best.h5");
  CHECK(run_weft(folder, train("run")).code == 2);
  CHECK(run_weft(folder, train("run", {"--overwrite", "block_size=4000"})).code == 2);
  CHECK(folder.read("run/best.h5") == before);
  REQUIRE(run_weft(folder, train("run", {"--overwrite", "max_iters=5", "n_embd=8"})).code == 0);
  CHECK(listed(folder, "run/checkpoints") == Names{"step-00000005.h5"});
  CHECK(folder.read("run/best.h5") != before);
}

TEST_CASE("--init-from takes the weights that fit") {
  const Text folder;
  REQUIRE(run_weft(folder, train("old")).code == 0);
  // The same letters but for the semicolon: the old vocabulary covers them.
  std::string text = folder.read("text.txt");
  std::erase(text, ';');
  folder.write("less.txt", text);
  const Arguments base{"train",       "--out",           "new",         "--set",
                       "max_iters=4", "sample_tokens=0", "--init-from", "old"};
  const auto with = [&](Arguments more) {
    more.insert(more.begin(), base.begin(), base.end());
    return more;
  };
  Result result = run_weft(folder, with({"--data", "less.txt"}));
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK(contains(result.err, "weights from old/best.h5 (step "));
  CHECK(contains(folder.read("new/config.toml"), "\nn_embd = 16 "));
  // It begins where the old one ended, not where a new one would.
  const double begin = number_in(lines_of(folder.read("new/metrics.jsonl")).front(), "val_loss");
  CHECK(begin < 2.7);

  // A character more: the others keep what was learned of them.
  folder.write("more.txt", text + "Q");
  result = run_weft(folder, with({"--data", "more.txt", "--overwrite"}));
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK(contains(result.err, " are among the "));
  CHECK_MESSAGE(
      contains(result.err,
               " rows of token_embedding.weight follow their characters; 1 new begins as their mean"),
      result.err);
  CHECK_MESSAGE(!contains(result.err, "  new:"), result.err);
  CHECK(number_in(lines_of(folder.read("new/metrics.jsonl")).front(), "val_loss") ==
        doctest::Approx(begin).epsilon(0.05));

  result = run_weft(folder, with({"--data", "more.txt", "--overwrite", "--set", "n_layer=2"}));
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK(contains(result.err, "new:\n    blocks.1.attention."));
}

TEST_CASE("a loss that is no number stops the run before the update") {
  const Text folder;
  const Result result =
      run_weft(folder, train("run", {"learning_rate=1e30", "min_lr=1e30", "grad_clip=0", "warmup_iters=0"}));
  CHECK(result.code == 1);
  CHECK_MESSAGE(contains(result.err, "weft: step "), result.err);
  CHECK(contains(result.err, "The run stops before this update"));
  CHECK(contains(result.err, "First: "));
}

TEST_CASE("a text in another script than the vocabulary knows is told, not trained on in silence") {
  const Text folder;
  REQUIRE(run_weft(folder, train("run", {"unknown_token=true"})).code == 0);
  std::string other;
  for (int i = 0; i < 900; ++i) other += "\xe4\xb8\xad";
  folder.write("other.txt", other + folder.read("text.txt").substr(0, 100));
  const Result result = run_weft(folder, {"train", "--data", "other.txt", "--out", "new", "--init-from",
                                          "run", "--set", "max_iters=1", "sample_tokens=0"});
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK_MESSAGE(
      contains(result.err, "warning: 90.0 % of the text are characters that the vocabulary does not have"),
      result.err);
}
