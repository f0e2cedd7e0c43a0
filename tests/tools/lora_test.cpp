// Runs that train adapters alone: what they save, with what they are put together again, and where they go.
#include <doctest/doctest.h>
#include <signal.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "checkpoints.h"
#include "program.h"

namespace fs = std::filesystem;

namespace {

/// With a run `base` of 20 updates.
struct Based : Folder {
  Based() {
    write_text(*this);
    REQUIRE(run_weft(*this, train("base", {"bias=true"})).code == 0);
    write("other.txt", [&] {
      std::string text;
      while (text.size() < 3000) text += "dogs sat on the mat; the cat ran.\n";
      return text;
    }());
  }
};

/// Trains adapters on `base`.
Arguments lora(const std::string& out, const Arguments& more = {}) {
  Arguments settings{"lora_rank=2", "lora_dropout=0.1"};
  settings.insert(settings.end(), more.begin(), more.end());
  Arguments all = train(out, settings);
  all.insert(all.begin() + 1, {"--init-from", "base"});
  *(std::find(all.begin(), all.end(), "text.txt")) = "other.txt";
  return all;
}

Result done(const Folder& folder, const Arguments& arguments) {
  Result result = run_weft(folder, arguments);
  REQUIRE_MESSAGE(result.code == 0, result.err);
  return result;
}

bool holds_adapters(const Folder& folder, const std::string& file) {
  return std::ranges::count(keys_under(folder.path(file), "model"), "lora") == 1;
}

const std::string at_end = "/checkpoints/step-00000020.h5";

}  // namespace

TEST_CASE("lora: checkpoints hold adapters alone and the digest of what they are of") {
  const Based folder;
  const Result run = done(folder, lora("run"));
  CHECK_MESSAGE(contains(run.err, "adapters of rank 2 on 2 layers, 128 values, are trained, on "), run.err);
  CHECK_MESSAGE(!contains(run.err, "  new:"), run.err);
  const std::string file = folder.path("run" + at_end);
  const Arguments adapters{"blocks.0.attention.query.lora_A", "blocks.0.attention.query.lora_B",
                           "blocks.0.attention.value.lora_A", "blocks.0.attention.value.lora_B"};
  CHECK(keys_under(file, "model/weights") == adapters);
  CHECK(keys_under(file, "training/optimizer/m") == adapters);
  CHECK(keys_under(file, "model/lora") == Arguments{"alpha", "base"});
  CHECK(text_at(file, "model/lora/base").size() == 32);
  CHECK(text_at(file, "model/must_know") == "lora");
  CHECK(fs::file_size(file) < fs::file_size(folder.path("base" + at_end)) / 2);
  CHECK_FALSE(contains(folder.read("run" + at_end), folder.name()));
  // The base is as it was, and the adapters have learned.
  CHECK(contains(folder.read("run/config.toml"), "\ninit_from = \"../base/best.h5\"\n"));
  done(folder, lora("more", {"lora_layers=*", "lora_rank=8", "max_iters=300", "learning_rate=0.03"}));
  const std::vector<std::string> log = lines_of(folder.read("more/metrics.jsonl"));
  double first = 0, last = 0;
  for (const std::string& line : log)
    if (contains(line, "val_loss")) (first == 0 ? first : last) = number_in(line, "val_loss");
  CHECK(last < first - 0.1);
  const Result inspected = done(folder, {"inspect", "run"});
  CHECK_MESSAGE(contains(inspected.out, "adapters of 2 layers, of a model with the digest "), inspected.out);
  CHECK(number_in(done(folder, {"inspect", "run", "--json"}).out, "parameters") == 128);
}

