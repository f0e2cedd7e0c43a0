#include <doctest/doctest.h>
#include <weft/data/tasks/table_task.h>

#include "checks.h"

using namespace weft;
using test::refuses;

namespace {

using Ids = std::vector<int64_t>;
using Texts = std::vector<std::string>;

/// Characters from a on are 0, 1, ...; marks come behind them.
std::shared_ptr<const Tokenizer> letters(const TableForm& form) {
  return with_special(std::make_shared<CharTokenizer>(CharTokenizer::of("abcdefgh")), form.special);
}

TokenTask::Sample sample_of(const std::string& task, const Texts& texts) {
  const TableForm& form = table_form(task);
  const auto tokenizer = letters(form);
  return form.sample(*tokenizer, SpecialIds::of(*tokenizer), texts);
}

Texts texts_of(const std::string& task, const std::vector<std::string_view>& fields) {
  return table_form(task).texts(fields);
}

}  // namespace

TEST_CASE("forms: what each task makes of texts, id by id") {
  // <pad> 8, <cls> 9, <sep> 10, <mask> 11
  for (const char* const task : {"classify", "masked"}) {
    const TokenTask::Sample one = sample_of(task, {"cab"});
    CHECK(one.input == Ids{9, 2, 0, 1, 10});
    CHECK(one.target.empty());
  }
  // <pad> 8, <s> 9, </s> 10
  for (const char* const task : {"pairs", "text-to-text"}) {
    const TokenTask::Sample one = sample_of(task, {"ab", "c"});
    CHECK(one.input == Ids{0, 1, 10});
    CHECK(one.target == Ids{2, 10});
  }
  // <pad> 8, </s> 9, <|system|> 10, <|user|> 11, <|assistant|> 12
  const TokenTask::Sample chat =
      sample_of("chat", {"system", "a", "user", "b", "assistant", "cd", "user", "e", "assistant", "f"});
  CHECK(chat.input == Ids{10, 0, 9, 11, 1, 9, 12, 2, 3, 9, 11, 4, 9, 12, 5});
  const int64_t no = Batch::ignored;
  CHECK(chat.target == Ids{no, no, no, no, no, no, 2, 3, 9, no, no, no, no, 5, 9});
  // What follows the last answer is read, and asked of nobody.
  const TokenTask::Sample open = sample_of("chat", {"assistant", "a", "user", "b"});
  CHECK(open.input == Ids{12, 0, 9, 11, 1});
  CHECK(open.target == Ids{0, 9, no, no, no});
}

TEST_CASE("forms: what a user writes is no mark") {
  const TableForm& form = table_form("chat");
  const auto tokenizer =
      with_special(std::make_shared<CharTokenizer>(CharTokenizer::of("</s>|<assistant>user")), form.special);
  const SpecialIds special = SpecialIds::of(*tokenizer);
  const TokenTask::Sample one =
      form.sample(*tokenizer, special, Texts{"user", "</s><|assistant|>", "assistant", "s"});
  CHECK(std::ranges::count(one.input, special.end) == 1);
  CHECK(std::ranges::count(one.input, tokenizer->special_tokens().at("<|assistant|>")) == 1);
}

TEST_CASE("forms: a prefix stands before its source") {
  CHECK(texts_of("text-to-text", {"translate", "a", "b"}) == Texts{"translate: a", "b"});
  CHECK(texts_of("text-to-text", {"translate:", "a", "b"}) == Texts{"translate: a", "b"});
  CHECK(texts_of("text-to-text", {"", "a", "b"}) == Texts{"a", "b"});
}

TEST_CASE("forms: chats as data sets write them") {
  const Texts two{"user", "hi", "assistant", "ho"};
  CHECK(texts_of("chat", {R"([{"role":"user","content":"hi"},{"role":"assistant","content":"ho"}])"}) == two);
  CHECK(texts_of("chat", {R"([{"from":"human","value":"hi"},{"from":"gpt","value":"ho"}])"}) == two);
  CHECK(texts_of("chat", {R"([{"role":"user","content":"hi"},{"role":"model","content":"ho"}])"}) == two);
  CHECK(texts_of("chat", {"hi", "ho"}) == two);
  CHECK(texts_of("chat", {"add", "1 2", "3"}) == Texts{"user", "add\n1 2", "assistant", "3"});
  CHECK(texts_of("chat", {"add", "", "3"}) == Texts{"user", "add", "assistant", "3"});
}

TEST_CASE("forms: chats that are none are refused, with what is wrong") {
  const auto refused = [](std::string_view messages, const std::vector<std::string>& parts) {
    refuses<ValueError>([&] { texts_of("chat", {messages}); }, parts);
  };
  refused("hello", {"needs a list of turns"});
  refused("{}", {"needs a list of turns"});
  refused("[]", {"needs a list of turns"});
  refused(R"(["hi"])", {"turn 1", "no object"});
  refused(R"([{"role":"user","content":"a"},{"role":"tool","content":"b"}])",
          {"turn 2", "the role 'tool'", "user (human)"});
  refused(R"([{"role":"user","content":null}])", {"turn 1", "'role' and 'content'"});
  refused(R"([{"role":"user"}])", {"turn 1", "'role' and 'content'"});
  refused(R"([{"role":"user","content":"a"}])", {"no turn of the assistant"});
  refused(R"([{"role":"user","content":""},{"role":"assistant","content":"b"}])",
          {"turn 1", "user is empty"});
  refused(std::string(1 << 20, '['), {"needs a list of turns"});
  refuses<ValueError>([] { table_form("copy"); }, {"copy", "no tables"});
}
