// Texts that a model is given by hand, without the program.
#include <doctest/doctest.h>
#include <weft/lib/base/advice.h>
#include <weft/tools/commands/model_input.h>

#include <algorithm>
#include <memory>
#include <string>

namespace weft::tools {
namespace {

/// Counts what it is asked to read, and the ids that it hands out.
struct Counting : CharTokenizer {
  using CharTokenizer::CharTokenizer;
  mutable size_t read = 0, most_ids = 0;
  size_t append_ids(std::string_view text, std::vector<int64_t>& ids) const override {
    read += text.size();
    const size_t known = CharTokenizer::append_ids(text, ids);
    most_ids = std::max(most_ids, ids.size());
    return known;
  }
};

/// What is said of a text that is not known.
struct Refused {
  std::string text;
  Advice advice;
};
Refused refused_input(const ModelFile& model, const std::string& text) {
  try {
    ids_of_text(model, "--prompt", text);
  } catch (const ValueError& error) {
    return {error.what(), advice_of(error)};
  }
  FAIL("is taken");
  return {};
}

}  // namespace

TEST_CASE(
    "text: what is known of it is told, if it is short; however much is unknown, it is read in no time") {
  const auto tokenizer = std::make_shared<Counting>(std::vector<char32_t>{'a', 'b', 0xE9});
  ModelFile model;
  model.tokenizer = tokenizer;
  const Refused few = refused_input(model,
                                    "xaX\u00e9\u65e5b\xFF"
                                    "ab\u65e5");
  CHECK(few.text.find("--prompt: encode: character 'x' (U+0078) at position 0") == 0);
  CHECK(few.advice == Advice{.typed = {"xaX\u00e9\u65e5b\xFF"
                                       "ab\u65e5"},
                             .meant = {"a\u00e9bab"}});
  CHECK(tokenizer->most_ids <= 2);
  CHECK(refused_input(model, "xyz").advice == Advice());
  std::string many;
  for (int i = 0; i < 100'000; ++i) many += "ax";
  tokenizer->read = tokenizer->most_ids = 0;
  CHECK(refused_input(model, many).advice == Advice());
  CHECK(tokenizer->read <= 2 * many.size());
  CHECK(tokenizer->most_ids <= 1);
  many.resize(300);
  CHECK(refused_input(model, many).advice.meant == std::vector{std::string(150, 'a')});
}

}  // namespace weft::tools