TEST_CASE("lora: every command takes such a run, and what is merged is the same model") {
  const Based folder;
  done(folder, lora("run"));
  done(folder, {"merge", "run", "--out", "merged.h5"});
  CHECK(keys_under(folder.path("merged.h5"), "model/weights") ==
        keys_under(folder.path("base/best.h5"), "model/weights"));
  CHECK_FALSE(holds_adapters(folder, "merged.h5"));
  const auto written = [&](const std::string& model) {
    return done(folder, {"generate", model, "--prompt", "the ", "--tokens", "30"}).out;
  };
  CHECK(written("run") == written("merged.h5"));
  CHECK(written("run") != written("base"));
  const auto logits = [&](const std::string& model) {
    done(folder, {"logits", model, "--ids", "1,2,3", "--out", "logits.npy"});
    return folder.read("logits.npy");
  };
  CHECK(logits("run") == logits("merged.h5"));
  CHECK(logits("run") != logits("base"));
  const auto loss = [&](const std::string& model) {
    return number_in(done(folder, {"eval", model, "--json", "--data", "other.txt"}).out, "loss");
  };
  CHECK(loss("run") == loss("merged.h5"));
  CHECK(loss("run") < loss("base"));
  CHECK(number_in(done(folder, {"eval", "run", "--json"}).out, "loss") > 0);
  done(folder, {"attention", "run", "--text", "the cat", "--out", "page.html"});
  done(folder, {"export", "run", "--format", "weft", "--out", "alone.h5"});
  CHECK(folder.read("alone.h5") == folder.read("merged.h5"));
  done(folder, {"export", "run", "--format", "hf", "--out", "hf"});
  done(folder, {"import", "hf", "--out", "back.h5", "--no-tokenizer"});
  CHECK(logits("back.h5") == logits("run"));
  done(folder, {"average", "run", "--newest", "2", "--out", "mean.h5"});
  CHECK_FALSE(holds_adapters(folder, "mean.h5"));
  CHECK(done(folder, {"tokenizer", "inspect", "run"}).code == 0);
  done(folder, {"data", "where", "run", "--step", "3"});
  // What was merged, and the run itself, are what others are trained on.
  done(folder,
       {"train", "--data", "text.txt", "--init-from", "run", "--out", "full", "--set", "max_iters=2"});
  CHECK_FALSE(holds_adapters(folder, "full/best.h5"));
  Arguments more = lora("more", {"max_iters=2"});
  more[2] = "run";
  done(folder, more);
  done(folder, {"generate", "more", "--tokens", "3"});
}

TEST_CASE("lora: every k: k updates, then the rest, equal all at once; and so does a run that was killed") {
  const Based folder;
  const Arguments settings{"max_iters=8",   "lr_decay_iters=8",      "eval_interval=1",
                           "ema_decay=0.5", "checkpoint_interval=3", "lora_full=*.norm1.*"};
  done(folder, lora("whole", settings));
  const std::string whole = last_saved(folder, "whole");
  for (int k = 0; k <= 8; ++k) {
    CAPTURE(k);
    const std::string run = "k" + std::to_string(k);
    Arguments first = settings;
    first[0] = "max_iters=" + std::to_string(k);
    done(folder, lora(run, first));
    done(folder, resume(run, {"max_iters=8"}));
    CHECK(last_saved(folder, run) == whole);
  }
  const Arguments longer{"max_iters=300", "checkpoint_interval=20", "eval_interval=30"};
  done(folder, lora("long", longer));
  Program killed(folder, lora("killed", longer));
  REQUIRE(wait_until([&] { return exists(folder, "killed/checkpoints/step-00000040.h5"); }));
  killed.send(SIGKILL);
  killed.wait();
  done(folder, resume("killed"));
  CHECK(last_saved(folder, "killed") == last_saved(folder, "long"));
  // Killed before anything was saved, it begins again with the same.
  done(folder, lora("early", {"max_iters=0"}));
  fs::remove_all(folder.path("early/checkpoints"));
  fs::remove(folder.path("early/best.h5"));
  folder.write("early/metrics.jsonl", "");
  done(folder, resume("early", {"max_iters=8"}));
}

TEST_CASE("lora: threads, parts of a batch, recomputation and shards decide no bit") {
  const Based folder;
  const std::string last = "/checkpoints/step-00000004.h5";
  const auto run = [&](const std::string& out, const Arguments& more, const char* threads = "1") {
    Arguments all = lora(out, with({"lora_layers=*", "max_iters=4", "checkpoint_interval=4", "batch_size=8",
                                    "lr_decay_iters=4", "eval_iters=1"},
                                   more));
    *(std::find(all.begin(), all.end(), "--threads") + 1) = threads;
    done(folder, all);
  };
  run("whole", {});
  CHECK(keys_under(folder.path("whole" + last), "model/weights").size() == 12);
  run("threads", {}, "3");
  run("recomputed", {"recompute=true"}, "2");
  for (const char* same : {"threads", "recomputed"})
    CHECK_MESSAGE(folder.read(same + last) == folder.read("whole" + last), same);
  run("parts", {"batch_size=2", "gradient_accumulation_steps=4", "eval_iters=4"});
  run("row", {"batch_size=1", "gradient_accumulation_steps=8", "recompute=true", "eval_iters=8"});
  for (const char* cut : {"parts", "row"})
    for (const char* part : {"model", "training/optimizer", "training/history"})
      CHECK_MESSAGE(same_part(part, folder.path(cut + last), folder.path("whole" + last)), cut, " ", part);
  run("shards", {"reduction_shards=4"});
  run("shards of parts",
      {"reduction_shards=4", "batch_size=2", "gradient_accumulation_steps=4", "eval_iters=4"});
  CHECK(same_part("model", folder.path("shards" + last), folder.path("shards of parts" + last)));
}

