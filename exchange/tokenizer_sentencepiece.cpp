#include <weft/data/tokenizers/sentencepiece_tokenizer.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>

#include "tokenizer_files_internal.h"

namespace weft {
namespace {

std::optional<bool> flag(const nlohmann::json& config, const char* key) {
  if (!config.is_object() || !config.contains(key) || !config.at(key).is_boolean()) return {};
  return config.at(key).get<bool>();
}

}  // namespace

std::shared_ptr<const Tokenizer> read_sentencepiece(const std::string& path, const nlohmann::json& config) {
  try {
    return std::make_shared<SentencePieceTokenizer>(
        read_text(path, most_tokenizer_bytes),
        SentencePieceTokenizer::Options{.add_begin = flag(config, "add_bos_token"),
                                        .add_end = flag(config, "add_eos_token")});
  } catch (const ValueError& error) {
    fail<FileError>(path, ": ", error.what());
  }
}

}  // namespace weft
