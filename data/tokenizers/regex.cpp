#include <oniguruma.h>
#include <weft/data/text/utf8.h>
#include <weft/data/tokenizers/regex.h>
#include <weft/lib/base/error.h>

#include <mutex>

namespace weft {
namespace {

constexpr unsigned long most_retries = 1'000'000;

const OnigUChar* bytes_of(std::string_view text) {
  return reinterpret_cast<const OnigUChar*>(text.data());
}

std::string message_of(int code, OnigErrorInfo* info = nullptr) {
  OnigUChar text[ONIG_MAX_ERROR_MESSAGE_LEN];
  const int length = info ? onig_error_code_to_str(text, code, info) : onig_error_code_to_str(text, code);
  return {reinterpret_cast<const char*>(text), static_cast<size_t>(length)};
}

}  // namespace

struct Regex::Compiled {
  regex_t* regex = nullptr;
  ~Compiled() {
    if (regex) onig_free(regex);
  }
};

Regex::Regex(const std::string& pattern) : pattern_(pattern) {
  // Compiling shares tables; searching does not.
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  static const int begun = [] {
    OnigEncoding utf8[] = {ONIG_ENCODING_UTF8};
    return onig_initialize(utf8, 1);
  }();
  if (begun != ONIG_NORMAL) fail<StateError>("regular expressions: ", message_of(begun));
  for (size_t at = 0; at < pattern.size();) {
    const Utf8Char c = decode_utf8(std::string_view(pattern).substr(at, 4));
    if (c.length <= 0) fail<ValueError>("regular expression: not UTF-8 at byte ", at);
    at += static_cast<size_t>(c.length);
  }
  const auto compiled = std::make_shared<Compiled>();
  OnigErrorInfo info;
  const int code = onig_new(&compiled->regex, bytes_of(pattern), bytes_of(pattern) + pattern.size(),
                            ONIG_OPTION_NONE, ONIG_ENCODING_UTF8, ONIG_SYNTAX_RUBY, &info);
  if (code != ONIG_NORMAL)
    fail<ValueError>("regular expression '", pattern, "': ", message_of(code, &info));
  compiled_ = compiled;
}

std::vector<Encoding::Span> Regex::matches(std::string_view text) const {
  std::vector<Encoding::Span> all;
  const std::unique_ptr<OnigRegion, void (*)(OnigRegion*)> region(
      onig_region_new(), [](OnigRegion* r) { onig_region_free(r, 1); });
  const std::unique_ptr<OnigMatchParam, void (*)(OnigMatchParam*)> limits(onig_new_match_param(),
                                                                          onig_free_match_param);
  onig_initialize_match_param(limits.get());
  onig_set_retry_limit_in_match_of_match_param(limits.get(), most_retries);
  onig_set_match_stack_limit_size_of_match_param(limits.get(), 1 << 20);
  const OnigUChar *const begin = bytes_of(text), *const end = begin + text.size();
  for (size_t at = 0; at <= text.size();) {
    const int found = onig_search_with_param(compiled_->regex, begin, end, begin + at, end, region.get(),
                                             ONIG_OPTION_NONE, limits.get());
    if (found == ONIG_MISMATCH) break;
    if (found < 0)
      fail<ValueError>("regular expression '", pattern_, "': from byte ", at, " on: ", message_of(found));
    const auto from = static_cast<size_t>(region->beg[0]), to = static_cast<size_t>(region->end[0]);
    if (to > from) all.push_back({from, to});
    at = to;
    if (to > from) continue;
    if (at >= text.size()) break;
    const Utf8Char c = decode_utf8(text.substr(at, 4));
    at += c.length > 0 ? static_cast<size_t>(c.length) : 1;
  }
  return all;
}

std::string escaped_for_regex(std::string_view text) {
  constexpr std::string_view special = "\\^$.|?*+()[]{}-#";
  std::string all;
  for (const char c : text) {
    if (special.find(c) != std::string_view::npos) all += '\\';
    all += c;
  }
  return all;
}

}  // namespace weft
