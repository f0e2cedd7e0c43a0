// Files of former formats, kept for ever: each opens, says and writes what it did, and its run ends where it ended.
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "checkpoints.h"
#include "program.h"

namespace {

namespace fs = std::filesystem;

const std::string fixtures = WEFT_SOURCE_DIR "/tests/fixtures";

/// One kind of run: what it was asked when the fixture was made.
struct Kind {
  const char* name;
  Arguments looks;     ///< of weft logits
  const char* prompt;  ///< empty: it does not write
  bool text = false;   ///< whether it reads text.txt
  bool pairs = false;
  bool later = false;           ///< not of format 1
  const char* table = nullptr;  ///< the file of records that it reads, if it reads one
};

const std::vector<Kind> kinds = {
    {"gpt2", {"--ids", "5,9,2,1"}, "In", true},
    {"llama", {"--ids", "5,9,2,1"}, "In", true},
    {"lstm", {"--ids", "5,9,2,1"}, "In", true},
    {"gpt2-bpe", {"--ids", "5,9,2,1"}, "In", true, false, true},
    {"gpt2-lora", {"--ids", "5,9,2,1"}, "In", true, false, true},
    {"gru", {"--ids", "41,40,42"}, ""},
    {"bert-masked", {"--ids", "41,40,42"}, ""},
    {"bert-classes", {"--ids", "41,40,42"}, ""},
    {"transformer", {"--ids", "41,40,42", "--target-ids", "1,40"}, "a b c", false, true},
    {"transformer-pre", {"--ids", "41,40,42", "--target-ids", "1,40"}, "c b a", false, true},
    {"t5", {"--ids", "41,40,42", "--target-ids", "1,40"}, "a c b", false, true},
    {"lstm-seq2seq", {"--ids", "41,40,42", "--target-ids", "1,40"}, "a b", false, true},
    {"vit", {"--image", "picture.npy"}, ""},
    {"vit-segments", {"--image", "picture.npy"}, ""},
    {"best", {"--ids", "5,9,2,1"}, "In", true, false, true},
    {"table-classify", {"--ids", "5,9,2"}, "", false, false, true, "table.csv"},
    {"table-classify-gpt2", {"--ids", "5,9,2"}, "", false, false, true, "table.csv"},
    {"table-masked", {"--ids", "5,9,2"}, "", false, false, true, "table.csv"},
    {"table-pairs", {"--ids", "5,9,2", "--target-ids", "281,40"}, "", false, false, true, "pairs.tsv"},
    {"table-chat", {"--ids", "5,9,2"}, "", false, false, true, "chat.jsonl"},
    {"pictures-vit", {"--image", "pictures/a/0.pgm"}, "", false, false, true, "pictures"},
    {"sounds-classify", {"--audio", "sounds/3.wav"}, "", false, false, true, "sounds/labels.csv"},
    {"sounds-ctc", {"--audio", "sounds/3.wav"}, "", false, false, true, "sounds/said.csv"},
    {"sounds-decoder",
     {"--audio", "sounds/3.wav", "--target-ids", "5,1"},
     "",
     false,
     false,
     true,
     "sounds/said.csv"},
};

/// A copy of the folder of one format, in which a run may go on: it lies at `run`.
void copy_fixture(const Folder& folder, const std::string& format, const std::string& name,
                  const std::string& run = "run") {
  for (const char* shared :
       {"text.txt", "picture.npy", "table.csv", "pairs.tsv", "chat.jsonl", "pictures", "sounds"})
    if (fs::exists(fixtures + "/" + format + "/" + shared))
      fs::copy(fixtures + "/" + format + "/" + shared, folder.path(shared),
               fs::copy_options::skip_existing | fs::copy_options::recursive);
  fs::create_directories(fs::path(folder.path(run)).parent_path());
  const std::string made = fixtures + "/" + format + "/" + name;
  fs::copy(made + "/run", folder.path(run), fs::copy_options::recursive);
  if (fs::exists(made + "/base.h5"))
    fs::copy(made + "/base.h5", fs::path(folder.path(run)).parent_path() / "base.h5");
}

std::string file_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// What a TOML file says of a key of text.
std::string setting(const std::string& toml, const std::string& key) {
  const size_t at = toml.find("\n" + key + " = \"") + key.size() + 5;
  return toml.substr(at, toml.find('"', at) - at);
}

int64_t step_of(const std::string& file) { return std::stol(file.substr(5, 8)); }

void check_kind(const std::string& format, const Kind& kind) {
  CAPTURE(format);
  CAPTURE(kind.name);
  const Folder folder;
  // A table is named from the run.
  const std::string run = kind.table ? "kind/run" : "run";
  copy_fixture(folder, format, kind.name, run);
  const std::string made = fixtures + "/" + format + "/" + kind.name + "/";

  Result result = run_weft(folder, with({"logits", run, "--last", "--out", "now.npy"}, kind.looks));
  if (contains(result.err, "libweft-sounds.so")) {
    MESSAGE("skipped: ", result.err);
    return;
  }
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK(folder.read("now.npy") == file_text(made + "logits.npy"));

  if (*kind.prompt) {
    std::string written = run_weft(folder, {"generate", run, "--last", "--tokens", "40", "--seed", "3",
                                            "--prompt", kind.prompt})
                              .out;
    if (kind.pairs)
      written += run_weft(folder, {"generate", run, "--last", "--tokens", "12", "--beams", "3", "--prompt",
                                   kind.prompt})
                     .out;
    CHECK(written == file_text(made + "written.txt"));
  }
  const std::string_view name = kind.name;
  if (kind.text && name != "gpt2-bpe" && name != "best") {
    // The last tenth of the characters validates; other tokens, and documents, would be cut otherwise.
    const std::string text = file_text(folder.path("text.txt")), scores = file_text(made + "scores.json");
    folder.write("tail.txt", text.substr(text.size() * 9 / 10));
    result = run_weft(folder, {"eval", run, "--last", "--json", "--data", "tail.txt"});
    CHECK_MESSAGE(result.out.starts_with(scores.substr(0, scores.find(",\"bits_per"))), result.out);
  }
  if (!kind.text) {
    result = run_weft(folder, {"eval", run, "--last", "--json", "--samples", "50"});
    // What it told then, to the digit; what it tells since comes behind.
    std::string scores = file_text(made + "scores.json");
    scores.resize(scores.rfind('}'));
    REQUIRE_MESSAGE(result.out.starts_with(scores), result.out);
    const char next = result.out.at(scores.size());
    CHECK_MESSAGE((next == ',' || next == '}'), result.out);
  }
  CHECK(run_weft(folder, {"inspect", run}).code == 0);
  result = run_weft(folder, {"export", run, "--last", "--format", "weft", "--out", "alone.h5"});
  REQUIRE_MESSAGE(result.code == 0, result.err);
  result = run_weft(folder, with({"logits", "alone.h5", "--out", "alone.npy"}, kind.looks));
  CHECK_MESSAGE(result.code == 0, result.err);
  CHECK(folder.read("alone.npy") == folder.read("now.npy"));

  const Arguments data = kind.table  ? Arguments{"--data", kind.table}
                         : kind.text ? Arguments{"--data", "text.txt"}
                                     : Arguments{};
  result =
      run_weft(folder, with({"train", "--init-from", run, "--out", "tuned", "--set", "max_iters=1", "--set",
                             "sample_tokens=0", "--task", setting(folder.read(run + "/config.toml"), "task")},
                            data));
  CHECK_MESSAGE(result.code == 0, result.err);
  result = run_weft(
      folder,
      with({"train", "--config", run + "/config.toml", "--out", "again", "--set", "max_iters=1"}, data));
  CHECK_MESSAGE(result.code == 0, result.err);

  const int64_t stopped = step_of(listed(folder, run + "/checkpoints").back());
  result = run_weft(folder, with({"train", "--resume", run, "--threads", "1", "--set",
                                  "max_iters=" + std::to_string(stopped + 20), "--set", "eval_interval=10"},
                                 data));
  REQUIRE_MESSAGE(result.code == 0, result.err);
  const std::string end = run + "/checkpoints/" + listed(folder, run + "/checkpoints").back();
  CHECK(same_training(folder.path(end), made + "end.h5"));
}

}  // namespace

