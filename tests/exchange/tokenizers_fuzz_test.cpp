// Files of tokenizers that were altered anywhere: each is read, and then works, or is refused.
// WEFT_FUZZ_SECONDS=60 goes on for as long with each kind of file; else there are 20,000 in all.
#include <doctest/doctest.h>
#include <weft/data/text/byte_level.h>
#include <weft/exchange/tokenizers.h>
#include <weft/lib/base/error.h>

#include <chrono>
#include <cstdlib>
#include <random>

#include "folder.h"

namespace weft {
namespace {

struct Fuzzed {
  const char* name;
  std::vector<std::string> seeds, parts;
  int files = 0;
  std::vector<std::pair<std::string, std::string>> beside = {};
};

const char* const pipeline =
    R"({"version": "1.0", "truncation": {"max_length": 5}, "padding": null, "added_tokens": [
{"id": 8, "content": "[MASK]", "single_word": false, "lstrip": true, "rstrip": true, "normalized": false, "special": true},
{"id": 9, "content": "aa", "single_word": true, "lstrip": false, "rstrip": false, "normalized": true, "special": false}],
"normalizer": {"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "BertNormalizer", "clean_text": true},
{"type": "Replace", "pattern": {"Regex": " +"}, "content": "\u2581"}, {"type": "Strip", "strip_left": true}]},
"pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": "\\p{N}{1,3}|[^a]+?"},
"behavior": "MergedWithNext", "invert": false}, {"type": "Metaspace", "replacement": "\u2581"}, {"type": "Digits"}]},
"post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "[MASK]", "type_id": 0}},
{"Sequence": {"id": "A", "type_id": 0}}], "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B",
"type_id": 1}}], "special_tokens": {"[MASK]": {"id": "[MASK]", "ids": [8], "tokens": ["[MASK]"]}}},
"decoder": {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Metaspace", "replacement": "\u2581"},
{"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
"model": {"type": "BPE", "unk_token": "u", "fuse_unk": true, "byte_fallback": true, "vocab": {"a": 0, "b": 1, "u": 2,
"ab": 3, "1": 4, "\u2581": 5, "i": 6, "\u2581ab": 7}, "merges": [["a", "b"], ["\u2581", "ab"]]}})";
const char* const unigram =
    R"({"added_tokens": [{"id": 3, "content": "</s>", "special": true}], "normalizer": {"type":
"Precompiled", "precompiled_charsmap": ""}, "decoder": {"type": "Metaspace"}, "post_processor": {"type": "BertProcessing",
"sep": ["</s>", 3], "cls": ["a", 1]}, "model": {"type": "Unigram", "unk_id": 0, "vocab": [["?", 0.0], ["a", -1.5],
["\u2581b", -2e0], ["</s>", 0]]}})";
const char* const words =
    R"({"pre_tokenizer": {"type": "BertPreTokenizer"}, "decoder": {"type": "WordPiece"}, "model":
{"type": "WordPiece", "unk_token": "?", "continuing_subword_prefix": "##", "max_input_chars_per_word": 9, "vocab": {"?": 0,
"a": 1, "##b": 2, "the": 3}}})";

/// A small .model file: pieces, settings of the training, the normalizer's.
std::string model() {
  const auto field = [](int number, const std::string& bytes) {
    return std::string(1, static_cast<char>(number << 3 | 2)) + static_cast<char>(bytes.size()) + bytes;
  };
  const auto piece = [&](const std::string& text, char kind) {
    return field(1, field(1, text) + std::string("\x15\0\0\xc0\xbf\x18", 6) + kind);
  };
  return piece("<unk>", 2) + piece("<s>", 3) + piece("</s>", 3) + piece("a", 1) + piece("\u2581b", 1) +
         piece("ab", 4) + field(2, std::string("\x18\x01", 2)) + field(3, std::string("\x18\x01\x20\x01", 4));
}
/// The other algorithm.
std::string model_of_pairs() {
  std::string bytes = model();
  bytes[bytes.rfind("\x18\x01\x1a") + 1] = 2;
  return bytes;
}

/// GPT-2's: a token for each byte, and two that are merged.
std::string vocabulary() {
  std::string all = "{";
  for (int byte = 0; byte < 256; ++byte) {
    std::string token(byte_level_character(static_cast<unsigned char>(byte)));
    if (token == "\"" || token == "\\") token.insert(0, "\\");
    all += "\"" + token + "\": " + std::to_string(byte) + ", ";
  }
  return all + R"("ab": 256, "abc": 257})";
}

