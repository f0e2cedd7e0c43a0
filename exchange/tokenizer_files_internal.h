// The readers of tokenizers.h, one for each kind of file. Internal to exchange.
#pragma once

#include <weft/data/text/bpe_tokenizer.h>
#include <weft/data/text/tokenizer.h>

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace weft {

inline constexpr size_t most_tokenizer_bytes = size_t{1} << 28;

/// Tokens by id, of a JSON object of ids by token. FileError for an id that is no number, missing or given twice.
std::vector<std::string> tokens_by_id(const nlohmann::json& vocabulary, const std::string& path);
/// Byte-level BPE of tokens and merges that are written in GPT-2's alphabet; `names` are the special tokens, by id.
BpeTokenizer::Parts byte_level_parts(const std::vector<std::string>& tokens,
                                     std::span<const std::pair<std::string, std::string>> merges,
                                     const std::map<int64_t, std::string>& names, const std::string& path);

std::shared_ptr<const Tokenizer> read_json_tokenizer(const std::string& path,
                                                     std::vector<std::string>* notes);
/// A setting of tokenizer_config.json that lies beside `path`; FileError when it is neither true nor false.
std::optional<bool> config_flag(const nlohmann::json& config, const char* key, const std::string& path);
/// `config` is that of tokenizer_config.json beside it, or null.
std::shared_ptr<const Tokenizer> read_bert_tokenizer(const std::string& path, const nlohmann::json& config);
std::shared_ptr<const Tokenizer> read_sentencepiece(const std::string& path, const nlohmann::json& config);
std::shared_ptr<const Tokenizer> read_gpt2_tokenizer(const std::string& vocabulary,
                                                     const std::string& merges);

}  // namespace weft
