#include <weft/data/text/byte_level.h>
#include <weft/data/tokenizers/decoders.h>
#include <weft/data/tokenizers/regex.h>

#include <charconv>

namespace weft {
namespace {

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
}

/// As Hugging Face tidies what stood between words.
void clean_up(std::string& text) {
  constexpr std::string_view pairs[][2] = {
      {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},   {" n't", "n't"},
      {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (const auto& [what, by] : pairs) replace_all(text, what, by);
}

}  // namespace

int byte_of_token(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || !token.ends_with('>')) return -1;
  int byte = 0;
  const auto [end, error] = std::from_chars(token.data() + 3, token.data() + 5, byte, 16);
  return error == std::errc() && end == token.data() + 5 ? byte : -1;
}

std::string token_of_byte(int byte) {
  constexpr char digits[] = "0123456789ABCDEF";
  return str("<0x", digits[byte >> 4 & 15], digits[byte & 15], ">");
}

TokenDecoder::TokenDecoder(const std::vector<TokenizerStep>& steps) {
  bool fused = false;
  for (const TokenizerStep& step : steps) {
    if (step.type == "Fuse") {
      StepReader(step, "decoder").finish();
      fused = true;
      continue;
    }
    steps_.push_back(made(step, fused));
  }
  if (steps.empty())
    steps_.push_back([](std::string& token, bool first) {
      if (!first) token.insert(0, " ");
    });
}

TokenDecoder::Step TokenDecoder::made(const TokenizerStep& step, bool fused) {
  StepReader read(step, "decoder");
  Step all;
  const std::string& type = step.type;
  if (type == "ByteLevel") {
    for (const char* const name : {"add_prefix_space", "trim_offsets", "use_regex"}) read.flag(name, true);
    all = [](std::string& token, bool) {
      if (auto bytes = from_byte_level(token)) token = std::move(*bytes);
    };
  } else if (type == "ByteFallback") {
    all = [](std::string& token, bool) {
      if (const int byte = byte_of_token(token); byte >= 0) token = std::string(1, static_cast<char>(byte));
    };
  } else if (type == "Metaspace") {
    const std::string mark = read.text("replacement", "\u2581");
    const bool legacy = read.flag("add_prefix_space", true);
    const bool drops = read.text("prepend_scheme", legacy ? "always" : "never") != "never";
    read.flag("split", true);
    read.text("str_rep", "");
    all = [=](std::string& token, bool first) { replace_all(token, mark, first && drops ? "" : " "); };
  } else if (type == "WordPiece") {
    const std::string prefix = read.text("prefix", "##");
    const bool cleans = read.flag("cleanup", true);
    all = [=](std::string& token, bool first) {
      if (!first) token.starts_with(prefix) ? token.erase(0, prefix.size()) : token.insert(0, " ");
      if (cleans) clean_up(token);
    };
  } else if (type == "Replace" && read.has("pattern.String")) {
    const std::string what = read.text("pattern.String"), by = read.text("content");
    if (what.empty()) read.refuse("replaces nothing");
    all = [=](std::string& token, bool) { replace_all(token, what, by); };
  } else if (type == "Strip") {
    const std::string what = read.text("content");
    const int64_t start = read.number("start", 0);
    if (read.number("stop", 0) != 0)
      read.refuse("weft does not know how to strip the end of what is still to come");
    all = [=](std::string& token, bool first) {
      if (fused && !first) return;
      for (int64_t i = 0; i < start && !what.empty() && token.starts_with(what); ++i)
        token.erase(0, what.size());
    };
  } else {
    fail<ValueError>("weft does not know the decoder ", type,
                     type == "Replace" ? " of a regular expression" : "");
  }
  read.finish();
  return all;
}

std::string TokenDecoder::bytes_of(std::string_view token, bool first) const {
  std::string bytes(token);
  for (const Step& step : steps_) step(bytes, first);
  return bytes;
}

}  // namespace weft
