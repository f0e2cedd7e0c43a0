#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <limits>

#include "checkpoints.h"
#include "program.h"

namespace {

struct Refusal {
  Arguments arguments;
  std::string text;  ///< what standard error must hold
};

/// Every case is refused with 2, says why in one line that begins with "weft: ", and leaves nothing.
void refuse(const Folder& folder, const std::vector<Refusal>& cases) {
  const auto before = listed(folder, ".");
  for (const Refusal& c : cases) {
    const Result result = run_weft(folder, c.arguments);
    std::string command = "weft";
    for (const std::string& word : c.arguments) command += " " + word;
    INFO(command, "\n", result.err);
    CHECK(result.code == 2);
    CHECK(result.out.empty());
    CHECK(result.err.starts_with("weft: "));
    CHECK(contains(result.err, c.text));
    CHECK(listed(folder, ".") == before);
  }
}

Arguments with_setting(const std::string& setting) {
  return {"train", "--data", "text.txt", "--set", setting};
}

}  // namespace

TEST_CASE("commands and options") {
  const Folder folder;
  write_text(folder);
  refuse(
      folder,
      {{{}, "a command is needed"},
       {{"trian"}, "there is no command 'trian'; did you mean 'train'?"},
       {{""}, "there is no command ''"},
       {{"train"}, "--data"},
       {{"train", "--data"}, "--data"},
       {{"train", "--data", "text.txt", "--nonsense"}, "--nonsense"},
       {{"train", "--data", "text.txt", "--threads", "0"}, "--threads: '0'"},
       {{"train", "--data", "text.txt", "--threads", "-1"}, "--threads: '-1'"},
       {{"train", "--data", "text.txt", "--threads", "99999999999"}, "--threads"},
       {{"train", "--data", "text.txt", "--threads", "two"}, "--threads: 'two'"},
       {{"train", "--data", "text.txt", "--overwrite"}, "--overwrite"},
       {{"train", "--data", ""}, "--data: is empty"},
       {{"train", "--data", "text.txt", "--threads", ""}, "--threads: is empty"},
       {{"eval", ""}, "model: is empty"},
       {{"train", "--resume", "nowhere"}, "nowhere: there is no such run"},
       {{"train", "--resume", "text.txt"}, "text.txt: is not a folder"},
       {{"train", "--resume", "."}, "holds no run"},
       {{"eval"}, "model"},
       {{"generate"}, "model"},
       {{"inspect"}, "model"},
       {{"stories", "--bytes", "9"}, "--"},
       {{"stories", "--bytes", "0", "--seed", "1", "--out", "x"}, "--bytes: '0'"},
       {{"stories", "--bytes", "-4", "--seed", "1", "--out", "x"}, "--bytes: '-4'"},
       {{"stories", "--bytes", "9", "--seed", "x", "--out", "x"}, "--seed: 'x'"},
       {{"stories", "--bytes", "9", "--seed", "1", "--out", "no/x"}, "no/x: "},
       {{"stories", "--bytes", "9", "--seed", "1", "--out", "."}, ".: "},
       {{"stories", "--seed", "1", "--out", "x"}, "--bytes is required"},
       {{"stories", "--count", "9", "--seed", "1", "--out", "x"}, "--count: goes with"},
       {{"stories", "--split", "train", "--bytes", "9", "--seed", "1", "--out", "x"}, "--split: goes with"},
       {{"stories", "--kind", "poems", "--bytes", "9", "--seed", "1", "--out", "x"}, "'poems'"},
       {{"stories", "--kind", "dialogues", "--seed", "1", "--out", "x"}, "--bytes or --count"},
       {{"stories", "--kind", "dialogues", "--bytes", "9", "--count", "1", "--seed", "1", "--out", "x"},
        "--bytes, --count"},
       {{"stories", "--kind", "dialogues", "--count", "0", "--seed", "1", "--out", "x"}, "--count: '0'"},
       {{"stories", "--kind", "dialogues", "--count", "1", "--split", "test", "--seed", "1", "--out", "x"},
        "'test'"}});
}

