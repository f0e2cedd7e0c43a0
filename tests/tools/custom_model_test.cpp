// A program with a model of its own has every command (examples/custom_model.cpp).
#ifdef CUSTOM_PROGRAM
#include <doctest/doctest.h>
#include <signal.h>

#include <string>

#include "program.h"

namespace {

const Program::Options custom{.program = CUSTOM_PROGRAM};

Result run_custom(const Folder& folder, const Arguments& arguments) {
  return run_weft(folder, arguments, custom);
}

Arguments train_custom(const std::string& out, const Arguments& more = {}) {
  Arguments settings{"--model", "cosine", "keep_checkpoints=0"};
  settings.insert(settings.end(), more.begin(), more.end());
  return train(out, settings);
}

}  // namespace

TEST_CASE("custom model: killed and resumed it ends with the same bytes") {
  const Folder folder;
  write_text(folder);
  const Arguments longer{"max_iters=300", "checkpoint_interval=10", "eval_interval=50"};
  REQUIRE(run_custom(folder, train_custom("whole", longer)).code == 0);
  {
    Program killed(folder, train_custom("run", longer), custom);
    REQUIRE(wait_until([&] { return exists(folder, "run/checkpoints/step-00000030.h5"); }));
    killed.send(SIGKILL);
    killed.wait();
  }
  REQUIRE_FALSE(exists(folder, "run/checkpoints/step-00000300.h5"));
  const Result resumed = run_custom(folder, resume("run"));
  REQUIRE_MESSAGE(resumed.code == 0, resumed.err);
  CHECK(contains(resumed.err, "custom_model generate run"));
  for (const char* file : {"checkpoints/step-00000300.h5", "best.h5"})
    CHECK_MESSAGE(folder.read(std::string("run/") + file) == folder.read(std::string("whole/") + file), file);
}

TEST_CASE("custom model: it is scored, sampled, looked at, told about and handed on") {
  const Folder folder;
  write_text(folder);
  REQUIRE(run_custom(folder, train_custom("run")).code == 0);
  CHECK(number_in(run_custom(folder, {"eval", "run", "--json"}).out, "loss") > 0);
  const Result text = run_custom(folder, {"generate", "run", "--prompt", "the ", "--tokens", "30"});
  REQUIRE_MESSAGE(text.code == 0, text.err);
  CHECK(text.out.starts_with("the "));
  CHECK(text.out.size() == 34);
  CHECK(run_custom(folder, {"generate", "run", "--prompt", "the ", "--tokens", "5", "--beams", "3"}).code ==
        0);
  CHECK(run_custom(folder, {"logits", "run", "--ids", "1,2,3", "--out", "logits.npy"}).code == 0);
  const Result page = run_custom(folder, {"attention", "run", "--text", "the cat", "--out", "page.html"});
  CHECK_MESSAGE(page.code == 0, page.err);
  CHECK(contains(folder.read("page.html"), "blocks.0.attention"));
  CHECK(contains(run_custom(folder, {"inspect", "run"}).out, "cosine"));
  CHECK(run_custom(folder, {"export", "run", "--format", "safetensors", "--out", "plain"}).code == 0);
  REQUIRE(run_custom(folder, {"export", "run", "--format", "weft", "--out", "mine.h5"}).code == 0);
  CHECK(run_custom(folder, {"generate", "mine.h5", "--prompt", "the ", "--tokens", "30"}).out == text.out);
  const Result profile = run_custom(folder, train_custom("profiled", {"--profile"}));
  CHECK(contains(profile.err, "linear"));
  const Result help = run_custom(folder, {"train", "--help"});
  CHECK(contains(help.out, "cosine"));
  const Result hf = run_custom(folder, {"export", "run", "--format", "hf", "--out", "theirs"});
  CHECK(hf.code == 2);
  CHECK(contains(hf.err, "cosine"));
  // Where it is not registered, the file says who opens it.
  const Result elsewhere = run_weft(folder, {"generate", "mine.h5", "--prompt", "the "});
  CHECK(elsewhere.code == 2);
  CHECK(contains(elsewhere.err, "of the kind 'cosine'"));
  const Result wrong = run_custom(folder, train_custom("wrong", {"n_kv_head=2"}));
  CHECK(wrong.code == 2);
  CHECK(contains(wrong.err, "cosine has no such key; llama, best have"));
}
TEST_CASE("custom model: adapters of it are trained, resumed, used and merged") {
  const Folder folder;
  write_text(folder);
  REQUIRE(run_custom(folder, train_custom("base")).code == 0);
  const auto adapters = [](const std::string& out, const std::string& updates) {
    Arguments all = train_custom(out, {"lora_rank=2", "lora_layers=*.query,*.down", "max_iters=" + updates,
                                       "lr_decay_iters=12", "eval_interval=1"});
    all.insert(all.begin() + 1, {"--init-from", "base"});
    return all;
  };
  const Result whole = run_custom(folder, adapters("whole", "12"));
  REQUIRE_MESSAGE(whole.code == 0, whole.err);
  CHECK_MESSAGE(contains(whole.err, "adapters of rank 2 on 2 layers"), whole.err);
  REQUIRE(run_custom(folder, adapters("run", "7")).code == 0);
  REQUIRE(run_custom(folder, resume("run", {"max_iters=12"})).code == 0);
  const std::string last = "/checkpoints/step-00000012.h5";
  CHECK(folder.read("run" + last) == folder.read("whole" + last));
  REQUIRE(run_custom(folder, {"merge", "run", "--out", "merged.h5"}).code == 0);
  const Arguments how{"--prompt", "the ", "--tokens", "30"};
  Arguments of_run{"generate", "run"}, of_merged{"generate", "merged.h5"};
  for (Arguments* const all : {&of_run, &of_merged}) all->insert(all->end(), how.begin(), how.end());
  const Result text = run_custom(folder, of_run);
  REQUIRE_MESSAGE(text.code == 0, text.err);
  CHECK(run_custom(folder, of_merged).out == text.out);
}

#endif
