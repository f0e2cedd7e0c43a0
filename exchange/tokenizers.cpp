#include <weft/exchange/tokenizers.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>

#include <filesystem>

#include "tokenizer_files_internal.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

/// The file of a folder that counts; empty: none.
std::string file_in(const std::string& folder) {
  for (const char* const name : {"vocab.json"})
    if (is_there(folder + "/" + name)) return folder + "/" + name;
  return {};
}

}  // namespace

bool holds_tokenizer(const std::string& folder) { return !file_in(folder).empty(); }

std::shared_ptr<const Tokenizer> read_tokenizer(const std::string& path) {
  std::error_code error;
  std::string file = path;
  if (fs::is_directory(path, error)) {
    file = file_in(path);
    if (file.empty())
      fail<FileError>(path, ": holds no tokenizer: neither tokenizer.json, nor vocab.json with merges.txt, "
                            "nor vocab.txt, nor tokenizer.model");
  }
  const std::string name = fs::path(file).filename().string();
  const std::string folder = fs::path(file).parent_path().string();
  const auto beside = [&](const char* other) { return folder.empty() ? other : folder + "/" + other; };
  if (name == "vocab.json" || name == "merges.txt")
    return read_gpt2_tokenizer(beside("vocab.json"), beside("merges.txt"));
  fail<FileError>(path, ": is no tokenizer that weft knows by its name: a folder, or a file that ends in "
                        ".json, .txt or .model");
}

}  // namespace weft
