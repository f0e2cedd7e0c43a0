// A tokenizer that is named on the command line.
#pragma once

#include <weft/data/text/tokenizer.h>

#include <memory>
#include <string>

namespace weft::tools {

/// Of a run's folder, of a model's file, or of others: a folder, or a tokenizer.json, vocab.txt and so on
/// (exchange/tokenizers.h). Notes about it are printed. FileError for what is none, and for a model that has none.
std::shared_ptr<const Tokenizer> open_tokenizer(const std::string& path);

}  // namespace weft::tools