TEST_CASE("fixtures: runs of every format go on to where they ended, and say and write what they did") {
  for (const char* format : {"format-1", "format-2"})
    for (const Kind& kind : kinds)
      if (!kind.later || format != std::string("format-1")) check_kind(format, kind);
}

TEST_CASE("fixtures: models that weft import wrote") {
  const Folder folder;
  int with_tokenizer = 0;
  for (const char* format : {"format-1", "format-2"}) {
    int seen = 0;
    for (const auto& entry : fs::directory_iterator(fixtures + "/" + format)) {
      const std::string name = entry.path().filename().string();
      if (!name.starts_with("imported-")) continue;
      CAPTURE(name);
      ++seen;
      Result result = run_weft(folder, {"inspect", entry.path().string()});
      CHECK_MESSAGE(result.code == 0, result.err);
      CHECK(contains(result.out, "a model alone"));
      if (fs::exists(entry.path() / "lines.jsonl")) {
        const std::string file = (entry.path() / "model.h5").string();
        const Program::Options from{
            .under = {"sh", "-c", "exec \"$@\" <" + (entry.path() / "lines.jsonl").string(), "sh"}};
        result = run_weft(folder, {"tokenizer", "encode", file, "--jsonl"}, from);
        CHECK_MESSAGE(result.out == file_text((entry.path() / "ids.jsonl").string()), result.err);
        ++with_tokenizer;
      }
      if (!fs::exists(entry.path() / "logits.npy")) continue;
      Arguments looks{"--ids", "5,9,2"};
      if (contains(name, "t5")) looks = with(looks, {"--target-ids", "0,3"});
      result = run_weft(folder, with({"logits", entry.path().string(), "--out", "now.npy"}, looks));
      REQUIRE_MESSAGE(result.code == 0, result.err);
      CHECK(folder.read("now.npy") == file_text((entry.path() / "logits.npy").string()));
    }
    CHECK(seen == (format == std::string("format-1") ? 8 : 11));
  }
  CHECK(with_tokenizer == 3);
}

