#include <weft/exchange/tokenizers.h>
#include <weft/lib/base/error.h>
#include <weft/train/files/opened_model.h>
#include <weft/train/show/console.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>

#include "commands.h"

namespace weft::tools {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;
using Shared = std::shared_ptr<const Tokenizer>;

Shared tokenizer_of_model(const std::string& path) {
  Console console;
  const OpenedModel opened = open_model(path, false, [&](std::string_view line) { console.print(line); });
  if (!opened.checkpoint.model.tokenizer)
    fail<FileError>(opened.path, ": has no tokenizer; weft import takes the one along that lies in DIR");
  return opened.checkpoint.model.tokenizer;
}

/// Of a run or a model of ours, or of others.
Shared open_tokenizer(const std::string& path) {
  std::error_code error;
  const bool folder = fs::is_directory(path, error);
  const bool ours = folder ? RunFolder{path}.holds_run() || is_there(path + "/model.h5")
                           : fs::path(path).extension() == ".h5";
  return ours ? tokenizer_of_model(path) : read_tokenizer(path);
}

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
  return [=] {
    const auto ids_of = [&](const std::string& text, const AroundText& around) {
      return a.special ? tokenizer->encode_special(text, around) : tokenizer->encode(text);
    };
    if (!a.jsonl) {
      write_out(listed(ids_of(all_of_input(), {})));
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

}  // namespace

Work prepare_tokenizer(const TokenizerArguments& arguments) {
  const std::string& action = arguments.action;
  const bool encodes = action == "encode", decodes = action == "decode";
  if (!encodes && !decodes) fail<ValueError>("tokenizer: '", action, "' is none of encode and decode");
  if (arguments.tokenizer.empty())
    fail<ValueError>("tokenizer ", action, ": name a tokenizer: a folder or a file");
  if (arguments.special && !encodes) fail<ValueError>("--special: is of encode alone");
  const Shared tokenizer = open_tokenizer(arguments.tokenizer);
  return encodes ? encoding(arguments, tokenizer) : decoding(arguments, tokenizer);
}

}  // namespace weft::tools