TEST_CASE("lora: what the task has new is trained and saved in full; the rest stays") {
  const Based folder;
  std::string table;
  for (int i = 0; i < 40; ++i)
    table += (i % 2 ? "cat\tthe cat ran " : "dog\tzebras & dogs ran ") + std::to_string(i) + "\n";
  folder.write("table.tsv", table);
  const Result run =
      done(folder, {"train", "--data", "table.tsv", "--task", "classify", "--init-from", "base", "--out",
                    "told", "--set", "format=tsv", "label=1", "text=2", "tokenizer=bpe", "vocab_size=270",
                    "lora_rank=2", "max_iters=3", "batch_size=4", "sample_tokens=0"});
  CHECK_MESSAGE(contains(run.err, "in full, "), run.err);
  const std::string best = folder.path("told/best.h5");
  const Arguments weights = keys_under(best, "model/weights");
  const auto saved = [&](const char* name) { return std::ranges::count(weights, name) == 1; };
  CHECK(saved("classifier.weight"));
  CHECK(saved("token_embedding.weight"));
  CHECK(saved("blocks.0.attention.query.lora_A"));
  CHECK_FALSE(saved("blocks.0.attention.query.weight"));
  CHECK_FALSE(saved("norm.weight"));
  CHECK(number_in(done(folder, {"eval", "told", "--json"}).out, "accuracy") >= 0);
  CHECK(done(folder, {"classify", "told", "the cat ran"}).out.size() > 3);
  done(folder, resume("told", {"max_iters=5"}));
  done(folder, {"export", "told", "--format", "peft", "--out", "peft"});
  CHECK(contains(folder.read("peft/adapter_config.json"), "\"score\""));

  // A shorter context is a part of the base's table: kept, and not trained.
  done(folder, lora("short", {"block_size=4", "max_iters=3", "checkpoint_interval=3"}));
  const std::string file = folder.path("short/checkpoints/step-00000003.h5");
  CHECK(std::ranges::count(keys_under(file, "model/weights"), "position_embedding.weight") == 1);
  CHECK(std::ranges::count(keys_under(file, "training/optimizer/m"), "position_embedding.weight") == 0);
  done(folder, {"generate", "short", "--tokens", "3"});
  done(folder, resume("short", {"max_iters=4"}));
  // peft needs not to know of it.
  done(folder, {"export", "short", "--format", "peft", "--out", "short-peft"});
  CHECK(contains(folder.read("short-peft/adapter_config.json"), "\"modules_to_save\": null"));
}

TEST_CASE("lora: a run goes on as a new one, from the same base") {
  const Based folder;
  done(folder, lora("run", {"ema_decay=0.5"}));
  const Result next = done(folder, {"train", "--continue", "run", "--out", "next", "--set", "max_iters=5"});
  CHECK_MESSAGE(contains(next.err, "the state of 4 of 4 parameters goes on"), next.err);
  const std::string digest = text_at(folder.path("run/best.h5"), "model/lora/base");
  CHECK(text_at(folder.path("next/best.h5"), "model/lora/base") == digest);
  CHECK(contains(folder.read("next/config.toml"), "\nlora_base = \"../base/best.h5\"\n"));
  // Its first checkpoint is what the other ended with.
  CHECK(
      same_part("model/lora", folder.path("next/checkpoints/step-00000005.h5"), folder.path("run" + at_end)));
  fs::remove_all(folder.path("run"));
  done(folder, {"generate", "next", "--tokens", "3"});
  done(folder, resume("next", {"max_iters=7"}));
  done(folder, {"train", "--config", "next/config.toml", "--init-from", "base", "--out", "again", "--set",
                "max_iters=1"});

  refused_with(folder, {"train", "--continue", "next", "--out", "x", "--set", "lora_rank=3"},
               {"lora_rank is 3", "of rank 2", "--init-from"});
  refused_with(folder, {"train", "--continue", "next", "--out", "x", "--set", "lora_rank=0"},
               {"trains adapters alone", "--init-from"});
  refused_with(folder, {"train", "--continue", "base", "--out", "x", "--set", "lora_rank=2"},
               {"has no adapters", "--init-from"});
  CHECK_FALSE(exists(folder, "x"));
}

