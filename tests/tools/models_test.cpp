// Every model on a task of its own: trained, stopped and resumed, scored, and asked.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "program.h"

namespace {

struct Pair {
  const char *model, *task;
  std::vector<const char*> scores;
  bool writes;
};

const std::vector<Pair> pairs = {
    {"gpt2", "recall", {"accuracy"}, true},
    {"llama", "recall", {"accuracy"}, true},
    {"bert", "masked", {"accuracy"}, false},
    {"bert", "reviews", {"accuracy", "f1", "best_accuracy"}, false},
    {"transformer", "reverse", {"exact_match"}, true},
    {"t5", "text-to-text", {"exact_match"}, true},
    {"vit", "which", {"accuracy"}, false},
    {"vit", "segments", {"iou"}, false},
    {"lstm", "recall", {"accuracy"}, true},
    {"gru", "recall", {"accuracy"}, true},
    {"lstm-seq2seq", "translation", {"exact_match", "bleu", "chrf"}, true},
    {"gpt2", "reviews", {"accuracy", "f1", "best_accuracy"}, false},
    {"llama", "reviews", {"accuracy", "f1", "best_accuracy"}, false},
    {"lstm", "reviews", {"accuracy", "f1", "best_accuracy"}, false},
    {"gru", "reviews", {"accuracy", "f1", "best_accuracy"}, false},
};

/// Six updates of a small model.
Arguments small_kind(const Pair& p, const std::string& out, const Arguments& more = {}) {
  Arguments all{"train",
                "--model",
                p.model,
                "--task",
                p.task,
                "--out",
                out,
                "--threads",
                "2",
                "--set",
                "n_layer=1",
                "--set",
                "n_head=2",
                "--set",
                "n_embd=16",
                "--set",
                "batch_size=3",
                "--set",
                "max_iters=6",
                "--set",
                "lr_decay_iters=6",
                "--set",
                "warmup_iters=1",
                "--set",
                "eval_iters=1",
                "--set",
                "eval_interval=1",
                "--set",
                "checkpoint_interval=3",
                "--set",
                "dropout=0.1"};
  if (p.task == std::string("recall")) all.insert(all.end(), {"--set", "max_length=16"});
  for (const std::string& setting : more) all.insert(all.end(), {"--set", setting});
  return all;
}

std::string last_of(const Folder& folder, const std::string& run) {
  return folder.read(run + "/checkpoints/step-00000006.h5");
}

}  // namespace

TEST_CASE("every model trains, and a run that was stopped comes to the same bytes") {
  const Folder folder;
  for (const Pair& p : pairs) {
    INFO(p.model, " ", p.task);
    const std::string name = std::string(p.model) + "-" + p.task;
    const Result whole = run_weft(folder, small_kind(p, name));
    REQUIRE_MESSAGE(whole.code == 0, whole.err);
    CHECK(contains(whole.err, "weft generate " + name) == p.writes);
    REQUIRE(run_weft(folder, small_kind(p, name + "-2", {"max_iters=2"})).code == 0);
    const Result rest = run_weft(folder, resume(name + "-2", {"max_iters=6"}));
    REQUIRE_MESSAGE(rest.code == 0, rest.err);
    CHECK(last_of(folder, name) == last_of(folder, name + "-2"));

    const Result scores = run_weft(folder, {"eval", name, "--samples", "5", "--json"});
    REQUIRE_MESSAGE(scores.code == 0, scores.err);
    CHECK(std::isfinite(number_in(scores.out, "loss")));
    for (const char* score : p.scores)
      CHECK_MESSAGE(contains(scores.out, std::string("\"") + score + "\":"), scores.out);
    CHECK(run_weft(folder, {"inspect", name}).code == 0);

    const Result asked =
        run_weft(folder, {"generate", name, "--ids", "40,41", "--tokens", "4", "--temperature", "0"});
    CHECK_MESSAGE(asked.code == (p.writes ? 0 : 2), asked.err);
    if (!p.writes) CHECK(contains(asked.err, "does not write"));
  }
}

