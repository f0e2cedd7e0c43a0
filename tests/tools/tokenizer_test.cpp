// weft tokenizer, and the tokenizer that import and export take along.
#include <doctest/doctest.h>

#include <filesystem>

#include "tools/exchange.h"
#include "tools/program.h"

namespace {

/// A vocabulary of eleven tokens, the last of them special.
const char* const small_tokenizer = R"({"version": "1.0", "added_tokens":
  [{"id": 10, "content": "</s>", "special": true, "normalized": false}],
  "normalizer": {"type": "Lowercase"}, "pre_tokenizer": null, "decoder": {"type": "Fuse"}, "post_processor": null,
  "model": {"type": "BPE", "unk_token": null, "vocab": {"a": 0, "b": 1, "c": 2, "\n": 3, " ": 4, "<": 5, "/": 6,
  "s": 7, ">": 8, "ab": 9, "</s>": 10}, "merges": ["a b"]}})";

Result with_input(const Folder& folder, const std::string& input, const Arguments& arguments) {
  folder.write("input", input);
  Arguments all = {"-c", "in=$1; shift; exec \"$@\" < \"$in\"", "sh", folder.path("input")};
  Program::Options options;
  options.under = {"/bin/sh"};
  options.under.insert(options.under.end(), all.begin(), all.end());
  return run_weft(folder, arguments, options);
}

}  // namespace

TEST_CASE("tokenizer: text to ids and back, by line") {
  const Folder folder;
  folder.write("tokenizer.json", small_tokenizer);
  const std::string lines = "{\"text\": \"ABc </s>\"}\n{\"text\": \"\"}\n{\"text\": \"cab\"}";
  const Result plain = with_input(folder, lines, {"tokenizer", "encode", ".", "--jsonl"});
  REQUIRE_MESSAGE(plain.code == 0, plain.err);
  CHECK(plain.out == "[9,2,4,5,6,7,8]\n[]\n[2,9]\n");
  const Result special =
      with_input(folder, lines, {"tokenizer", "encode", "tokenizer.json", "--jsonl", "--special"});
  CHECK(special.out == "[9,2,4,10]\n[]\n[2,9]\n");
  const Result back =
      with_input(folder, plain.out + "{\"ids\": [9, 10]}\n", {"tokenizer", "decode", ".", "--jsonl"});
  CHECK(back.out == "{\"text\":\"abc </s>\"}\n{\"text\":\"\"}\n{\"text\":\"cab\"}\n{\"text\":\"ab</s>\"}\n");
  CHECK(with_input(folder, "ab\nc", {"tokenizer", "encode", "."}).out == "[9,3,2]\n");
  CHECK(with_input(folder, "[9,3,2]", {"tokenizer", "decode", "."}).out == "ab\nc");
  const Result shown = run_weft(folder, {"tokenizer", "inspect", ".", "--text", "cAB"});
  REQUIRE_MESSAGE(shown.code == 0, shown.err);
  CHECK(contains(shown.out, "pipeline, 11 tokens"));
  CHECK(contains(shown.out, "special: </s> 10"));
  CHECK(contains(shown.out, "    9  bytes 1 to 3  \"ab\"\n"));
}