TEST_CASE("fixtures: each key of the configuration may be missing, and one bit may not be another") {
  const Folder folder;
  copy_fixture(folder, "format-1", "llama");
  const std::string path = folder.path("run/checkpoints/" + listed(folder, "run/checkpoints")[0]);
  for (const std::string& key : keys_under(path, "config")) {
    CAPTURE(key);
    edit_checkpoint(path, folder.path("old.h5"), {{"config/" + key}});
    Result result = run_weft(folder, {"inspect", "old.h5"});
    CHECK_MESSAGE(result.code == 0, result.err);
  }
  for (const char* key : {"window", "rope_base", "tie_embeddings", "head_width"}) {
    CAPTURE(key);
    edit_checkpoint(path, folder.path("old.h5"), {{std::string("model_config/") + key}});
    for (const Arguments& command :
         {Arguments{"inspect", "old.h5"}, Arguments{"generate", "old.h5", "--prompt", "In", "--tokens", "5"},
          Arguments{"eval", "old.h5", "--data", "text.txt"}}) {
      const Result result = run_weft(folder, command);
      CHECK_MESSAGE(result.code == 0, result.err);
    }
  }
  edit_checkpoint(path, folder.path("old.h5"), {{"model_config/vocab_size"}});
  Result result = run_weft(folder, {"generate", "old.h5", "--prompt", "In"});
  CHECK(result.code == 2);
  CHECK(contains(result.err, "vocab_size"));

  std::string bytes = folder.read("run/best.h5");
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 4);
  folder.write("flipped.h5", bytes);
  result = run_weft(folder, {"generate", "flipped.h5", "--prompt", "In"});
  CHECK(result.code == 2);
  CHECK(contains(result.err, "flipped.h5: "));
}