TEST_CASE("settings") {
  const Folder folder;
  write_text(folder);
  refuse(folder, {{with_setting("n_layr=3"), "there is no key 'n_layr'; did you mean 'n_layer'?"},
                  {with_setting("zzzzzzzzzzzzz=3"), "there is no key 'zzzzzzzzzzzzz'"},
                  {with_setting("n_layer"), "needs the form key=value"},
                  {with_setting("=3"), "needs the form key=value"},
                  {with_setting("n_layer="), "n_layer must be a whole number between 1 and 1024, not ''"},
                  {with_setting("n_layer=0"), "n_layer must be"},
                  {with_setting("n_layer=2.0"), "n_layer must be"},
                  {with_setting("n_layer=1e1"), "n_layer must be"},
                  {with_setting("n_layer= 1"), "n_layer must be"},
                  {with_setting("n_layer=99999999999999999999999"), "n_layer must be"},
                  {with_setting("n_embd=130"), "n_embd = 130 is not divided by n_head = 4"},
                  {with_setting("block_size=0"), "block_size must be"},
                  {with_setting("block_size=100000"), "text.txt"},
                  {with_setting("batch_size=-1"), "batch_size must be"},
                  {with_setting("max_iters=-1"), "max_iters must be"},
                  {with_setting("dropout=1"), "dropout must be a number from 0 to below 1"},
                  {with_setting("dropout=nan"), "dropout must be"},
                  {with_setting("dropout=1e999"), "dropout must be"},
                  {with_setting("learning_rate=inf"), "learning_rate must be"},
                  {with_setting("learning_rate=-1"), "learning_rate must be"},
                  {with_setting("learning_rate=fast"), "learning_rate must be"},
                  {with_setting("beta2=1"), "beta2 must be"},
                  {with_setting("bias=maybe"), "bias must be true or false"},
                  {with_setting("tokenizer=bpq"),
                   "tokenizer must be char or byte or bpe or unigram or sentencepiece-bpe, not 'bpq'"},
                  {with_setting("newlines=crlf"), "newlines must be keep or lf"},
                  {with_setting("lr_decay_iters=-1"), "lr_decay_iters must be"},
                  {with_setting("eval_interval=0"), "eval_interval must be"},
                  {with_setting("seed=-1"), "seed must be"},
                  {with_setting("data=other.txt"), "--data"}});
}

TEST_CASE("configuration files") {
  const Folder folder;
  write_text(folder);
  const auto file = [&](const char* name, const char* text) {
    folder.write(name, text);
    return Arguments{"train", "--data", "text.txt", "--config", name};
  };
  std::filesystem::create_directory(folder.path("folder"));
  const std::vector<Refusal> cases{
      {{"train", "--data", "text.txt", "--config", "missing.toml"}, "missing.toml: "},
      {{"train", "--data", "text.txt", "--config", "folder"}, "folder: "},
      {file("broken.toml", "n_layer = 2\nn_head = = 3\n"), "broken.toml:2: is not TOML"},
      {file("unknown.toml", "n_layer = 2\n\n# here\nn_heads = 3\n"),
       "unknown.toml:4: there is no key 'n_heads'; did"},
      {file("kind.toml", "n_layer = \"2\"\n"), "kind.toml:1: n_layer must be a whole number"},
      {file("range.toml", "n_head = 1\nn_layer = 0\n"), "range.toml:2: n_layer must be"},
      {file("half.toml", "n_layer = 1.5\n"), "half.toml:1: n_layer must be"},
      {file("large.toml", "n_layer = 99999999999999999999\n"), "large.toml:1: is not TOML"},
      {file("table.toml", "[model]\nn_layer = 2\n"), "table.toml:1: a table [model]"},
      {file("date.toml", "max_iters = 1979-05-27\n"), "date.toml:1: max_iters is a date"},
      {file("list.toml", "n_layer = [1]\n"), "list.toml:1: "},
      {file("twice.toml", "n_layer = 1\nn_layer = 2\n"), "twice.toml:2: is not TOML"},
      {file("nan.toml", "dropout = nan\n"), "nan.toml:1: dropout must be"},
      {file("binary.toml", "\x01\xff\xfe"), "binary.toml:1: is not TOML"},
      {file("data.toml", "data = \"text.txt\"\n"), "data.toml:1: data must be a list"},
      {file("numbers.toml", "data = [1]\n"), "numbers.toml:1: data must be a list"}};
  refuse(folder, cases);
}

