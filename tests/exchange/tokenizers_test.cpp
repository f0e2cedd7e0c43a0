#include <doctest/doctest.h>
#include <weft/data/text/streaming_decoder.h>
#include <weft/data/tokenizers/marked_tokenizer.h>
#include <weft/data/tokenizers/padded_tokenizer.h>
#include <weft/exchange/tokenizers.h>
#include <weft/lib/base/file.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "checks.h"
#include "folder.h"

namespace weft {

using nlohmann::json;
using test::refusal;
using test::refuses;

namespace {

using Shared = std::shared_ptr<const Tokenizer>;

/// The files of others, with what their programs make of 300 texts: they lie beside the tree, and are no part of it.
/// Empty, said plainly, where they are not.
std::string golden_folder() {
  const char* const given = std::getenv("WEFT_SHARED_DATA");
  const std::string folder = (given ? std::string(given) : WEFT_SOURCE_DIR "/../shared/data") + "/tokenizers";
  if (std::filesystem::is_directory(folder)) return folder;
  MESSAGE("not tested: there is no folder ", folder,
          "; WEFT_SHARED_DATA=DIR names another than ../shared/data");
  return {};
}

std::vector<json> lines_of(const std::string& path) {
  std::vector<json> lines;
  if (!is_there(path)) return lines;
  const std::string text = read_text(path);
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) lines.push_back(json::parse(text.substr(at, end - at)));
    at = end + 1;
  }
  return lines;
}

bool is_theirs(const std::vector<int64_t>& ids, const json& line) {
  return ids == line.at("ids").get<std::vector<int64_t>>() ||
         (line.contains("ids_slow") && ids == line.at("ids_slow").get<std::vector<int64_t>>());
}

AroundText around_of(const json& line) {
  AroundText around;
  if (line.contains("add_bos")) around.begin = line.at("add_bos").get<bool>();
  if (line.contains("add_eos")) around.end = line.at("add_eos").get<bool>();
  if (line.contains("pair")) around.second = line.at("pair").get<std::string>();
  return around;
}

/// Each token's bytes come in order and lie in the text; where tokens are the text itself, they are its bytes.
void check_spans(const Tokenizer& tokenizer, const std::string& text, bool lossless) {
  const Encoding found = tokenizer.encode_with_spans(text);
  CHECK(found.ids == tokenizer.encode(text));
  REQUIRE(found.spans.size() == found.ids.size());
  size_t at = 0;
  for (size_t i = 0; i < found.spans.size(); ++i) {
    const auto [begin, end] = found.spans[i];
    CHECK(begin <= end);
    CHECK(end <= text.size());
    CHECK(begin >= at);
    at = begin;
    if (lossless && tokenizer.decode(found.ids[i]).size() == end - begin)
      CHECK(tokenizer.decode(found.ids[i]) == text.substr(begin, end - begin));
  }
}

const char* const kinds[] = {"gpt2",      "bert-base-uncased", "t5", "mistral-v1", "sentencepiece-test",
                             "olmo-neox", "cl100k-style-2k"};

/// A file with a part of nearly every kind.
const char* const whole_json = R"({"version": "1.0", "truncation": null, "padding": null, "added_tokens": [
{"id": 8, "content": "[MASK]", "single_word": false, "lstrip": true, "rstrip": true, "normalized": false, "special": true},
{"id": 9, "content": "aa", "single_word": true, "lstrip": false, "rstrip": false, "normalized": true, "special": false}],
"normalizer": {"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "BertNormalizer", "clean_text": true,
"handle_chinese_chars": true, "strip_accents": null, "lowercase": true}, {"type": "Replace", "pattern": {"Regex": " +"},
"content": "\u2581"}, {"type": "Strip", "strip_left": true, "strip_right": true}]},
"pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": "\\p{N}{1,3}|[^a]+?"},
"behavior": "MergedWithNext", "invert": false}, {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first",
"split": true}, {"type": "Digits", "individual_digits": true}]},
"post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "[MASK]", "type_id": 0}},
{"Sequence": {"id": "A", "type_id": 0}}], "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B",
"type_id": 1}}], "special_tokens": {"[MASK]": {"id": "[MASK]", "ids": [8], "tokens": ["[MASK]"]}}},
"decoder": {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Metaspace", "replacement": "\u2581",
"prepend_scheme": "always", "split": true}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
"model": {"type": "BPE", "dropout": null, "unk_token": "u", "continuing_subword_prefix": "", "fuse_unk": true,
"byte_fallback": true, "ignore_merges": false, "vocab": {"a": 0, "b": 1, "u": 2, "ab": 3, "1": 4, "\u2581": 5, "i": 6,
"\u2581ab": 7}, "merges": [["a", "b"], ["\u2581", "ab"]]}})";

}  // namespace

