#include <weft/data/tokenizers/sentencepiece_tokenizer.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>

#include "tokenizer_files_internal.h"

namespace weft {
std::shared_ptr<const Tokenizer> read_sentencepiece(const std::string& path, const nlohmann::json& config) {
  try {
    return std::make_shared<SentencePieceTokenizer>(
        read_text(path, most_tokenizer_bytes),
        SentencePieceTokenizer::Options{.add_begin = config_flag(config, "add_bos_token", path),
                                        .add_end = config_flag(config, "add_eos_token", path)});
  } catch (const ValueError& error) {
    fail<FileError>(path, ": ", error.what());
  }
}

}  // namespace weft
