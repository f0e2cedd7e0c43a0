#include <weft/data/text/bpe_training.h>
#include <weft/data/text/text.h>
#include <weft/data/tokenizers/sentencepiece_tokenizer.h>
#include <weft/data/tokenizers/sentencepiece_training.h>
#include <weft/exchange/hugging_face.h>
#include <weft/exchange/token_files.h>
#include <weft/exchange/tokenizers.h>
#include <weft/lib/base/advice.h>
#include <weft/lib/base/file.h>
#include <weft/lib/base/join.h>
#include <weft/lib/base/values.h>
#include <weft/train/show/console.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>

#include "commands.h"
#include "tokenizer_input.h"

namespace weft::tools {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;
using Shared = std::shared_ptr<const Tokenizer>;

/// Lines of standard input; a last one may lack its newline.
template <class Take>
void for_each_line(const Take& take) {
  int64_t number = 0;
  for (std::string line; std::getline(std::cin, line);) take(++number, line);
}

json parsed_line(int64_t number, const std::string& line) {
  try {
    return json::parse(line);
  } catch (const json::exception&) {
    fail<ValueError>("standard input: line ", number, " is not JSON");
  }
}

std::string all_of_input() {
  std::string text;
  char part[1 << 16];
  while (std::cin.read(part, sizeof part), std::cin.gcount() > 0)
    text.append(part, static_cast<size_t>(std::cin.gcount()));
  return text;
}

std::string text_in(const json& line, const char* key, int64_t number) {
  if (!line.is_object() || !line.contains(key) || !line.at(key).is_string())
    fail<ValueError>("standard input: line ", number, " is no JSON object with a text \"", key, "\"");
  return line.at(key).get<std::string>();
}

AroundText around_of(const json& line, int64_t number) {
  AroundText around;
  for (const auto& [key, to] : {std::pair("add_bos", &around.begin), std::pair("add_eos", &around.end)}) {
    if (!line.contains(key)) continue;
    if (!line.at(key).is_boolean())
      fail<ValueError>("standard input: line ", number, ": ", key, " is neither true nor false");
    *to = line.at(key).get<bool>();
  }
  if (line.contains("pair")) around.second = text_in(line, "pair", number);
  return around;
}

std::string listed(const std::vector<int64_t>& ids) { return json(ids).dump() + "\n"; }

std::vector<int64_t> ids_in(const json& line, int64_t number, int64_t vocab_size) {
  const json& list = line.is_object() && line.contains("ids") ? line.at("ids") : line;
  std::vector<int64_t> ids;
  if (!list.is_array())
    fail<ValueError>("standard input: line ", number, " is no array of ids, nor an object with \"ids\"");
  for (const json& one : list) {
    if (!one.is_number_integer() || (one.is_number_unsigned() && one.get<uint64_t>() > INT64_MAX) ||
        one.get<int64_t>() < 0 || one.get<int64_t>() >= vocab_size)
      fail<ValueError>("standard input: line ", number, ": ", one.dump(), " is no id below ", vocab_size);
    ids.push_back(one.get<int64_t>());
  }
  return ids;
}

Work encoding(const TokenizerArguments& a, Shared tokenizer) {
  if (!a.out.empty() && is_there(a.out)) fail<FileError>(a.out, ": is there already; choose another");
  return [=] {
    const auto ids_of = [&](const std::string& text, const AroundText& around) {
      return a.special ? tokenizer->encode_special(text, around) : tokenizer->encode(text);
    };
    if (!a.jsonl) {
      const std::vector<int64_t> ids = ids_of(all_of_input(), {});
      if (a.out.empty()) {
        write_out(listed(ids));
      } else {
        write_token_file(a.out, ids, tokenizer->vocab_size(), token_file_layout_from(a.layout));
        Console().print(str(a.out, ": ", grouped(static_cast<int64_t>(ids.size())), " ids"));
      }
      return 0;
    }
    std::string out;
    for_each_line([&](int64_t number, const std::string& text) {
      const json line = parsed_line(number, text);
      try {
        out +=
            listed(ids_of(text_in(line, "text", number), a.special ? around_of(line, number) : AroundText()));
      } catch (const ValueError& error) {
        const std::string what = error.what();
        fail<ValueError>(what.starts_with("standard input") ? "" : str("standard input: line ", number, ": "),
                         what);
      }
      if (out.size() > (1 << 16)) write_out(std::exchange(out, ""));
    });
    write_out(out);
    return 0;
  };
}

Work decoding(const TokenizerArguments& a, Shared tokenizer) {
  return [=] {
    const int64_t size = tokenizer->vocab_size();
    if (!a.ids.empty()) {
      write_out(tokenizer->decode(std::span<const int64_t>(read_token_file(a.ids, size))));
      return 0;
    }
    const auto text_of = [&](const json& line, int64_t number) {
      return tokenizer->decode(std::span<const int64_t>(ids_in(line, number, size)));
    };
    if (!a.jsonl) {
      write_out(text_of(parsed_line(1, all_of_input()), 1));
      return 0;
    }
    for_each_line([&](int64_t number, const std::string& line) {
      const json text = {{"text", text_of(parsed_line(number, line), number)}};
      write_out(text.dump(-1, ' ', false, json::error_handler_t::replace) + "\n");
    });
    return 0;
  };
}

std::string shown(const std::string& bytes) {
  return json(bytes).dump(-1, ' ', false, json::error_handler_t::replace);
}

/// How often each token is met in files, and the bytes they have.
struct Usage {
  std::vector<int64_t> counts;
  int64_t bytes = 0, tokens = 0;
};

Usage usage_of(const Tokenizer& tokenizer, const std::vector<std::string>& paths) {
  Usage usage{std::vector<int64_t>(static_cast<size_t>(tokenizer.vocab_size())), 0, 0};
  constexpr size_t enough = size_t{4} << 20;
  TextReader reader(paths, {.utf8 = false});
  std::string text;
  const auto take = [&](size_t length) {
    for (const int64_t id : tokenizer.encode(std::string_view(text).substr(0, length))) {
      ++usage.counts[static_cast<size_t>(id)];
      ++usage.tokens;
    }
    usage.bytes += static_cast<int64_t>(length);
    text.erase(0, length);
  };
  for (std::string_view piece = reader.next(); !piece.empty(); piece = reader.next()) {
    text += piece;
    if (text.size() < enough) continue;
    if (const size_t line = text.rfind('\n'); line != std::string::npos && line > 0) take(line);
  }
  take(text.size());
  return usage;
}

Work inspecting(const TokenizerArguments& a, Shared tokenizer) {
  return [=] {
    constexpr size_t most = 10;
    const int64_t size = tokenizer->vocab_size();
    std::string out = str(a.tokenizer, ": ", tokenizer->kind(), ", ", grouped(size), " tokens\n");
    const std::map<std::string, int64_t> special = tokenizer->special_tokens();
    if (!special.empty()) {
      out += "  special:";
      size_t number = 0;
      for (const auto& [name, id] : special) {
        if (number++ == most) break;
        out += str(" ", name, " ", id);
      }
      out += special.size() > most ? str(" and ", special.size() - most, " more\n") : "\n";
    }
    std::vector<std::pair<size_t, int64_t>> lengths;
    for (int64_t id = 0; id < size; ++id) lengths.emplace_back(tokenizer->decode(id).size(), id);
    std::ranges::sort(lengths, [](const auto& x, const auto& y) {
      return x.first != y.first ? x.first > y.first : x.second < y.second;
    });
    out += "  longest:";
    for (size_t i = 0; i < std::min(most, lengths.size()); ++i)
      out += str(i == 0 ? " " : ", ", lengths[i].second, " ", shown(tokenizer->decode(lengths[i].second)));
    out += "\n";
    if (!a.data.empty()) {
      const Usage usage = usage_of(*tokenizer, a.data);
      const auto unused = std::ranges::count(usage.counts, 0);
      out += str(
          "  of ", grouped(usage.bytes), " bytes: ", grouped(usage.tokens), " tokens, ",
          fixed(static_cast<double>(usage.bytes) / std::max<double>(1, static_cast<double>(usage.tokens)), 3),
          " bytes a token; ", grouped(unused), " tokens are not used\n");
    }
    if (a.text) {
      const Encoding found = tokenizer->encode_with_spans(*a.text);
      out += str("  ", shown(*a.text), " becomes ", found.ids.size(), " tokens\n");
      for (size_t i = 0; i < found.ids.size(); ++i)
        out += str("    ", found.ids[i], "  bytes ", found.spans[i].begin, " to ", found.spans[i].end, "  ",
                   shown(tokenizer->decode(found.ids[i])), "\n");
    }
    write_out(out);
    return 0;
  };
}

/// A tokenizer learned from text, and what its file holds.
struct Learned {
  int64_t vocab_size = 0;
  std::string file;
};

Learned learn_pairs(const TokenizerArguments& a, TextReader& reader) {
  BpeTraining learning(
      {.vocab_size = a.vocab_size, .pattern = word_pattern_from(a.pattern.empty() ? "gpt2" : a.pattern)});
  for (std::string_view piece = reader.next(); !piece.empty(); piece = reader.next()) learning.add(piece);
  learning.end_document();
  const BpeTokenizer made = learning.learn();
  return {made.vocab_size(), tokenizer_json(made)};
}

Learned learn_pieces(const TokenizerArguments& a, TextReader& reader, int64_t bytes) {
  const SentencePieceTokenizer made(train_sentencepiece(
      {.algorithm =
           a.kind == "unigram" ? SentencePieceModel::Algorithm::unigram : SentencePieceModel::Algorithm::bpe,
       .vocab_size = a.vocab_size,
       .normalization = a.normalization.empty() ? "identity" : a.normalization},
      bytes, [&](const auto& put) {
        for (std::string_view piece = reader.next(); !piece.empty(); piece = reader.next()) put(piece);
      }));
  return {made.vocab_size(), a.out.ends_with(".model") ? made.bytes() : tokenizer_json(made)};
}

Work training(const TokenizerArguments& a) {
  const bool pairs = a.kind == "bpe";
  if (!pairs && a.kind != "unigram" && a.kind != "sentencepiece-bpe")
    fail<ValueError>(
        "--kind: '", a.kind,
        "' is not bpe, unigram or sentencepiece-bpe; weft train --data FILE learns characters as it begins");
  if (a.data.empty()) fail<ValueError>("tokenizer train: --data FILE names the text to learn from");
  if (a.out.empty())
    fail_with<ValueError>({.more = {"--out", str("tokenizer", pairs ? ".json" : ".model")}},
                          "tokenizer train: --out FILE", pairs ? ".json" : ".model",
                          " names the file to write");
  if (!a.out.ends_with(".json") && (pairs || !a.out.ends_with(".model")))
    fail<ValueError>("--out: '", a.out, "' does not end in .json", pairs ? "" : " or .model");
  if (is_there(a.out)) fail<FileError>(a.out, ": is there already; choose another");
  if (pairs && !a.normalization.empty())
    fail<ValueError>("--normalization: is of unigram and sentencepiece-bpe, not of bpe");
  if (!pairs && !a.pattern.empty()) fail<ValueError>("--pattern: is of bpe, not of ", a.kind);
  if (!a.pattern.empty()) word_pattern_from(a.pattern);
  if (!pairs) {
    if (a.vocab_size < 260)
      fail<ValueError>("--vocab-size: ", a.kind,
                       " needs at least 260: <unk>, <s>, </s>, 256 bytes and a piece");
    check_sentencepiece_training();
  }
  const auto reader = std::make_shared<TextReader>(a.data, TextReader::Options{.utf8 = !pairs});
  return [=] {
    int64_t bytes = 0;
    if (!pairs) {  // how much there is, decompressed, decides which sentences are drawn
      TextReader counted(a.data, {.utf8 = true});
      while (!counted.next().empty()) {
      }
      bytes = counted.size();
    }
    const Learned made = pairs ? learn_pairs(a, *reader) : learn_pieces(a, *reader, bytes);
    if (const fs::path folder = fs::path(a.out).parent_path(); !folder.empty()) make_folders(folder.string());
    write_file(a.out, made.file);
    Console().print(str(a.out, ": ", a.kind, ", ", grouped(made.vocab_size), " tokens from ",
                        grouped(reader->size()), " bytes",
                        made.vocab_size == a.vocab_size ? ""
                        : pairs                         ? "; no pair is left that comes twice"
                                                        : "; the text has no more"));
    return 0;
  };
}

/// Refuses options of other actions.
void check_options(const TokenizerArguments& a) {
  const auto of = [&](bool given, const char* option, const std::vector<std::string>& actions) {
    if (given && std::ranges::count(actions, a.action) == 0)
      fail<ValueError>(option, ": is of tokenizer ", joined(actions, " and "), ", not of ", a.action);
  };
  of(a.special, "--special", {"encode"});
  of(a.jsonl, "--jsonl", {"encode", "decode"});
  of(!a.data.empty(), "--data", {"train", "inspect"});
  of(a.text.has_value(), "--text", {"inspect"});
  of(!a.out.empty(), "--out", {"train", "encode"});
  of(!a.pattern.empty(), "--pattern", {"train"});
  of(!a.normalization.empty(), "--normalization", {"train"});
  of(!a.layout.empty(), "--layout", {"encode"});
  of(!a.ids.empty(), "--ids", {"decode"});
  if (!a.layout.empty()) token_file_layout_from(a.layout);
  if (a.layout.empty() != a.out.empty() && a.action == "encode")
    fail<ValueError>("tokenizer encode: --out FILE.bin and --layout nanogpt or llm.c belong together");
  if (a.jsonl && (!a.out.empty() || !a.ids.empty()))
    fail<ValueError>("--jsonl: lines are read and written as JSON; a file of ids is of one text");
}

}  // namespace

Work prepare_tokenizer(const TokenizerArguments& arguments) {
  const std::string& action = arguments.action;
  const std::vector<std::string> actions = {"encode", "decode", "inspect", "train"};
  if (std::ranges::count(actions, action) == 0)
    fail<ValueError>("tokenizer: '", action, "' is none of ", joined(actions));
  check_options(arguments);
  if (action == "train") {
    if (!arguments.tokenizer.empty())
      fail<ValueError>("tokenizer train: makes a new one; '", arguments.tokenizer, "' is not read");
    return training(arguments);
  }
  if (arguments.tokenizer.empty())
    fail<ValueError>("tokenizer ", action, ": name a tokenizer: a folder or a file");
  const Shared tokenizer = open_tokenizer(arguments.tokenizer);
  if (action == "inspect") return inspecting(arguments, tokenizer);
  return action == "encode" ? encoding(arguments, tokenizer) : decoding(arguments, tokenizer);
}

}  // namespace weft::tools