TEST_CASE("tokenizers of others: what is read is written again, and read the same") {
  const Folder here;
  const auto same = [&](const Tokenizer& tokenizer, const std::vector<std::string>& texts) {
    write_tokenizer(here.name(), tokenizer, -1);
    const Shared again = read_tokenizer(here.path("tokenizer.json"));
    CHECK(again->vocab_size() == tokenizer.vocab_size());
    for (const std::string& text : texts) CHECK(again->encode(text) == tokenizer.encode(text));
    CHECK(tokenizer_json(*again) == here.read("tokenizer.json"));
  };
  const Shared read = read_tokenizer(here.write("whole.json", whole_json));
  same(*read, {"ab ab", "naïve aa [MASK] 123 ab", ""});
  CHECK(read->encode_special("ab[MASK]").front() == 8);
  same(CharTokenizer::of("abc\n é"), {"cab", "é\n"});
  same(CharTokenizer({U'a', U'b'}, {.unknown = true}), {"abxxa"});
  same(ByteTokenizer(), {"abc é\n", "世"});
  if (const std::string folder = golden_folder(); !folder.empty()) {
    for (const std::string name : kinds) {
      if (name == "t5" || name == "sentencepiece-test")
        continue;  // on rare lines they differ, as transformers' own do
      CAPTURE(name);
      std::vector<std::string> texts;
      for (const json& line : lines_of(folder + "/" + name + "/golden.jsonl"))
        texts.push_back(line.at("text"));
      same(*read_tokenizer(folder + "/" + name), texts);
    }
  }
}

TEST_CASE("tokenizers of others: the ids that their programs give, and the text again") {
  const std::string folder = golden_folder();
  if (folder.empty()) return;
  for (const std::string name : kinds) {
    CAPTURE(name);
    const Shared read = read_tokenizer(folder + "/" + name);
    // As a checkpoint brings it back.
    const Shared again = Tokenizer::from_state(read->state_dict());
    CHECK(identical(again->state_dict(), read->state_dict()));
    const std::vector<json> lines = lines_of(folder + "/" + name + "/golden.jsonl");
    CHECK(lines.size() == 300);
    for (const json& line : lines) {
      const std::string text = line.at("text");
      CAPTURE(text);
      const std::vector<int64_t> ids = read->encode(text);
      CHECK(is_theirs(ids, line));
      CHECK(again->encode(text) == ids);
      if (name != "bert-base-uncased") {
        const std::string wanted = line.value("decoded", text);
        CHECK(read->decode(ids) == wanted);
        CHECK(decode_whole(*read, ids, {.begins = true}) == wanted);
      }
      check_spans(*read, text, !line.contains("decoded") && name != "bert-base-uncased");
      // A text never becomes a special token, whatever is written in it.
      for (const auto& [token, id] : read->special_tokens())
        if (token != "[UNK]" && token != "<unk>") CHECK(std::ranges::count(ids, id) == 0);
    }
    for (const json& line : lines_of(folder + "/" + name + "/golden-special.jsonl"))
      CHECK_MESSAGE(
          is_theirs(again->encode_special(line.at("text").get<std::string>(), around_of(line)), line),
          line.dump());
  }
}

TEST_CASE("tokenizers of others: marks are added tokens, and those that frame a text go around it") {
  const Folder folder;
  const auto own = std::make_shared<ByteTokenizer>();
  const auto written = [&](const std::vector<std::string>& names) {
    const MarkedTokenizer marked(own, names);
    const std::string path = folder.path(std::to_string(names.size()));
    std::filesystem::create_directories(path);
    write_tokenizer(path, marked, -1);
    return path;
  };
  const std::string framed = written({"<pad>", "<cls>", "<sep>"}), plain = written({"<|user|>", "</s>"});
  const Shared read = read_tokenizer(framed), other = read_tokenizer(plain);
  CHECK(read->vocab_size() == 259);
  CHECK(read->special_tokens() == MarkedTokenizer(own, {"<pad>", "<cls>", "<sep>"}).special_tokens());
  CHECK(read->encode("a<sep>").size() == 6);  // what a text says is no mark
  CHECK(read->encode_special("a", {}) == std::vector<int64_t>{257, 'a', 258});
  CHECK(read->encode_special("a", {.second = "b"}) == std::vector<int64_t>{257, 'a', 258, 'b', 258});
  CHECK(other->encode_special("<|user|>a</s>", {}) == std::vector<int64_t>{256, 'a', 257});
  // Added tokens are numbered one by one by who reads them, so that those of padding have names.
  const MarkedTokenizer padded(std::make_shared<PaddedTokenizer>(own, 258), {"<|user|>"});
  const json added = json::parse(tokenizer_json(padded)).at("added_tokens");
  REQUIRE(added.size() == 3);
  for (size_t i = 0; i < 3; ++i) CHECK(added[i].at("id") == 256 + i);
  CHECK(added[0].at("content") == "<|unused-256|>");
  CHECK(added[2].at("content") == "<|user|>");
  const json config = json::parse(read_text(framed + "/tokenizer_config.json"));
  CHECK(config.at("cls_token") == "<cls>");
  CHECK(config.at("sep_token") == "<sep>");
  CHECK(config.at("pad_token") == "<pad>");
  CHECK(json::parse(read_text(plain + "/tokenizer_config.json")).at("eos_token") == "</s>");
}

