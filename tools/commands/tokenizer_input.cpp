#include "tokenizer_input.h"

#include <weft/exchange/tokenizers.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>
#include <weft/train/files/opened_model.h>
#include <weft/train/show/console.h>

#include <filesystem>

namespace weft::tools {
namespace {

namespace fs = std::filesystem;

std::shared_ptr<const Tokenizer> tokenizer_of_model(const std::string& path) {
  Console console;
  const OpenedModel opened = open_file(path, false, [&](std::string_view line) { console.print(line); });
  if (!opened.checkpoint.model.tokenizer)
    fail<FileError>(opened.path, ": has no tokenizer; weft import takes the one along that lies in DIR");
  return opened.checkpoint.model.tokenizer;
}

}  // namespace

std::shared_ptr<const Tokenizer> open_tokenizer(const std::string& path) {
  std::error_code error;
  const bool folder = fs::is_directory(path, error);
  const bool ours = folder ? RunFolder{path}.holds_run() || is_there(path + "/model.h5")
                           : fs::path(path).extension() == ".h5";
  if (ours) return tokenizer_of_model(path);
  std::vector<std::string> notes;
  std::shared_ptr<const Tokenizer> tokenizer = read_tokenizer(path, &notes);
  for (const std::string& note : notes) Console().print("weft: " + note);
  return tokenizer;
}

}  // namespace weft::tools