TEST_CASE("files of newer versions: what does not matter is passed over, what does is refused") {
  const Folder folder;
  write_text(folder);
  REQUIRE(run_weft(folder, train("run", {"max_iters=2"})).code == 0);
  const std::string best = folder.path("run/best.h5");
  const auto changed = [&](const std::string& place, bool needed) {
    std::vector<Edit> edits{{place + "colour", "red"}};
    if (needed) edits.push_back({place + "must_know", text_at(best, place + "must_know") + ",colour"});
    edit_checkpoint(best, folder.path("new.h5"), edits);
    return run_weft(folder, {"generate", "new.h5", "--prompt", "the", "--tokens", "3"});
  };
  for (const char* place : {"", "model/", "model/settings/"}) {
    CAPTURE(place);
    Result result = changed(place, false);
    CHECK_MESSAGE(result.code == 0, result.err);
    CHECK(contains(result.err, "colour"));
    CHECK(contains(result.err, "warning"));
    result = changed(place, true);
    CHECK(result.code == 2);
    CHECK(contains(result.err, "colour"));
  }
  edit_checkpoint(best, folder.path("mine.h5"), {{"model/kind", "mine"}});
  Result result = run_weft(folder, {"generate", "mine.h5", "--prompt", "the"});
  CHECK(result.code == 2);
  CHECK(contains(result.err, "of the kind 'mine'"));
  CHECK(contains(result.err, "register_model"));
  CHECK(run_weft(folder, {"inspect", "mine.h5"}).code == 0);

  write_entries(folder.path("empty.h5"), {{"kind", "weft model"}});
  result = run_weft(folder, {"inspect", "empty.h5"});
  CHECK(result.code == 2);
  CHECK(contains(result.err, "holds no model"));
}

TEST_CASE("a run of other numerics is told, and goes on only when it is said") {
  const Folder folder;
  write_text(folder);
  REQUIRE(run_weft(folder, train("run", {"max_iters=5"})).code == 0);
  const std::string path = folder.path("run/checkpoints/step-00000005.h5");
  edit_checkpoint(path, path, {{"training/numerics", int64_t{1}}});
  Result result = run_weft(folder, resume("run", {"max_iters=10"}));
  CHECK(result.code == 2);
  CHECK(contains(result.err, "numerics 1"));
  CHECK(contains(result.err, "--any-numerics"));
  result = run_weft(folder, {"train", "--resume", "run", "--any-numerics", "--set", "max_iters=10"});
  CHECK_MESSAGE(result.code == 0, result.err);
}