TEST_CASE("every model has the same bytes whatever the threads and the instruction set") {
  const Folder folder;
  for (const Pair& p : pairs)
    for (const char* type : {"dtype=float32", "dtype=bfloat16"}) {
      INFO(p.model, " ", p.task, " ", type);
      const Result base = run_weft(folder, small_kind(p, "base", {type}));
      REQUIRE_MESSAGE(base.code == 0, base.err);
      for (const char* isa : {"avx512", "avx2", "scalar"})
        for (const char* threads : {"1", "3"}) {
          Arguments other = small_kind(p, "other", {type});
          other.emplace_back("--overwrite");
          *(std::ranges::find(other, "--threads") + 1) = threads;
          const Result result = run_weft(folder, other, {.environment = {std::string("WEFT_ISA=") + isa}});
          if (contains(result.err, "this processor lacks")) {
            MESSAGE("skipped: ", isa, ", which this processor lacks");
            continue;
          }
          REQUIRE_MESSAGE(result.code == 0, result.err);
          CHECK_MESSAGE(last_of(folder, "base") == last_of(folder, "other"), isa, " ", threads);
        }
      std::filesystem::remove_all(folder.path("base"));
    }
}

TEST_CASE("every optimizer and schedule resumes to the same bytes, averages and frozen weights too") {
  const Folder folder;
  const Pair& p = pairs[4];
  for (const char* optimizer : {"adam", "adamw", "sgd", "lion", "adafactor", "muon"})
    for (const char* schedule : {"linear", "warmup_stable_decay"}) {
      const std::string name = std::string(optimizer) + schedule;
      const Arguments more{std::string("optimizer=") + optimizer,
                           std::string("schedule=") + schedule,
                           "decay_iters=2",
                           "ema_decay=0.9",
                           "freeze=*.norm1.*,token_embedding.weight",
                           "layer_decay=0.5"};
      const Result whole = run_weft(folder, small_kind(p, name, more));
      REQUIRE_MESSAGE(whole.code == 0, whole.err);
      Arguments two = more;
      two.emplace_back("max_iters=2");
      REQUIRE(run_weft(folder, small_kind(p, name + "-2", two)).code == 0);
      REQUIRE(run_weft(folder, resume(name + "-2", {"max_iters=6"})).code == 0);
      CHECK_MESSAGE(last_of(folder, name) == last_of(folder, name + "-2"), name);
    }
}

TEST_CASE("a prompt in a batch gives what it gives alone; beams and ids") {
  const Folder folder;
  REQUIRE(run_weft(folder, small_kind(pairs[4], "run")).code == 0);
  folder.write("prompts.txt", "a b c\nz\nq w e r t\n");
  for (const Arguments& how : {Arguments{"--temperature", "1"}, Arguments{"--beams", "3"}}) {
    const auto ask = [&](Arguments what) {
      what.insert(what.begin(), {"generate", "run", "--tokens", "8"});
      what.insert(what.end(), how.begin(), how.end());
      const Result result = run_weft(folder, what);
      REQUIRE_MESSAGE(result.code == 0, result.err);
      return result.out;
    };
    CHECK(ask({"--prompts", "prompts.txt"}) ==
          ask({"--prompt", "a b c"}) + ask({"--prompt", "z"}) + ask({"--prompt", "q w e r t"}));
    const std::string ids = ask({"--ids", "40,41,2"});
    CHECK(ids.back() == '\n');
    CHECK(std::ranges::count(ids, '\n') == 1);
  }
}

TEST_CASE("generation ends with a stop text") {
  const Folder folder;
  write_text(folder);
  REQUIRE(run_weft(folder, train("run", {"max_iters=200"})).code == 0);
  const Arguments free{"generate", "run", "--prompt", "the ", "--tokens", "200"};
  const std::string text = run_weft(folder, free).out;
  const std::string stop = text.substr(40, 3);
  Arguments stopped = free;
  stopped.insert(stopped.end(), {"--stop", stop});
  CHECK(run_weft(folder, stopped).out == text.substr(0, text.find(stop, 4) + 3));
}