TEST_CASE("lora: a base that moved is named, another one is refused") {
  const Based folder;
  done(folder, lora("run", {"max_iters=10"}));
  fs::create_directories(folder.path("away"));
  fs::copy(folder.path("base"), folder.path("away/base"), fs::copy_options::recursive);
  // Moved with its run, as a project is.
  fs::copy(folder.path("run"), folder.path("away/run"), fs::copy_options::recursive);
  fs::rename(folder.path("base"), folder.path("moved"));
  done(folder, {"generate", "away/run", "--tokens", "3"});
  const std::string gone = folder.path("base/best.h5");
  refused_with(folder, {"generate", "run"},
               {"run/best.h5: ", "not where it was", gone, "--base FILE", "merge run/best.h5"});
  refused_with(folder, resume("run", {"max_iters=12"}), {"not where it was", gone, "--base FILE"});
  CHECK(done(folder, {"inspect", "run"}).code == 0);
  const std::string text = done(folder, {"generate", "run", "--base", "moved", "--tokens", "9"}).out;
  CHECK(text == done(folder, {"generate", "away/run", "--tokens", "9"}).out);
  done(folder, {"merge", "run", "--base", "moved/best.h5", "--out", "merged.h5"});
  refused_with(folder, {"train", "--data", "text.txt", "--init-from", "run", "--out", "x"},
               {"not where it was"});
  done(folder, {"train", "--resume", "run", "--base", "moved", "--set", "max_iters=12"});
  CHECK(contains(folder.read("run/config.toml"), "\nlora_base = \"../moved/best.h5\"\n"));
  done(folder, {"generate", "run", "--tokens", "3"});

  const std::string digest = text_at(folder.path("run/best.h5"), "model/lora/base");
  refused_with(folder, {"generate", "run", "--base", "merged.h5"},
               {"of a model with the digest", digest, "merged.h5 has "});
  refused_with(folder, {"train", "--resume", "run", "--base", "merged.h5", "--set", "max_iters=14"},
               {digest});
  // One that was trained on.
  done(folder, resume("moved", {"max_iters=40", "eval_interval=1"}));
  refused_with(folder, {"generate", "run"}, {digest, "trained on since"});

  // Outside of their run nothing says where it is.
  fs::copy(folder.path("away/run/best.h5"), folder.path("adapters.h5"));
  refused_with(folder, {"generate", "adapters.h5"}, {"adapters.h5: holds adapters alone", "--base FILE"});
  CHECK(done(folder, {"generate", "adapters.h5", "--base", "away/base", "--tokens", "9"}).out == text);
  refused_with(folder, {"generate", "moved", "--base", "away/base"}, {"--base", "whole model"});
  refused_with(folder, {"merge", "away/base", "--out", "x.h5"},
               {"holds no adapters", "export --format weft"});
  refused_with(folder, {"merge", "away/run", "--out", "merged.h5"},
               {"merged.h5: is a checkpoint, which is not written over"});
  refused_with(folder, {"train", "--resume", "away/base", "--base", "merged.h5"}, {"--base", "has no base"});
  refused_with(folder, {"train", "--data", "text.txt", "--base", "merged.h5"}, {"--base", "--init-from"});
  folder.write("away/run/config.toml", [&] {
    std::string toml = folder.read("away/run/config.toml");
    const std::string base = "../base/best.h5";
    return toml.replace(toml.find(base), base.size(), "best.h5");
  }());
  refused_with(folder, {"generate", "away/run"}, {"without an end"});
}

TEST_CASE("lora: settings that cannot be are refused before anything is written") {
  const Based folder;
  const auto refused = [&](const Arguments& more, const std::vector<std::string>& parts) {
    refused_with(folder, lora("x", more), parts);
    CHECK_FALSE(exists(folder, "x"));
  };
  refused_with(folder, train("x", {"lora_rank=2"}), {"lora_rank = 2", "--init-from RUN|FILE.h5"});
  refused({"lora_rank=17"}, {"lora_rank = 17", "'blocks.0.attention.query' (16, 16)", "16 at most"});
  refused({"lora_layers=*.q_proj"}, {"lora_layers", "no layer is of the pattern '*.q_proj'",
                                     "blocks.0.attention.query", "blocks.0.feed_forward.down"});
  refused({"lora_layers="}, {"lora_layers", "names no layer", "blocks.0.attention.key"});
  refused({"lora_full=colour"}, {"lora_full", "'colour'", "norm.weight"});
  refused({"lora_rank=-1"}, {"lora_rank", "-1"});
  refused({"lora_dropout=1"}, {"lora_dropout", "1"});
  refused({"lora_alpha=nan"}, {"lora_alpha"});
  Arguments carried = lora("x");
  carried.insert(carried.begin() + 1, "--with-optimizer");
  refused_with(folder, carried, {"--with-optimizer", "adapters"});
  CHECK_FALSE(exists(folder, "x"));
  const Result unused = done(folder, train("plain", {"max_iters=1", "lora_alpha=3"}));
  CHECK_MESSAGE(contains(unused.err, "warning: lora_rank is 0"), unused.err);
  refused_with(folder, resume("plain", {"lora_rank=2"}), {"lora_rank is fixed"});
}