TEST_CASE("texts") {
  const Folder folder;
  folder.write("empty.txt", "");
  folder.write("short.txt", "ab");
  folder.write("bad.txt", std::string(500, 'a') + "\xff\xfe" + std::string(500, 'b'));
  folder.write("returns.txt", std::string(500, '\r'));
  std::filesystem::create_directory(folder.path("folder"));
  refuse(folder, {{{"train", "--data", "nowhere.txt"}, "nowhere.txt: "},
                  {{"train", "--data", "empty.txt"}, "empty.txt: is empty"},
                  {{"train", "--data", "folder"}, "is a folder"},
                  {{"train", "--data", "/dev/null"}, "not a regular file"},
                  {{"train", "--data", "bad.txt"}, "not UTF-8 at byte 500; tokenizer=byte"},
                  {{"train", "--data", "bad.txt", "--out", "deep/er/run"}, "not UTF-8 at byte 500"},
                  {{"train", "--data", "short.txt"}, "short.txt: too short"},
                  {{"train", "--data", "short.txt", "nowhere.txt"}, "nowhere.txt: "},
                  {{"train", "--data", "returns.txt", "--set", "newlines=lf"}, "carriage returns"}});
}

TEST_CASE("folders") {
  const Folder folder;
  write_text(folder);
  std::filesystem::create_directory(folder.path("full"));
  folder.write("full/mine.txt", "keep this");
  const auto out = [](const char* name) { return Arguments{"train", "--data", "text.txt", "--out", name}; };
  refuse(folder, {{out("text.txt"), "text.txt: "},
                  {out("text.txt/run"), "text.txt/run: "},
                  {out("full"), "full: is not empty and holds no run"},
                  {{"train", "--data", "text.txt", "--out", "full", "--overwrite"}, "full: is not empty"},
                  {out(""), "--out: is empty"},
                  {{"train", "--data", "text.txt", "--init-from", "full"}, "full: holds no run"},
                  {{"train", "--data", "text.txt", "--init-from", "nowhere"}, "nowhere: "}});
  CHECK(folder.read("full/mine.txt") == "keep this");
}