std::vector<Fuzzed> all_fuzzed() {
  const std::vector<std::string> json = {"{",       "}",
                                         "[",       "]",
                                         ",",       ":",
                                         "null",    "true",
                                         "-1",      "1e999",
                                         "\\u",     "\\ud800",
                                         "\"ids\"", "99999999999999999999",
                                         "[[]]",    "\"type\": \"Sequence\","};
  return {{"tokenizer.json", {pipeline, unigram, words}, json, 11000},
          {"vocab.json", {vocabulary()}, json, 2000, {{"merges.txt", "a b\nab c\n"}}},
          {"merges.txt",
           {"#version: 0.2\na b\nab c\n"},
           {"\n", " ", "\r", "#"},
           1500,
           {{"vocab.json", vocabulary()}}},
          {"vocab.txt",
           {"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##b\nc\n"},
           {"\n", "##", "[UNK]\n", "\r\n"},
           2500},
          {"tokenizer.model",
           {model(), model_of_pairs()},
           {"\x0a", "\x12", "\x1a", "\x18\x01", "\x80\x80", std::string(4, '\0')},
           3000}};
}

std::string mutated(std::mt19937& random, const Fuzzed& of) {
  std::string text = of.seeds[random() % of.seeds.size()];
  const auto at = [&] { return text.empty() ? 0 : random() % (text.size() + 1); };
  for (auto n = 1 + random() % 4; n > 0; --n) switch (random() % 7) {
      case 0:
        text.insert(at(), of.parts[random() % of.parts.size()]);
        break;
      case 1:
        text.erase(at(), 1 + random() % 20);
        break;
      case 2:
        text.insert(at(), text.substr(at(), random() % 60));
        break;
      case 3:
        if (random() % 8 == 0) text.resize(at());
        break;
      case 4:
        text.insert(at(), 1, static_cast<char>(random() % 256));
        break;
      case 5:
        if (const size_t place = text.find_first_of("0123456789", at()); place != std::string::npos)
          text.replace(place, 1, std::to_string(random() % 3 == 0 ? random() : random() % 12));
        break;
      default:
        if (!text.empty()) text[random() % text.size()] = static_cast<char>(random() % 256);
    }
  return text;
}

/// Reads it and works with it; whether it could be read.
bool works(const std::string& path, const std::string& folder) {
  std::shared_ptr<const Tokenizer> read;
  try {
    std::vector<std::string> notes;
    read = read_tokenizer(path, &notes);
  } catch (const FileError& error) {
    REQUIRE(std::string(error.what()).starts_with(folder));
    return false;
  }
  const auto tried = [](const auto& work) {
    try {
      work();
    } catch (const ValueError&) {
    } catch (const StateError&) {
    }
  };
  const std::string text = "The na\u00efve \u4e16\u754c of\n\n[MASK] 12345 aab tokens?";
  tried([&] {
    const Encoding found = read->encode_with_spans(text);
    REQUIRE(found.spans.size() == found.ids.size());
    for (const int64_t id : found.ids) REQUIRE((id >= 0 && id < read->vocab_size()));
    for (const auto& [begin, end] : found.spans) REQUIRE((begin <= end && end <= text.size()));
    static_cast<void>(read->decode(found.ids));
  });
  tried([&] { static_cast<void>(read->encode_special(text, {.second = "ab"})); });
  tried([&] {
    const auto again = Tokenizer::from_state(read->state_dict());
    REQUIRE(again->vocab_size() == read->vocab_size());
  });
  tried([&] { static_cast<void>(tokenizer_json(*read)); });
  return true;
}

}  // namespace

TEST_CASE("tokenizers of others: files that were altered anywhere are read and work, or are refused") {
  const char* const asked = std::getenv("WEFT_FUZZ_SECONDS");
  for (const Fuzzed& fuzzed : all_fuzzed()) {
    const std::string name = fuzzed.name;
    CAPTURE(name);
    const Folder folder;
    for (const auto& [other, content] : fuzzed.beside) folder.write(other, content);
    for (const std::string& seed : fuzzed.seeds) CHECK(works(folder.write(name, seed), folder.name()));
    std::mt19937 random(7);
    int64_t files = 0, read = 0;
    const auto end =
        std::chrono::steady_clock::now() + std::chrono::duration<double>(asked ? std::atof(asked) : 0);
    while (asked ? std::chrono::steady_clock::now() < end : files < fuzzed.files) {
      const std::string content = mutated(random, fuzzed);
      CAPTURE(content);
      read += works(folder.write(name, content), folder.name());
      ++files;
    }
    CHECK(read > 0);
    CHECK(read < files);
    if (asked) MESSAGE(name, ": ", files, " files, of which ", read, " were read");
  }
}

}  // namespace weft