TEST_CASE("tokenizers of others: what is wrong is named, with the file and the place") {
  const Folder folder;
  const auto says = [&](const std::string& file, const std::string& text,
                        const std::vector<std::string>& parts) {
    const std::string path = folder.write(file, text);
    refuses<FileError>([&] { read_tokenizer(path); }, parts);
    CHECK(refusal<FileError>([&] { read_tokenizer(path); }).starts_with(folder.name()));
  };
  const auto model = [](const std::string& inner, const std::string& outer = "") {
    return str("{\"model\": {\"type\": \"BPE\", ", inner, "}", outer, "}");
  };
  const std::string plain = R"("vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"])";
  says("t.json", "{", {"not JSON: byte"});
  says("t.json", "[]", {"no JSON object"});
  says("t.json", "{}", {"has no model"});
  says("t.json", model(R"("vocab": {"a": 0, "a": 1}, "merges": [])"), {"the key \"a\" twice"});
  says("t.json", model(R"("vocab": {"a": 0, "b": 0}, "merges": [])"), {"the id 0 is that of 'a' and of 'b'"});
  says("t.json", model(R"("vocab": {"a": 0, "b": 2}, "merges": [])"), {"no token has the id 1"});
  says("t.json", model(R"("vocab": {"a": 0, "b": -1}, "merges": [])"), {"the id of 'b' is -1"});
  says("t.json", model(R"("vocab": {"a": 0, "b": 1}, "merges": ["a c"])"), {"merge 0", "names 'c'"});
  says("t.json", model(R"("vocab": {"a": 0, "b": 1}, "merges": ["a b"])"), {"merge 0", "names 'ab'"});
  says("t.json", model(R"("vocab": {"a": 0, "b": 1}, "merges": ["ab"])"), {"merge 0 is 'ab'"});
  says("t.json", model(plain + R"(, "dropout": 0.1)"), {"dropout is 0.1"});
  says("t.json", model(plain + R"(, "novelty": true)"),
       {"model BPE: weft does not know its setting novelty"});
  says("t.json", model(plain, R"(, "normalizer": {"type": "Shout"})"), {"the normalizer Shout"});
  says("t.json", model(plain, R"(, "normalizer": {"type": "NFC", "loud": 1})"),
       {"normalizer NFC", "setting loud"});
  says("t.json", model(plain, R"(, "pre_tokenizer": {"type": "UnicodeScripts"})"),
       {"the pre-tokenizer UnicodeScripts"});
  says("t.json",
       model(plain,
             R"(, "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(a"}, "behavior": "Isolated"})"),
       {"regular expression '(a'"});
  says("t.json", model(plain, R"(, "decoder": {"type": "CTC"})"), {"the decoder CTC"});
  says("t.json", model(plain, R"(, "post_processor": {"type": "Other"})"), {"post_processor Other"});
  says("t.json", model(plain, R"(, "added_tokens": [{"id": 0, "content": "<s>", "special": true}])"),
       {"the id 0 is that of 'a' and of '<s>'"});
  says("t.json", model(plain, R"(, "surprise": 1)"), {"the part surprise"});
  says("t.json", model(plain, R"(, "added_tokens": [{"id": 3, "content": "ab", "special": true}])"),
       {"the token 'ab' has the ids 2 and 3"});
  says("t.json", model(plain, R"(, "added_tokens": [{"id": 9, "content": "<s>", "special": true}])"),
       {"no token has the id 3, though ids go up to 9"});
  says("t.json", R"({"model": {"type": "Unigram", "unk_id": 0, "vocab": [["a", 0], ["b", -1], ["a", -2]]}})",
       {"the token 'a' has the ids 0 and 2"});
  says("t.json", R"({"model": {"type": "Unigram", "unk_id": 3, "vocab": [["a", 0], ["b", -1]]}})",
       {"unk_id"});
  says("t.json", R"({"model": {"type": "WordPiece", "unk_token": "?", "vocab": {"a": 0}}})", {"?"});
  says("vocab.txt", "a\nb\na\n", {"lines 1 and 3 are both 'a'"});
  says("vocab.txt", "a\nb\n", {"has no [PAD]"});
  says("vocab.txt", "a\n##\xff\n", {"line 2 is not UTF-8 at byte 2"});
  says("x.model", "nothing of the kind", {"no model of SentencePiece: byte"});
  says("x.model", "", {"no pieces"});
  folder.write("merges.txt", "a b\n");
  says("vocab.json", R"({"a": 0, "b": 2})", {"the id of 'b' is 2, but there are 2 tokens"});
  says("vocab.json", R"({"a": 0, "b": 0, "c": 2})", {"the id 0 is that of 'a' and of 'b'"});
  says("vocab.json", R"({"a": 0, "b": "1"})", {"the id of 'b' is \"1\""});
  says("vocab.json", R"({"a": 0, "a": 1})", {"the key \"a\" twice"});
  folder.write("vocab.json", R"({"a": 0})");
  says("merges.txt", "#version: 0.2\na b c\n", {"line 2 is 'a b c'"});
  says("merges.txt", "a b\n", {"names 'b'"});
  says("merges.txt", "", {"the byte 0 has no token"});
  refuses<FileError>([&] { read_tokenizer(folder.path("none.json")); }, {"none.json"});
  folder.with("empty/file", "");
  refuses<FileError>([&] { read_tokenizer(folder.path("empty")); },
                     {"holds no tokenizer: neither tokenizer.json"});
}

TEST_CASE("tokenizers of others: what a file asks for and is not applied is told") {
  const Folder folder;
  const auto notes_of = [&](const std::string& more) {
    std::vector<std::string> notes;
    read_tokenizer(
        folder.write("t.json", R"({"model": {"type": "BPE", "vocab": {"a": 0}, "merges": []})" + more + "}"),
        &notes);
    return notes;
  };
  CHECK(notes_of("").empty());
  CHECK(notes_of(R"(, "truncation": null, "padding": null)").empty());
  const std::vector<std::string> notes = notes_of(
      R"(, "padding": {"strategy": "BatchLongest", "pad_id": 0}, "truncation": {"max_length": 512, "stride": 0})");
  REQUIRE(notes.size() == 2);
  CHECK(notes[0] == folder.path("t.json") +
                        ": its truncation to 512 tokens is not applied: weft makes its batches itself");
  CHECK(notes[1] == folder.path("t.json") + ": its padding is not applied: weft makes its batches itself");
}

TEST_CASE("tokenizers of others: tokenizer_config.json says what goes around a text of SentencePiece") {
  const std::string golden = golden_folder();
  if (golden.empty()) return;
  for (const std::string name : {"t5", "mistral-v1"}) {
    CAPTURE(name);
    const Folder folder;
    folder.write("tokenizer.model", read_text(golden + "/" + name + "/tokenizer.model"));
    const auto around = [&](const std::string& config) {
      folder.write("tokenizer_config.json", config);
      const Shared read = read_tokenizer(folder.name());
      const std::vector<int64_t> plain = read->encode("Hello"), all = read->encode_special("Hello");
      const auto at = std::ranges::search(all, plain);
      REQUIRE(at.size() == plain.size());
      return std::pair(at.begin() - all.begin(), all.end() - at.end());
    };
    const bool begins = name == "mistral-v1";
    using Sides = std::pair<std::ptrdiff_t, std::ptrdiff_t>;
    CHECK(around("{}") == Sides{begins, !begins});
    CHECK(around(R"({"add_bos_token": false, "add_eos_token": true})") == Sides{0, 1});
    CHECK(around(R"({"add_eos_token": false})") == Sides{begins, 0});
    CHECK(around(R"({"add_eos_token": null})") == Sides{begins, !begins});
    folder.write("tokenizer_config.json", R"({"add_eos_token": "yes"})");
    refuses<FileError>([&] { read_tokenizer(folder.name()); },
                       {"add_eos_token is \"yes\", neither true nor false"});
  }
}

}  // namespace weft