TEST_CASE("logits are those of the model, as NumPy reads them") {
  const Folder folder;
  for (const size_t i : {size_t{0}, size_t{4}, size_t{6}, size_t{7}})
    REQUIRE(run_weft(folder, small_kind(pairs[i], pairs[i].task)).code == 0);
  const auto shape = [&](const Arguments& what) {
    Arguments all{"logits"};
    all.insert(all.end(), what.begin(), what.end());
    all.insert(all.end(), {"--out", "x.npy"});
    const Result result = run_weft(folder, all);
    REQUIRE_MESSAGE(result.code == 0, result.err);
    const std::string file = folder.read("x.npy");
    const size_t begin = file.find("'shape': ") + 9;
    return file.substr(begin, file.find(')', begin) - begin);
  };
  CHECK(shape({"recall", "--ids", "40,41,42"}) == "(3, 98, ");
  CHECK(shape({"reverse", "--ids", "40,41,2", "--target-ids", "1,41"}) == "(2, 65, ");
  // numpy.save of zeros (3, 32, 32).
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 32, 32), }";
  header.resize(117, ' ');
  const std::string front = std::string("\x93NUMPY\x01\x00v\x00", 10) + header + "\n";
  folder.write("picture.npy", front + std::string(4 * 3 * 32 * 32, '\0'));
  folder.write("nan.npy", front + std::string(4 * 3 * 32 * 32, '\xff'));
  std::string other = front;
  other.replace(other.find("32, 32"), 6, "32, 31");
  folder.write("other.npy", other + std::string(4 * 3 * 32 * 31, '\0'));
  CHECK(shape({"which", "--image", "picture.npy"}) == "(6, ");
  CHECK(shape({"segments", "--image", "picture.npy"}) == "(64, 5, ");

  const auto refused = [&](const Arguments& what, const char* why) {
    Arguments all{"logits"};
    all.insert(all.end(), what.begin(), what.end());
    all.insert(all.end(), {"--out", "y.npy"});
    const Result result = run_weft(folder, all);
    CHECK(result.code == 2);
    CHECK_MESSAGE(contains(result.err, why), result.err);
    CHECK(!exists(folder, "y.npy"));
  };
  refused({"recall"}, "--ids: is needed");
  refused({"recall", "--ids", "40,,41"}, "--ids: ''");
  refused({"recall", "--ids", "100000"}, "--ids: '100000' is not a whole number between 0 and");
  refused({"recall", "--ids", "40", "--target-ids", "1"}, "has no decoder");
  refused({"recall", "--image", "picture.npy"}, "reads --ids, not a picture");
  refused({"reverse", "--ids", "40,2"}, "--target-ids: is needed");
  refused({"reverse", "--ids", "40,2", "--target-ids", "40"}, "start token");
  refused({"which", "--ids", "40"}, "--image: is needed");
  refused({"which", "--image", "nowhere.npy"}, "nowhere.npy: ");
  refused({"which", "--image", "nan.npy"}, "nan.npy: has NaN or infinity in it");
  refused({"which", "--image", "other.npy"}, "pictures are (1, 3, 32, 31)");
}

TEST_CASE("the averaged weights are those that are exported and begun from") {
  const Folder folder;
  REQUIRE(run_weft(folder, small_kind(pairs[5], "run", {"ema_decay=0.9", "learning_rate=0.05"})).code == 0);
  const auto logits = [&](const std::string& run) {
    REQUIRE(run_weft(folder,
                     {"logits", run, "--ids", "40,41,2", "--target-ids", "1,41", "--last", "--out", "x.npy"})
                .code == 0);
    return folder.read("x.npy");
  };
  const std::string averaged = logits("run");
  REQUIRE(run_weft(folder, {"export", "run", "--last", "--format", "hf", "--out", "hf"}).code == 0);
  REQUIRE(run_weft(folder, {"import", "hf", "--out", "back"}).code == 0);
  REQUIRE(run_weft(folder, {"logits", "back", "--ids", "40,41,2", "--target-ids", "1,41", "--out", "y.npy"})
              .code == 0);
  CHECK(folder.read("y.npy") == averaged);
  std::filesystem::remove(folder.path("run/best.h5"));  // else it begins from the best, not the last
  Arguments again = small_kind(pairs[5], "again", {"max_iters=0"});
  again.insert(again.end(), {"--init-from", "run"});
  REQUIRE(run_weft(folder, again).code == 0);
  CHECK(logits("again") == averaged);
}

