// Oniguruma is not linked, but loaded by the first pattern: most programs have none, and need not start slower.
#include <dlfcn.h>
#include <oniguruma.h>
#include <weft/data/text/utf8.h>
#include <weft/data/tokenizers/regex.h>
#include <weft/lib/base/error.h>

#include <mutex>

namespace weft {
namespace {

struct Oniguruma {
  decltype(&::onig_initialize) initialize;
  decltype(&::onig_new) create;
  decltype(&::onig_free) destroy;
  decltype(&::onig_search_with_param) search;
  decltype(&::onig_region_new) region_new;
  decltype(&::onig_region_free) region_free;
  decltype(&::onig_new_match_param) param_new;
  decltype(&::onig_free_match_param) param_free;
  decltype(&::onig_initialize_match_param) param_initialize;
  decltype(&::onig_set_retry_limit_in_match_of_match_param) set_retry_limit;
  decltype(&::onig_set_match_stack_limit_size_of_match_param) set_stack_limit;
  decltype(&::onig_error_code_to_str) error_text;
  decltype(&::OnigEncodingUTF8) utf8;
  decltype(&::OnigSyntaxRuby) ruby;
};

template <class Function>
void find_symbol(void* library, const char* name, Function& to) {
  void* const found = library != nullptr ? ::dlsym(library, name) : nullptr;
  if (found == nullptr)
    fail<FileError>("libonig.so.5: the regular expressions of a tokenizer need it, but it cannot be loaded (",
                    ::dlerror(), "); apt install libonig5");
  to = reinterpret_cast<Function>(found);
}

const Oniguruma& oniguruma() {
  static const Oniguruma all = [] {
    void* const library = ::dlopen("libonig.so.5", RTLD_NOW | RTLD_LOCAL);
    Oniguruma o{};
    find_symbol(library, "onig_initialize", o.initialize);
    find_symbol(library, "onig_new", o.create);
    find_symbol(library, "onig_free", o.destroy);
    find_symbol(library, "onig_search_with_param", o.search);
    find_symbol(library, "onig_region_new", o.region_new);
    find_symbol(library, "onig_region_free", o.region_free);
    find_symbol(library, "onig_new_match_param", o.param_new);
    find_symbol(library, "onig_free_match_param", o.param_free);
    find_symbol(library, "onig_initialize_match_param", o.param_initialize);
    find_symbol(library, "onig_set_retry_limit_in_match_of_match_param", o.set_retry_limit);
    find_symbol(library, "onig_set_match_stack_limit_size_of_match_param", o.set_stack_limit);
    find_symbol(library, "onig_error_code_to_str", o.error_text);
    find_symbol(library, "OnigEncodingUTF8", o.utf8);
    find_symbol(library, "OnigSyntaxRuby", o.ruby);
    OnigEncoding encodings[] = {o.utf8};
    if (o.initialize(encodings, 1) != ONIG_NORMAL)
      fail<StateError>("regular expressions: Oniguruma does not begin");
    return o;
  }();
  return all;
}

constexpr unsigned long most_retries = 1'000'000;

const OnigUChar* bytes_of(std::string_view text) { return reinterpret_cast<const OnigUChar*>(text.data()); }

std::string message_of(int code, OnigErrorInfo* info = nullptr) {
  OnigUChar text[ONIG_MAX_ERROR_MESSAGE_LEN];
  const int length = info ? oniguruma().error_text(text, code, info) : oniguruma().error_text(text, code);
  return {reinterpret_cast<const char*>(text), static_cast<size_t>(length)};
}

}  // namespace

struct Regex::Compiled {
  regex_t* regex = nullptr;
  ~Compiled() {
    if (regex) oniguruma().destroy(regex);
  }
};

Regex::Regex(const std::string& pattern) : pattern_(pattern) {
  // Compiling shares tables; searching does not.
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  for (size_t at = 0; at < pattern.size();) {
    const Utf8Char c = decode_utf8(std::string_view(pattern).substr(at, 4));
    if (c.length <= 0) fail<ValueError>("regular expression: not UTF-8 at byte ", at);
    at += static_cast<size_t>(c.length);
  }
  const auto compiled = std::make_shared<Compiled>();
  OnigErrorInfo info;
  const int code = oniguruma().create(&compiled->regex, bytes_of(pattern), bytes_of(pattern) + pattern.size(),
                                      ONIG_OPTION_NONE, oniguruma().utf8, oniguruma().ruby, &info);
  if (code != ONIG_NORMAL) fail<ValueError>("regular expression '", pattern, "': ", message_of(code, &info));
  compiled_ = compiled;
}

std::vector<Encoding::Span> Regex::matches(std::string_view text) const {
  std::vector<Encoding::Span> all;
  const Oniguruma& onig = oniguruma();
  const std::unique_ptr<OnigRegion, void (*)(OnigRegion*)> region(
      onig.region_new(), [](OnigRegion* r) { oniguruma().region_free(r, 1); });
  const std::unique_ptr<OnigMatchParam, void (*)(OnigMatchParam*)> limits(onig.param_new(), onig.param_free);
  onig.param_initialize(limits.get());
  onig.set_retry_limit(limits.get(), most_retries);
  onig.set_stack_limit(limits.get(), 1 << 20);
  const OnigUChar *const begin = bytes_of(text), *const end = begin + text.size();
  for (size_t at = 0; at <= text.size();) {
    const int found = onig.search(compiled_->regex, begin, end, begin + at, end, region.get(),
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
