#include <weft/exchange/tokenizers.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>

#include <filesystem>

#include "json_internal.h"
#include "tokenizer_files_internal.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

/// The file of a folder that counts; empty: none.
std::string file_in(const std::string& folder) {
  for (const char* const name : {"tokenizer.json", "vocab.json", "vocab.txt", "tokenizer.model",
                                 "spiece.model", "sentencepiece.bpe.model"})
    if (is_there(folder + "/" + name)) return folder + "/" + name;
  return {};
}

/// tokenizer_config.json, which need not be there.
nlohmann::json config_at(const std::string& path) {
  if (!is_there(path)) return {};
  return parse_json_object(read_text(path, most_tokenizer_bytes), path, most_tokenizer_bytes);
}

}  // namespace

bool holds_tokenizer(const std::string& folder) { return !file_in(folder).empty(); }

std::optional<bool> config_flag(const nlohmann::json& config, const char* key, const std::string& path) {
  if (!config.is_object() || !config.contains(key) || config.at(key).is_null()) return {};
  if (!config.at(key).is_boolean())
    fail<FileError>(path, ": in tokenizer_config.json ", key, " is ", shown(config.at(key)),
                    ", neither true nor false");
  return config.at(key).get<bool>();
}

std::shared_ptr<const Tokenizer> read_tokenizer(const std::string& path, std::vector<std::string>* notes) {
  std::error_code error;
  std::string file = path;
  if (fs::is_directory(path, error)) {
    file = file_in(path);
    if (file.empty())
      fail<FileError>(path,
                      ": holds no tokenizer: neither tokenizer.json, nor vocab.json with merges.txt, "
                      "nor vocab.txt, nor tokenizer.model");
  }
  const std::string name = fs::path(file).filename().string();
  const std::string folder = fs::path(file).parent_path().string();
  const auto beside = [&](const char* other) { return folder.empty() ? other : folder + "/" + other; };
  if (name == "vocab.json" || name == "merges.txt")
    return read_gpt2_tokenizer(beside("vocab.json"), beside("merges.txt"));
  if (name.ends_with(".json")) return read_json_tokenizer(file, notes);
  if (name.ends_with(".txt")) return read_bert_tokenizer(file, config_at(beside("tokenizer_config.json")));
  if (name.ends_with(".model")) return read_sentencepiece(file, config_at(beside("tokenizer_config.json")));
  fail<FileError>(path,
                  ": is no tokenizer that weft knows by its name: a folder, or a file that ends in "
                  ".json, .txt or .model");
}

}  // namespace weft