TEST_CASE("lines are answered one after another") {
  const Folder folder;
  REQUIRE(run_weft(folder, small_kind(pairs[4], "run")).code == 0);
  const auto alone = [&](const char* prompt) {
    return run_weft(folder, {"generate", "run", "--prompt", prompt, "--tokens", "6"}).out;
  };
  const Result lines = run_weft(folder, {"generate", "run", "--interactive", "--tokens", "6"},
                                {.under = {"sh", "-c", "printf 'a b c\\n?\\nz\\n' | \"$0\" \"$@\""}});
  CHECK_MESSAGE(lines.code == 0, lines.err);
  CHECK(lines.out == alone("a b c") + alone("z"));
  CHECK(contains(lines.err, "line: "));
}

TEST_CASE("a model of several tasks is scored on each") {
  const Folder folder;
  REQUIRE(run_weft(folder, small_kind(pairs[5], "run")).code == 0);
  for (const char* task : {"summarize", "sentiment", "translate", "fill"})
    CHECK(contains(run_weft(folder, {"eval", "run", "--task", task, "--samples", "3", "--json"}).out,
                   "exact_match"));
  const Result other = run_weft(folder, {"eval", "run", "--task", "which"});
  CHECK(other.code == 2);
  CHECK(contains(other.err, "of the kind 'pictures', but this model learned text-to-text"));
}

TEST_CASE("words that two tasks share keep what was learned of them; a task of the same words, all of it") {
  const Folder folder;
  const auto begun = [&](const char* task, const char* from, const std::string& out) {
    Arguments all{"train",           "--model",   "transformer", "--task",      task,
                  "--out",           out,         "--set",       "max_iters=1", "eval_iters=1",
                  "sample_tokens=0", "n_layer=1", "n_head=2",    "n_embd=16"};
    if (*from) all.insert(all.end(), {"--init-from", from});
    const Result result = run_weft(folder, all);
    REQUIRE_MESSAGE(result.code == 0, result.err);
    return result.err;
  };
  begun("copy", "", "copy");
  const std::string other = begun("translation", "copy", "translation");
  CHECK_MESSAGE(contains(other, " rows of token_embedding.weight follow their words; "), other);
  CHECK_FALSE(contains(begun("reverse", "copy", "reverse"), "another vocabulary"));
}

TEST_CASE("models and tasks that do not go together, and settings out of range, leave nothing") {
  const Folder folder;
  write_text(folder);
  const auto before = listed(folder, ".");
  const auto refused = [&](const Arguments& more, const char* why) {
    Arguments all{"train"};
    all.insert(all.end(), more.begin(), more.end());
    const Result result = run_weft(folder, all);
    CHECK(result.code == 2);
    CHECK_MESSAGE(contains(result.err, why), result.err);
    CHECK(listed(folder, ".") == before);
  };
  refused({"--model", "gtp2", "--data", "text.txt"}, "model must be gpt2 or llama");
  refused({"--model", "gpt2", "--task", "revrese"}, "task must be text or ");
  refused({"--model", "gpt2", "--task", "reverse"},
          "which gpt2 does not learn; transformer, t5, lstm-seq2seq can");
  refused({"--model", "vit", "--data", "text.txt"}, "which vit does not learn");
  refused({"--model", "llama", "--task", "recall", "--data", "text.txt"}, "reads no --data");
  refused({"--model", "llama", "--data", "text.txt", "--set", "n_kv_head=3"}, "n_kv_head = 3");
  refused({"--model", "llama", "--data", "text.txt", "--set", "n_head=3"}, "n_head = 3");
  refused({"--model", "vit", "--task", "which", "--set", "patch_size=5"}, "patch_size = 5");
  refused({"--model", "gpt2", "--data", "text.txt", "--set", "window=8"},
          "window = 8: gpt2 has no such key; llama, best have");
  refused({"--model", "vit", "--task", "which", "--set", "bias=true"},
          "bias = true: vit has no such key; gpt2 has");
  refused({"--model", "vit", "--task", "segments", "--set", "patch_size=8"}, "asks for patches of 4");
  refused({"--model", "transformer", "--task", "copy", "--set", "min_length=9", "--set", "max_length=8"},
          "min_length");
  refused({"--model", "transformer", "--task", "copy", "--set", "optimizer=adamax"}, "optimizer must be");
  refused({"--model", "transformer", "--task", "copy", "--set", "schedule=step"}, "schedule must be");
  refused({"--model", "transformer", "--task", "copy", "--set", "freeze=nothing.*"}, "nothing.*");
  refused({"--model", "transformer", "--task", "copy", "--set", "layer_decay=2"}, "layer_decay");
}
