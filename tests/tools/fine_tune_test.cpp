// Pretrained on plain sentences, then trained to do something with them: classes, chats.
#include <doctest/doctest.h>

#include <string>

#include "program.h"

namespace {

/// Questions of three kinds, each told by its first word.
void write_questions(const Folder& folder) {
  const char* const asked[][2] = {
      {"HUM", "who wrote the "}, {"LOC", "where is the "}, {"NUM", "how many have the "}};
  const char* const things[] = {"book",   "town",  "king", "river", "song",
                                "bridge", "house", "map",  "ship",  "tree"};
  const char* const ends[] = {"of the north", "of old", "by the sea", "we saw"};
  std::string table, lines, chats;
  for (const auto& [label, begin] : asked)
    for (const char* thing : things)
      for (const char* end : ends) {
        const std::string text = std::string(begin) + thing + " " + end + " ?";
        table += std::string(label) + "\t" + text + "\n";
        lines += text + "\n";
        chats += "{\"question\": \"" + text + "\", \"answer\": \"" + thing + "\"}\n";
      }
  folder.write("questions.tsv", table);
  folder.write("sentences.txt", lines + "zebras & foxes judge, quickly\n");  // characters of its own
  folder.write("chats.jsonl", chats);
}

const Arguments table = {"--data", "questions.tsv", "--set", "format=tsv", "--set", "text=2"};

/// A run of a small model that must succeed; gives what it says.
std::string trained_base(const Folder& folder, const std::string& out, const Arguments& how, int updates,
                         const Arguments& more = {}) {
  Arguments all{
      "train",         "--out",          out, "--set", "max_iters=" + std::to_string(updates), "batch_size=8",
      "eval_iters=20", "sample_tokens=0"};
  for (const Arguments& part : {how, more}) all.insert(all.end(), part.begin(), part.end());
  const Result result = run_weft(folder, all);
  REQUIRE_MESSAGE(result.code == 0, result.err);
  return result.err;
}

const Arguments sizes = {"--set", "n_layer=2", "--set", "n_embd=32"};

double last_number(const Folder& folder, const std::string& run, const std::string& name) {
  const std::vector<std::string> lines = lines_of(folder.read(run + "/metrics.jsonl"));
  for (size_t i = lines.size(); i-- > 0;)
    if (contains(lines[i], "val_loss")) return number_in(lines[i], name);
  return -1;
}

}  // namespace

TEST_CASE("a bert that filled in words tells classes: tokenizer and encoder are taken, its head is not") {
  const Folder folder;
  write_questions(folder);
  trained_base(folder, "masked",
               with({"--model", "bert", "--task", "masked", "--data", "sentences.txt", "--set", "format=txt",
                     "block_size=24"},
                    sizes),
               20);
  CHECK(last_number(folder, "masked", "val_accuracy") >= 0);
  const std::string said = trained_base(
      folder, "told", with(table, {"--task", "classify", "--init-from", "masked", "--set", "label=1"}), 60,
      {"--set", "learning_rate=0.003"});
  CHECK_MESSAGE(contains(said, "  new:\n    head.classifier.bias\n    head.classifier.weight\n"), said);
  CHECK_MESSAGE(contains(said, "  left:\n    head.bias\n"), said);
  CHECK_MESSAGE(!contains(said, "another vocabulary"), said);
  CHECK_MESSAGE(!contains(said, "shapes differ"), said);
  CHECK_MESSAGE(contains(said, "  accuracy 1.000"), said);
  CHECK(last_number(folder, "told", "val_accuracy") == 1);
  // The score over the same samples.
  CHECK(number_in(run_weft(folder, {"eval", "told", "--last", "--json"}).out, "accuracy") == 1);
}