TEST_CASE("lora: files of adapters with wrong contents are refused by name") {
  const Based folder;
  done(folder, lora("run"));
  const std::string best = folder.path("run/best.h5"), layer = "blocks.0.attention.query";
  const std::vector<std::vector<Edit>> wrong = {
      {{"model/lora", "x"}},
      {{"model/lora/base", int64_t{1}}},
      {{"model/lora/base"}},
      {{"model/lora/alpha", "x"}},
      {{"model/lora/alpha/" + layer, "x"}},
      {{"model/lora/alpha/blocks.0.attention", 1.0}},
      {{"model/weights/" + layer + ".lora_A"}},
      {{"model/weights/" + layer + ".lora_B", 1.0}},
      {{"model/lora/alpha/" + layer}},
      {{"model/lora"}},
      {{"model/must_know", "lora,newthing"}, {"model/newthing", "x"}}};
  for (const std::vector<Edit>& edits : wrong) {
    CAPTURE(edits[0].place);
    edit_checkpoint(best, folder.path("wrong.h5"), edits);
    for (const Arguments& command :
         {Arguments{"generate", "wrong.h5", "--base", "base", "--prompt", "the"},
          Arguments{"merge", "wrong.h5", "--base", "base", "--out", "merged.h5"}}) {
      const Result result = run_weft(folder, command);
      CHECK_MESSAGE(result.code == 2, result.err);
      CHECK_MESSAGE(contains(result.err, "wrong.h5"), result.err);
      CHECK_FALSE(exists(folder, "merged.h5"));
    }
  }
  spoil_checkpoint(best, folder.path("wrong.h5"), "model/weights/" + layer + ".lora_A", INFINITY);
  refused_with(folder, {"generate", "wrong.h5", "--base", "base"},
               {"wrong.h5", layer + ".lora_A", "not finite"});
  // Edited by another program, and sealed again.
  overwrite_value(best, "model/weights/" + layer + ".lora_A", 0.5F);
  CHECK(run_weft(folder, {"generate", "run"}).code == 2);
  done(folder, {"seal", "run/best.h5"});
  done(folder, {"generate", "run", "--tokens", "3"});
}

TEST_CASE("lora: adapters go to peft and come back") {
  const Based folder;
  done(folder, lora("run"));
  done(folder, {"export", "run", "--format", "peft", "--out", "peft"});
  CHECK(listed(folder, "peft") == Arguments{"adapter_config.json", "adapter_model.safetensors"});
  CHECK(contains(folder.read("peft/adapter_config.json"), "\"lora_dropout\": 0.1"));
  CHECK(run_weft(folder, {"export", "run", "--format", "peft", "--out", "peft"}).code == 2);  // it is there
  done(folder, {"import", "peft", "--base", "base", "--out", "adapted"});
  CHECK(listed(folder, "adapted") == Arguments{"base.toml", "model.h5"});
  const auto logits = [&](const Arguments& model) {
    done(folder, with(with({"logits"}, model), {"--ids", "1,2,3", "--out", "logits.npy"}));
    return folder.read("logits.npy");
  };
  const std::string same = logits({"run"});
  CHECK(logits({"adapted"}) == same);
  CHECK(same_part("model/weights", folder.path("adapted/model.h5"), folder.path("run/best.h5")));
  done(folder, {"import", "peft", "--base", "base", "--out", "one.h5"});
  CHECK(logits({"one.h5", "--base", "base"}) == same);
  done(folder, {"merge", "adapted", "--out", "whole.h5"});
  CHECK(logits({"whole.h5"}) == same);

  refused_with(folder, {"import", "peft", "--out", "x.h5"}, {"peft: holds adapters", "--base RUN|FILE.h5"});
  refused_with(folder, {"export", "base", "--format", "peft", "--out", "x"},
               {"holds no adapters", "--format hf"});
  done(folder, {"export", "base", "--format", "hf", "--out", "hf"});
  refused_with(folder, {"import", "hf", "--base", "base", "--out", "x.h5"},
               {"--base", "adapter_config.json"});
  REQUIRE(run_weft(folder, train("wide", {"n_embd=24", "max_iters=1"})).code == 0);
  refused_with(folder, {"import", "peft", "--base", "wide", "--out", "x.h5"},
               {"peft: does not fit wide/best.h5"});
}