TEST_CASE("tokenizer: what is wrong is refused with the line") {
  const Folder folder;
  folder.write("tokenizer.json", small_tokenizer);
  const auto says = [&](const std::string& input, const Arguments& arguments, int code,
                        const std::string& what) {
    const Result result = with_input(folder, input, arguments);
    CHECK(result.code == code);
    CHECK_MESSAGE(contains(result.err, what), result.err);
  };
  const Arguments encode = {"tokenizer", "encode", ".", "--jsonl"},
                  decode = {"tokenizer", "decode", ".", "--jsonl"};
  says("{\"text\": \"a\"}\nnone\n", encode, 1, "line 2 is not JSON");
  says("{\"words\": \"a\"}\n", encode, 1, "line 1 is no JSON object with a text \"text\"");
  says("{\"text\": \"a\"}\n{\"text\": \"aé\"}\n", encode, 1,
       "line 2: encode: character 'é' (U+00E9) at position 1");
  says("[0, 11]\n", decode, 1, "line 1: 11 is no id below 11");
  says("[0, 1.5]\n", decode, 1, "1.5 is no id");
  says("", {"tokenizer", "encode"}, 2, "name a tokenizer");
  says("", {"tokenizer", "turn", "."}, 2, "'turn' is none of encode, decode, inspect, train");
  says("", {"tokenizer", "decode", ".", "--special"}, 2, "--special: is of tokenizer encode");
  says("", {"tokenizer", "encode", "none"}, 2, "none");
  says("", {"tokenizer", "train", "--out", "t.json"}, 2, "--data FILE names the text");
  says("", {"tokenizer", "train", "--data", "tokenizer.json"}, 2, "--out FILE.json names the file");
  says("", {"tokenizer", "train", "--data", "tokenizer.json", "--out", "tokenizer.json"}, 2,
       "is there already");
}

TEST_CASE("tokenizer: one is learned from text, and read again") {
  const Folder folder;
  write_text(folder);
  const Result learned = run_weft(
      folder, {"tokenizer", "train", "--data", "text.txt", "--vocab-size", "300", "--out", "new/tok.json"});
  REQUIRE_MESSAGE(learned.code == 0, learned.err);
  const Result ids = with_input(folder, folder.read("text.txt"), {"tokenizer", "encode", "new/tok.json"});
  REQUIRE_MESSAGE(ids.code == 0, ids.err);
  CHECK(with_input(folder, ids.out, {"tokenizer", "decode", "new/tok.json"}).out == folder.read("text.txt"));
  const Result shown = run_weft(folder, {"tokenizer", "inspect", "new/tok.json", "--data", "text.txt"});
  CHECK(contains(shown.out, "bytes a token"));
  CHECK(contains(shown.out, "special: <|endoftext|>"));
  // A run's tokenizer, too.
  REQUIRE(run_weft(folder, train("run")).code == 0);
  const Result of_run = with_input(folder, "the", {"tokenizer", "encode", "run"});
  CHECK_MESSAGE(of_run.code == 0, of_run.err);
}

TEST_CASE("import takes the tokenizer along, and export gives it back") {
  const Folder folder;
  std::filesystem::copy(reference_model("gpt2"), folder.path("theirs"));
  std::filesystem::permissions(folder.path("theirs"), std::filesystem::perms::owner_all);
  folder.write("theirs/tokenizer.json", small_tokenizer);
  const Result imported = run_weft(folder, {"import", "theirs", "--out", "model.h5"});
  REQUIRE_MESSAGE(imported.code == 0, imported.err);
  CHECK(contains(imported.err, "with its tokenizer"));
  // The model has 29 ids, of which 18 stand for nothing.
  const Result written = run_weft(folder, {"generate", "model.h5", "--prompt", "AB c", "--tokens", "5"});
  REQUIRE_MESSAGE(written.code == 0, written.err);
  CHECK(written.out.starts_with("AB c"));
  folder.write("text.txt", "abc cab ab\nab\n");
  const Result scored = run_weft(folder, {"eval", "model.h5", "--data", "text.txt"});
  CHECK_MESSAGE(scored.code == 0, scored.err);
  const Result exported = run_weft(folder, {"export", "model.h5", "--format", "hf", "--out", "hf"});
  REQUIRE_MESSAGE(exported.code == 0, exported.err);
  CHECK(contains(exported.err, "with its tokenizer"));
  CHECK(exists(folder, "hf/tokenizer_config.json"));
  const std::string line = "{\"text\": \"ABc </s>\"}\n";
  for (const char* const from : {"theirs", "model.h5", "hf"})
    CHECK(with_input(folder, line, {"tokenizer", "encode", from, "--jsonl", "--special"}).out ==
          "[9,2,4,10]\n");
  CHECK(run_weft(folder, {"import", "hf", "--out", "again.h5"}).code == 0);

  folder.write("theirs/tokenizer.json", "{}");
  const Result refused = run_weft(folder, {"import", "theirs", "--out", "other.h5"});
  CHECK(refused.code == 2);
  CHECK_MESSAGE(contains(refused.err, "theirs/tokenizer.json: has no model"), refused.err);
  CHECK(contains(refused.err, "weft import theirs --no-tokenizer"));
  CHECK(run_weft(folder, {"import", "theirs", "--no-tokenizer", "--out", "other.h5"}).code == 0);
}