TEST_CASE("a gpt2 that read sentences tells classes, and then chats: the vocabulary grows by its marks") {
  const Folder folder;
  write_questions(folder);
  trained_base(folder, "text",
               with({"--model", "gpt2", "--task", "text", "--data", "sentences.txt"},
                    with(sizes, {"--set", "block_size=32"})),
               20);
  std::string said = trained_base(
      folder, "told", with(table, {"--task", "classify", "--init-from", "text", "--set", "label=1"}), 200,
      {"--set", "learning_rate=0.003"});
  CHECK_MESSAGE(contains(said, "  new:\n    classifier.weight\n"), said);
  CHECK_MESSAGE(contains(said, "4 new begin as their mean"), said);
  CHECK_MESSAGE(contains(said, "of position_embedding.weight the first 32 places are taken; "), said);
  CHECK(last_number(folder, "told", "val_accuracy") > 0.9);
  const Result one = run_weft(folder, {"classify", "told", "where is the ship by the sea ?"});
  CHECK(one.code == 0);
  CHECK_MESSAGE(one.out.starts_with("LOC "), one.out);
  const Result asked = run_weft(folder, {"generate", "told"});
  CHECK(asked.code == 2);
  CHECK_MESSAGE(contains(asked.err, "does not write"), asked.err);
  CHECK(contains(run_weft(folder, {"chat", "told"}).err, "was not trained to chat"));
  // As transformers has it, and back.
  const Result exported = run_weft(folder, {"export", "told", "--format", "hf", "--out", "hf"});
  REQUIRE_MESSAGE(exported.code == 0, exported.err);
  CHECK(contains(folder.read("hf/config.json"), "GPT2ForSequenceClassification"));
  const Result imported = run_weft(folder, {"import", "hf", "--out", "back.h5"});
  REQUIRE_MESSAGE(imported.code == 0, imported.err);
  CHECK(run_weft(folder, {"classify", "back.h5", "where is the ship by the sea ?"}).out == one.out);

  said = trained_base(folder, "chat", {"--data", "chats.jsonl", "--task", "chat", "--init-from", "told"}, 2);
  CHECK_MESSAGE(contains(said, "  left:\n    classifier.weight\n"), said);
  CHECK_MESSAGE(contains(said, " new begin as their mean"), said);
  CHECK(run_weft(folder, {"generate", "chat", "--ids", "1,2", "--tokens", "2"}).code == 0);
}

TEST_CASE(
    "a classifier that decodes is trained by each optimizer, with parts frozen, as its memory was planned") {
  const Folder folder;
  write_questions(folder);
  for (const char* model : {"gpt2", "best", "lstm"}) {
    CAPTURE(model);
    const std::string out = std::string(model) + "-run";
    Arguments how = with(table, with({"--model", model, "--task", "classify", "--set", "label=1"}, sizes));
    const std::string said =
        trained_base(folder, out, how, 4,
                     {"--set", "optimizer=muon", "--set", "freeze=token_embedding.weight", "--profile"});
    CHECK_MESSAGE(contains(said, "classifier"), said);  // in the profile
    const Result inspected = run_weft(folder, {"inspect", out});
    CHECK(inspected.code == 0);
    CHECK_MESSAGE(contains(inspected.out, "n_class"), inspected.out);
    CHECK(run_weft(folder, resume(out, {"max_iters=6"})).code == 0);
    CHECK(last_number(folder, out, "val_accuracy") >= 0);
  }
}

TEST_CASE(
    "a tokenizer that lacks characters of the records is refused with advice, and another one can be named") {
  const Folder folder;
  write_questions(folder);
  folder.write("few.txt",
               "abc abc cab bac abc abc cab bac abc abc cab bac abc abc cab bac abc abc cab bac\n");
  trained_base(
      folder, "text",
      {"--model", "gpt2", "--data", "few.txt", "--set", "n_layer=1", "n_embd=16", "n_head=2", "block_size=4"},
      1);
  Arguments how = with(table, {"--task", "classify", "--init-from", "text", "--set", "label=1"});
  const Result refused = run_weft(folder, with({"train", "--out", "x"}, how));
  CHECK(refused.code == 2);
  CHECK_MESSAGE(contains(refused.err, "questions.tsv: line 1: "), refused.err);
  CHECK_MESSAGE(
      contains(refused.err, "is not among the 9 of the vocabulary; --set tokenizer=bpe reads any text"),
      refused.err);
  CHECK_FALSE(exists(folder, "x"));
  const std::string said = trained_base(folder, "bpe", how, 1, {"--set", "tokenizer=bpe"});
  CHECK_MESSAGE(contains(said, "another vocabulary"), said);
  CHECK_MESSAGE(contains(said, " rows of token_embedding.weight follow their tokens"), said);
  trained_base(folder, "unknown", how, 1, {"--set", "unknown_token=true"});
  // One that has marks already goes on as what it is.
  const std::string again = trained_base(
      folder, "again",
      {"--task", "text", "--init-from", "bpe", "--data", "sentences.txt", "--set", "block_size=4"}, 1);
  CHECK_MESSAGE(!contains(again, "another vocabulary"), again);
}