TEST_CASE("models, prompts and sampling") {
  const Folder folder;
  write_text(folder);
  REQUIRE(run_weft(folder, train("run")).code == 0);
  const std::string good = folder.read("run/best.h5");
  folder.write("cut.h5", good.substr(0, good.size() / 2));
  std::string flipped = good;
  flipped[good.size() - 100] ^= 8;
  folder.write("flipped.h5", flipped);
  folder.write("alone.h5", good);
  std::filesystem::create_directory(folder.path("empty"));
  const auto gen = [](Arguments more) {
    more.insert(more.begin(), {"generate", "run"});
    return more;
  };
  refuse(folder, {{{"generate", "nowhere"}, "nowhere: "},
                  {{"generate", "empty"}, "empty: holds no run"},
                  {{"generate", "text.txt"}, "text.txt: is not a weft checkpoint"},
                  {{"generate", "cut.h5"}, "cut.h5: is truncated"},
                  {{"inspect", "flipped.h5"}, "flipped.h5: is damaged"},
                  {{"eval", "flipped.h5"}, "flipped.h5: is damaged"},
                  {{"train", "--data", "text.txt", "--init-from", "cut.h5"}, "cut.h5: is truncated"},
                  {{"eval", "alone.h5"}, "give --data"},
                  {{"eval", "run", "--data", "nowhere.txt"}, "nowhere.txt: "},
                  {{"eval", "run", "--stride", "0"}, "--stride: '0'"},
                  {{"eval", "run", "--stride", "9"}, "stride"},
                  {{"eval", "run/best.h5", "--last"}, "--last"},
                  {gen({"--prompt", "the Q"}), "'Q'"},
                  {gen({"--prompt", ""}), "--prompt: is empty"},
                  {gen({"--prompt", "\xff"}), "--prompt: "},
                  {gen({"--temperature", "-1"}), "--temperature: '-1'"},
                  {gen({"--temperature", "nan"}), "--temperature: 'nan'"},
                  {gen({"--top-p", "1.5"}), "--top-p: '1.5'"},
                  {gen({"--top-p", "0"}), "top_p"},
                  {gen({"--top-k", "-1"}), "--top-k: '-1'"},
                  {gen({"--min-p", "2"}), "--min-p: '2'"},
                  {gen({"--repetition-penalty", "0"}), "repetition_penalty"},
                  {gen({"--beams", "0"}), "--beams: '0'"},
                  {gen({"--length-penalty", "1"}), "--beams"},
                  {gen({"--beams", "2", "--top-k", "5"}), "draws nothing"},
                  {gen({"--beams", "2", "--seed", "5"}), "draws nothing"},
                  {{"eval", "run", "--length", "5"}, "--length: is of tasks"},
                  {gen({"--stop", ""}), "--stop: is empty"},
                  {gen({"--ids", "1,x"}), "--ids: 'x'"},
                  {gen({"--ids", "1", "--prompt", "a"}), "give one of them"},
                  {gen({"--prompts", "nowhere.txt"}), "nowhere.txt: "},
                  {gen({"--tokens", "-1"}), "--tokens: '-1'"},
                  {gen({"--tokens", "1e3"}), "--tokens: '1e3'"},
                  {gen({"--seed", "99999999999999999999"}), "--seed"}});

  folder.write("text.txt", folder.read("text.txt") + "more");
  CHECK(contains(run_weft(folder, {"eval", "run"}).err, "has changed since the run was made"));
}