TEST_CASE("SentencePiece's models are learned by a plug-in, which is asked for by name where it is missing") {
  const Folder folder;
  REQUIRE(run_weft(folder, {"stories", "--bytes", "60000", "--seed", "1", "--out", "text.txt"}).code == 0);
  const Arguments learn = {"tokenizer", "train",  "--kind",   "unigram", "--vocab-size",
                           "400",       "--data", "text.txt", "--out"};
  const auto with = [&](const std::string& out) {
    Arguments all = learn;
    all.push_back(out);
    return all;
  };
  const Result without = run_weft(folder, with("a.model"), {.environment = {"WEFT_PLUGINS=nowhere"}});
  CHECK(without.code == 2);
  CHECK(contains(without.err, "install the package weft-sentencepiece"));
  CHECK_FALSE(exists(folder, "a.model"));
  const Result learned = run_weft(folder, with("a.model"));
  if (learned.code != 0 && contains(learned.err, "install the package weft-sentencepiece")) {
    MESSAGE("skipped: ", learned.err);
    return;
  }
  REQUIRE_MESSAGE(learned.code == 0, learned.err);
  CHECK(contains(learned.err, "a.model: unigram, 400 tokens from 6"));
  // It is read where there is no plug-in, and a tokenizer.json of it says the same.
  const Result inspected = run_weft(folder, {"tokenizer", "inspect", "a.model", "--data", "text.txt"},
                                    {.environment = {"WEFT_PLUGINS=nowhere"}});
  CHECK(contains(inspected.out, "a.model: sentencepiece, 400 tokens"));
  REQUIRE(run_weft(folder, with("a.json")).code == 0);
  const Result json = run_weft(folder, {"tokenizer", "inspect", "a.json", "--data", "text.txt"});
  CHECK(json.out.substr(json.out.find("  of ")) == inspected.out.substr(inspected.out.find("  of ")));
  const Result run =
      run_weft(folder, train("run", {"tokenizer=unigram", "vocab_size=330", "normalization=nmt_nfkc"}));
  CHECK_MESSAGE(run.code == 0, run.err);
  CHECK(contains(run_weft(folder, {"tokenizer", "inspect", "run"}).out, "sentencepiece, 330 tokens"));
}

TEST_CASE("options of learning a tokenizer that do not fit are refused") {
  const Folder folder;
  folder.write("text.txt", "some text\n");
  const auto refused = [&](const Arguments& more, const std::string& part) {
    Arguments all = {"tokenizer", "train", "--data", "text.txt"};
    all.insert(all.end(), more.begin(), more.end());
    const Result result = run_weft(folder, all);
    CHECK(result.code == 2);
    CHECK_MESSAGE(contains(result.err, part), result.err);
  };
  refused({"--kind", "word", "--out", "a.json"}, "'word' is not bpe, unigram or sentencepiece-bpe");
  refused({"--kind", "bpe", "--out", "a.model"}, "'a.model' does not end in .json");
  refused({"--kind", "unigram", "--out", "a.txt"}, "'a.txt' does not end in .json or .model");
  refused({"--kind", "unigram", "--pattern", "gpt2", "--out", "a.model"}, "--pattern: is of bpe");
  refused({"--normalization", "identity", "--out", "a.json"}, "--normalization: is of unigram");
  refused({"--kind", "unigram", "--vocab-size", "259", "--out", "a.model"}, "needs at least 260");
}
