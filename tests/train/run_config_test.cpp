#include <doctest/doctest.h>
#include <weft/layers/models/gpt.h>
#include <weft/layers/models/registry.h>
#include <weft/train/run_config.h>

#include <string>
#include <vector>

#include "checks.h"
#include "folder.h"

namespace weft::test {
namespace {

RunConfig of(const std::vector<std::string>& typed) {
  std::vector<Assignment> all;
  for (const std::string& one : typed) all.push_back(setting_typed(one));
  return make_config(all);
}
const Say silent = [](std::string_view) {};

}  // namespace

TEST_CASE("run config: the parts that are named bring their settings, with their defaults") {
  const RunConfig plain = of({});
  CHECK(plain.parts.integer("n_layer") == 4);
  CHECK(plain.parts.boolean("bias") == false);
  CHECK(plain.parts.number("beta2") == 0.99);
  CHECK(plain.lr_decay_iters == 2000);
  CHECK_FALSE(plain.parts.contains("n_kv_head"));
  const RunConfig llama = of({"model=llama", "optimizer=sgd", "n_kv_head=2", "max_iters=50"});
  CHECK(llama.parts.integer("n_kv_head") == 2);
  CHECK(llama.parts.boolean("tie_embeddings"));
  CHECK(llama.parts.contains("momentum"));
  CHECK_FALSE(llama.parts.contains("beta1"));
  CHECK(llama.lr_decay_iters == 50);
  CHECK(of({"model=transformer", "task=copy"}).parts.text("norm") == "pre");
}

TEST_CASE("run config: what does not fit is refused, with who has it or what is near") {
  refuses<ValueError>([] { of({"n_kv_head=2"}); }, {"n_kv_head = 2: gpt2 has no such key; llama, best have"});
  refuses<ValueError>([] { of({"beta1=0.8", "optimizer=sgd"}); }, {"sgd has no such key", "adamw"});
  refuses<ValueError>([] { of({"mask_share=0.3"}); }, {"text has no such key", "masked"});
  refuses<ValueError>([] { of({"n_layr=2"}); }, {"no key 'n_layr'", "'n_layer'"});
  refuses<ValueError>([] { of({"n_layer=two"}); },
                      {"n_layer must be a whole number between 1 and 1024, not 'two'"});
  refuses<ValueError>([] { of({"model=gtp2"}); }, {"model must be", "gpt2"});
  refuses<ValueError>([] { of({"n_head=3"}); }, {"n_embd = 128", "n_head = 3"});
  refuses<ValueError>([] { of({"model=bert"}); }, {"task = text", "bert does not learn", "gpt2"});
  CHECK_NOTHROW(of({"n_kv_head=0"}));  // the value that it has anyway
}

TEST_CASE("run config: what a task on files proposes for one tokenizer is nothing to another") {
  const auto on_files = [](const std::string& tokenizer) {
    return make_config({setting_typed("task=classify"), setting_typed("tokenizer=" + tokenizer)}, silent,
                       true);
  };
  CHECK(on_files("bpe").parts.integer("vocab_size") == 0);
  CHECK_FALSE(on_files("char").parts.contains("vocab_size"));
  CHECK(on_files("unigram").parts.integer("vocab_size") >= 260);
  refuses<ValueError>([] { of({"tokenizer=unigram", "vocab_size=0"}); }, {"vocab_size must be", "not '0'"});
  refuses<ValueError>([] { of({"vocab_size=much"}); }, {"vocab_size must be", "not 'much'"});
}

TEST_CASE("run config: a complete file of before names keys of all parts, and starts a run") {
  const Folder folder;
  folder.write(
      "old.toml",
      "data = [\"a.txt\"]\nmodel = \"gpt2\"\nn_layer = 2\nn_kv_head = 0\nnorm = \"pre\"\npatch_size = 4\n"
      "window = 0\noptimizer = \"sgd\"\nbeta1 = 0.8\nmin_length = 0\nmask_share = 0.15\n");
  const ConfigFile file = read_config(folder.path("old.toml"));
  const RunConfig config = make_config(file.assignments);
  CHECK(config.parts.integer("n_layer") == 2);
  CHECK(file.data == std::vector<std::string>{"a.txt"});
  folder.write("wrong.toml", "model = \"gpt2\"\nn_kv_head = 2\n");
  refuses<ValueError>([&] { make_config(read_config(folder.path("wrong.toml")).assignments); },
                      {"wrong.toml:2: n_kv_head = 2", "llama"});
}

TEST_CASE("run config: config.toml gives the same configuration again") {
  const Folder folder;
  const RunConfig odd = of({"model=vit", "task=which", "patch_size=8", "drop_path=0.25", "optimizer=muon",
                            "ns_steps=3", "schedule=linear", "freeze=head.*", "seed=5"});
  folder.write("config.toml", to_toml(odd));
  const RunConfig again = make_config(read_config(folder.path("config.toml")).assignments);
  CHECK(identical(fixed_state(again), fixed_state(odd)));
  CHECK(again.parts == odd.parts);
  CHECK(first_difference(again, odd) == "");
}

TEST_CASE("run config: on files the defaults are those of the task, where the chosen parts have such") {
  const auto on_files = [](const std::vector<std::string>& typed, bool files = true) {
    std::vector<Assignment> all;
    for (const std::string& one : typed) all.push_back(setting_typed(one));
    return make_config(all, silent, files);
  };
  const RunConfig plain = on_files({"task=classify"});
  CHECK(plain.model == "bert");
  CHECK(plain.tokenizer == "bpe");
  CHECK(plain.batch_size == 32);
  CHECK(plain.parts.integer("vocab_size") == 0);
  CHECK(plain.parts.number("dropout") == 0.1);
  // Always of a task that makes no samples of its own; of others with files alone.
  CHECK(on_files({"task=classify"}, false).model == "bert");
  CHECK(on_files({"task=masked", "model=bert"}).tokenizer == "bpe");
  CHECK(on_files({"task=masked", "model=bert"}, false).tokenizer == "char");
  CHECK(on_files({"task=text"}).model == "gpt2");
  // What is typed wins, and a part that lacks a key, or takes no such value, has its own.
  CHECK(on_files({"task=classify", "batch_size=3"}).batch_size == 3);
  CHECK_FALSE(on_files({"task=classify", "tokenizer=char"}).parts.contains("vocab_size"));
  CHECK(on_files({"task=classify", "tokenizer=unigram"}).parts.integer("vocab_size") > 0);
  CHECK(on_files({"task=pairs", "model=t5", "label_smoothing=0"}).label_smoothing == 0);
  // The keys that a run keeps give it again.
  const RunConfig again = make_config(assignments_of(plain));
  CHECK(again.parts == plain.parts);
  CHECK(first_difference(again, plain) == "");
}

TEST_CASE("run config: the files that validate are told as the others are") {
  const Folder folder;
  RunConfig config = of({"max_iters=5"});
  config.data = {folder.path("p/a.en") + "," + folder.path("p/a.fr")};
  config.val_data = {folder.path("p/v.en") + "," + folder.path("p/v.fr")};
  folder.with("p/run/config.toml", to_toml(config, folder.path("p/run")))
      .with("p/a.en", "")
      .with("p/a.fr", "");
  CHECK(folder.read("p/run/config.toml").find("val_data = [\"../v.en,../v.fr\"]") != std::string::npos);
  const ConfigFile file = read_config(folder.path("p/run/config.toml"));
  CHECK(file.paths_from_here);
  CHECK(file.data == config.data);
  CHECK(file.val_data == config.val_data);
  folder.write("bad.toml", "val_data = \"a.txt\"\n");
  refuses<ValueError>([&] { read_config(folder.path("bad.toml")); }, {"bad.toml:1: val_data must be a list"});
  refuses<ValueError>([] { setting_typed("val_data=a"); }, {"--val-data"});
}

TEST_CASE(
    "run config: out of a checkpoint, what it lacks is as it was, and what is newer is told or refused") {
  const RunConfig made = of({"model=llama", "n_kv_head=2", "dropout=0.1"});
  StateDict state = fixed_state(made);
  CHECK(config_from_state(state, silent).parts == made.parts);
  StateDict old;  // without keys that came later
  for (const auto& [name, value] : state.entries())
    if (name != "rope_base" && name != "tie_embeddings" && name != "ema_decay" && name != "must_know")
      std::visit(
          [&](const auto& v) {
            if constexpr (!std::is_same_v<std::decay_t<decltype(v)>, std::shared_ptr<StateDict>>)
              old.set(name, v);
          },
          value);
  const RunConfig read = config_from_state(old, silent);
  CHECK(read.parts == made.parts);
  CHECK(read.ema_decay == 0);
  state.set("flavour", "red");
  std::string said;
  config_from_state(state, [&](std::string_view line) { said += line; });
  CHECK(said.find("'flavour'") != std::string::npos);
  state.set("must_know", state.text("must_know") + ",flavour");
  refuses<StateError>([&] { config_from_state(state, silent); }, {"'flavour'"});
  state = fixed_state(made);
  state.set("n_layer", "four");
  refuses<StateError>([&] { config_from_state(state, silent); }, {"'n_layer' must be a whole number"});
}

TEST_CASE("run config: only keys that steer may change of a run that is there") {
  const RunConfig made = of({});
  CHECK(steered(made, {"max_iters=4000"}).max_iters == 4000);
  CHECK(steered(made, {"max_iters=4000"}).lr_decay_iters == 2000);
  refuses<ValueError>([&] { steered(made, {"learning_rate=0.1"}); },
                      {"learning_rate is fixed", "--continue"});
  refuses<ValueError>([&] { steered(made, {"n_layer=2"}); }, {"n_layer is fixed"});
  CHECK(first_difference(of({"dropout=0.5"}), made) == "dropout is 0.5, but the run was made with 0.0");
}

}  // namespace weft::test