TEST_CASE("models whose contents do not hold together") {
  const Folder folder;
  write_text(folder);
  REQUIRE(run_weft(folder, train("run")).code == 0);
  const std::string best = folder.path("run/best.h5"), settings = "model/settings/",
                    weight = "model/weights/blocks.0.attention.query.weight";
  const auto edited = [&](const char* name, const std::vector<Edit>& edits) {
    edit_checkpoint(best, folder.path(name), edits);
  };
  edited("huge.h5", {{settings + "n_layer", 1024}, {settings + "n_embd", 2048}});
  edited("endless.h5", {{settings + "n_layer", 1'000'000'000}});
  edited("text.h5", {{settings + "n_layer", "4"}});
  edited("half.h5", {{settings + "n_embd", 16.5}});
  edited("vocabulary.h5", {{settings + "vocab_size", 1 << 24}});
  edited("weight.h5", {{weight, "a text"}});
  edited("kind.h5", {{"model/kind", 7}});
  edited("lacks.h5", {{weight}});
  const float infinity = std::numeric_limits<float>::infinity();
  spoil_checkpoint(best, folder.path("nan.h5"), weight, std::nanf(""));
  spoil_checkpoint(best, folder.path("inf.h5"), weight, -infinity);
  const std::string unfit = "the weights do not fit the settings of the model",
                    in_weight = "'blocks.0.attention.query.weight' ";
  const auto start = std::chrono::steady_clock::now();
  refuse(folder,
         {{{"generate", "huge.h5"}, "huge.h5: " + unfit},
          {{"eval", "huge.h5", "--data", "text.txt"}, "huge.h5: " + unfit},
          {{"export", "huge.h5", "--format", "weft", "--out", "x.h5"}, "huge.h5: " + unfit},
          {{"generate", "endless.h5"}, "endless.h5: 'n_layer' must be a whole number between 1 and 1024"},
          {{"generate", "text.h5"}, "text.h5: 'n_layer' must be a whole number"},
          {{"generate", "half.h5"}, "half.h5: 'n_embd' must be a whole number"},
          {{"generate", "vocabulary.h5"}, "vocabulary.h5: "},
          {{"generate", "weight.h5"}, "wanted the array 'blocks.0.attention.query.weight', but it is a text"},
          {{"inspect", "kind.h5"}, "wanted the text 'kind', but it is the integer 7"},
          {{"generate", "lacks.h5"}, unfit + "\nmissing from the state:\n  blocks.0.attention.query.weight"},
          {{"generate", "nan.h5"}, "nan.h5: " + in_weight + "holds a value that is not finite"},
          {{"eval", "inf.h5", "--data", "text.txt"}, "inf.h5: " + in_weight},
          {{"logits", "inf.h5", "--ids", "1", "--out", "x.npy"}, "inf.h5: " + in_weight},
          {{"attention", "inf.h5", "--ids", "1", "--out", "x.html"}, "inf.h5: " + in_weight},
          {{"export", "inf.h5", "--format", "safetensors", "--out", "x"}, "inf.h5: " + in_weight},
          {{"train", "--data", "text.txt", "--init-from", "nan.h5", "--out", "x"}, "nan.h5: " + in_weight},
          {{"train", "--continue", "nan.h5", "--data", "text.txt", "--out", "x"}, "nan.h5: " + in_weight}});
  // Some twenty starts; the huge model alone took half of that each time.
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));
  const Result shown = run_weft(folder, {"inspect", "nan.h5"});
  CHECK(shown.code == 0);
  CHECK(contains(shown.out, "not finite: no other command takes this file"));
  CHECK(contains(run_weft(folder, {"inspect", "inf.h5", "--json"}).out, "\"finite\": false"));
  spoil_checkpoint(folder.path("run/checkpoints/step-00000020.h5"),
                   folder.path("run/checkpoints/step-00000020.h5"), weight, infinity);
  const Result resumed = run_weft(folder, resume("run", {"max_iters=30"}));
  CHECK(resumed.code == 2);
  CHECK(contains(resumed.err, "run: " + in_weight));
}

TEST_CASE("files that have become enormous") {
  const Folder folder;
  write_text(folder);
  REQUIRE(run_weft(folder, train("run")).code == 0);
  const auto grown = [&](const char* name, const std::string& text) {
    std::filesystem::resize_file(folder.write(name, text), uint64_t{1} << 43);
  };
  grown("zeros.h5", "");
  grown("long.h5", folder.read("run/best.h5"));
  grown("long.toml", "n_layer = 1\n");
  grown("prompts.txt", "the cat\n");
  std::filesystem::create_directories(folder.path("config"));
  std::filesystem::create_directories(folder.path("weights"));
  grown("config/config.json", "{}");
  folder.write("weights/config.json", "{\"model_type\": \"gpt2\"}");
  grown("weights/model.safetensors", std::string("\2\0\0\0\0\0\0\0{}", 10));
  refuse(folder,
         {{{"generate", "zeros.h5"}, "zeros.h5: is not a weft checkpoint"},
          {{"inspect", "long.h5"}, "long.h5: is damaged: it holds 8796093022208 bytes, more than its "},
          {{"train", "--data", "text.txt", "--config", "long.toml"},
           "long.toml: holds 8796093022208 bytes, more"},
          {{"generate", "run", "--prompts", "prompts.txt"}, "prompts.txt: holds 8796093022208 bytes, more"},
          {{"import", "config", "--out", "x.h5"}, "config/config.json: holds 8796093022208 bytes, more"},
          {{"import", "weights", "--out", "x.h5"}, "weights/model.safetensors: "}});
  // What the log lost is known to the checkpoints.
  grown("run/metrics.jsonl", folder.read("run/metrics.jsonl"));
  const Result on = run_weft(folder, resume("run", {"max_iters=30"}));
  CHECK_MESSAGE(on.code == 0, on.err);
  CHECK(contains(on.err, "metrics.jsonl: 1 unreadable lines removed"));
}

TEST_CASE("an instruction set that is not there") {
  const Folder folder;
  write_text(folder);
  const Result result = run_weft(folder, train("run"), {.environment = {"WEFT_ISA=sse9"}});
  CHECK(result.code == 2);
  CHECK(contains(result.err, "WEFT_ISA=sse9"));
  CHECK(!exists(folder, "run"));
}