TEST_CASE("a model alone is taken by every command where it takes a run") {
  const Folder folder;
  write_text(folder);
  REQUIRE(run_weft(folder, train("run", {"max_iters=10", "ema_decay=0.5"})).code == 0);
  Result result = run_weft(folder, {"export", "run", "--format", "weft", "--out", "model.h5"});
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK(run_weft(folder, {"export", "run", "--format", "weft", "--out", "model.h5"}).code ==
        2);  // it is there
  REQUIRE(run_weft(folder, {"export", "run", "--format", "weft", "--dtype", "bfloat16", "--out", "half.h5"})
              .code == 0);
  CHECK(keys_under(folder.path("model.h5"), "") == Arguments{"kind", "model"});
  const auto bytes = [&](const char* file) { return fs::file_size(folder.path(file)); };
  CHECK(bytes("half.h5") < bytes("model.h5"));
  CHECK(bytes("model.h5") < bytes("run/best.h5") / 2);

  const auto said = [&](const char* model) {
    std::string all;
    for (const Arguments& command : {Arguments{"generate", model, "--prompt", "the", "--tokens", "20"},
                                     Arguments{"eval", model, "--data", "text.txt", "--json"}}) {
      const Result one = run_weft(folder, command);
      CHECK_MESSAGE(one.code == 0, one.err);
      // A model alone does not know what it was trained on.
      all += one.out.substr(0, one.out.find(",\"data\""));
    }
    return all;
  };
  CHECK(said("model.h5") == said("run"));
  const double exact =
      number_in(run_weft(folder, {"eval", "model.h5", "--data", "text.txt", "--json"}).out, "loss");
  const double rounded =
      number_in(run_weft(folder, {"eval", "half.h5", "--data", "text.txt", "--json"}).out, "loss");
  CHECK(rounded != exact);
  CHECK(std::abs(rounded - exact) < 0.01);
  CHECK(run_weft(folder, {"attention", "model.h5", "--text", "the cat", "--out", "page.html"}).code == 0);
  CHECK(run_weft(folder, {"export", "model.h5", "--format", "hf", "--out", "theirs"}).code == 0);
  CHECK(run_weft(folder, {"export", "model.h5", "--format", "safetensors", "--out", "plain"}).code == 0);
  result = run_weft(folder, {"train", "--data", "text.txt", "--init-from", "model.h5", "--out", "tuned",
                             "--set", "max_iters=1"});
  CHECK_MESSAGE(result.code == 0, result.err);
  result = run_weft(folder, {"train", "--init-from", "model.h5", "--with-optimizer", "--data", "text.txt",
                             "--out", "more"});
  CHECK(result.code == 2);
  CHECK(contains(result.err, "holds a model alone"));
  result = run_weft(folder, {"train", "--continue", "model.h5", "--out", "more"});
  CHECK(result.code == 2);
  CHECK(contains(result.err, "--init-from takes its weights"));
}

TEST_CASE("files under a right digest with wrong contents are refused with exit code 2, by name") {
  const Folder folder;
  write_text(folder);
  REQUIRE(run_weft(folder, train("run", {"max_iters=2"})).code == 0);
  const std::string best = folder.path("run/best.h5");
  const std::vector<Edit> wrong = {{"model/weights/norm.weight", int64_t{3}},
                                   {"model/settings/n_layer", int64_t{-1}},
                                   {"model/settings/n_layer", "two"},
                                   {"model/settings/n_embd", int64_t{32}},
                                   {"model/end_ids", "none"},
                                   {"model/tokenizer", int64_t{1}},
                                   {"model/tokenizer/kind", "words"},
                                   {"model/weights", "all"},
                                   {"model/kind", int64_t{1}},
                                   {"model/must_know", int64_t{1}},
                                   {"model/trained_on/must_know", "seed,newthing"},
                                   {"model", "none"},
                                   {"training/history/step", int64_t{1}},
                                   {"kind", "another"}};
  for (Edit edit : wrong) {
    CAPTURE(edit.place);
    std::vector<Edit> edits{edit};
    if (edit.place == "model/trained_on/must_know") edits.push_back({"model/trained_on/newthing", "x"});
    edit_checkpoint(best, folder.path("wrong.h5"), edits);
    for (const Arguments& command :
         {Arguments{"generate", "wrong.h5", "--prompt", "the"},
          Arguments{"eval", "wrong.h5", "--data", "text.txt"},
          Arguments{"train", "--data", "text.txt", "--init-from", "wrong.h5", "--out", "new"}}) {
      const Result result = run_weft(folder, command);
      CAPTURE(command[0]);
      CHECK_MESSAGE(result.code == 2, result.err);
      CHECK_MESSAGE(contains(result.err, command[0] == "train" ? "" : "wrong.h5"), result.err);
      CHECK_FALSE(contains(result.err, "std::"));
      CHECK_FALSE(exists(folder, "new"));
    }
  }
}

TEST_CASE("a new run that is refused leaves a folder that was there as it was") {
  const Folder folder;
  write_text(folder);
  fs::create_directory(folder.path("run"));
  Result result = run_weft(folder, train("run", {"block_size=500000"}));
  CHECK(result.code == 2);
  CHECK_FALSE(exists(folder, "run/config.toml"));
  result = run_weft(folder, train("run"));
  CHECK_MESSAGE(result.code == 0, result.err);
}
