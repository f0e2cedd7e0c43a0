#include <doctest/doctest.h>
#include <weft/data/tasks/table_task.h>

#include <cmath>

#include "checks.h"

using namespace weft;
using test::refuses;

namespace {

using Ids = std::vector<int64_t>;

TableTask task_of(const std::string& name, std::vector<TokenTask::Sample> samples, TaskOptions options = {},
                  std::vector<std::string> classes = {}) {
  const TableForm& form = table_form(name);
  return {form,
          std::move(options),
          with_special(std::make_shared<CharTokenizer>(CharTokenizer::of("abcdefgh")), form.special),
          std::move(samples),
          {},
          std::move(classes)};
}

std::string text_of(const TableTask& task, const Ids& ids) { return task.tokenizer()->decode(ids); }

}  // namespace

TEST_CASE("table task: samples as they were given, padded on the right") {
  const TableTask pairs =
      task_of("pairs", {{{0, 1, 10}, {2, 10}}, {{3, 10}, {4, 5, 6, 10}}}, {.split = Split::validation});
  CHECK(pairs.size() == 2);
  CHECK(pairs.samples_per_epoch() == 2);
  CHECK(pairs.sizes().longest_input == 3);
  CHECK(pairs.sizes().longest_target == 4);
  CHECK(pairs.lengths(1).input == 2);
  CHECK(pairs.lengths(1).target == 4);
  CHECK(std::isnan(pairs.best_accuracy()));
  const Batch batch = pairs.batch(0, 2);
  const int64_t no = Batch::ignored;
  CHECK(batch.inputs.identical(Array::from(Ids{0, 1, 10, 3, 10, 8}, {2, 3})));
  CHECK(batch.targets.identical(Array::from(Ids{2, 10, no, no, 4, 5, 6, 10}, {2, 4})));
  CHECK(batch.lengths == Ids{3, 2});
  CHECK(pairs.batch(100, 3).lengths == Ids{3, 2, 3});  // epoch after epoch
  refuses<ValueError>([&] { pairs.sample(2); }, {"no sample 2 among 2"});
  REQUIRE(pairs.prompts(batch, 1).size() == 1);
  CHECK(pairs.prompts(batch, 1)[0].ids == Ids{3, 10});
  CHECK(pairs.prompts(batch, 1)[0].answer == "efg");

  const TableTask classes = task_of("classify", {{{9, 0, 10}, {1}}, {{9, 1, 2, 10}, {0}}},
                                    {.split = Split::validation}, {"no", "yes"});
  const Batch labelled = classes.batch(0, 2);
  CHECK(labelled.targets.identical(Array::from(Ids{1, 0}, {2})));
  CHECK(classes.target_text(labelled, 0) == "yes");
  CHECK(classes.lengths(0).target == 0);
  CHECK_FALSE(classes.asks());
}

TEST_CASE("table task: of a chat each answer is asked for, knowing what was said before") {
  const int64_t no = Batch::ignored;
  const Ids input{11, 1, 9, 12, 2, 3, 9, 11, 4, 9, 12, 5}, target{no, no, no, 2, 3, 9, no, no, no, no, 5, 9};
  const TableTask chat =
      task_of("chat", {{input, target}, {{11, 0, 9, 12}, {no, no, no, 1}}}, {.split = Split::validation});
  const Batch batch = chat.batch(0, 2);
  CHECK(chat.asks());
  CHECK(chat.sizes().longest_target == 3);
  CHECK(batch.targets.shape() == batch.inputs.shape());
  const auto prompts = chat.prompts(batch, 0);
  REQUIRE(prompts.size() == 2);
  CHECK(prompts[0].ids == Ids{11, 1, 9, 12});
  CHECK(prompts[0].answer == "cd");
  CHECK(prompts[1].ids == Ids{11, 1, 9, 12, 2, 3, 9, 11, 4, 9, 12});
  CHECK(prompts[1].answer == "f");
  REQUIRE(chat.prompts(batch, 1).size() == 1);
  CHECK(chat.prompts(batch, 1)[0].ids == Ids{11, 0, 9, 12});
  CHECK(chat.prompts(batch, 1)[0].answer == "b");
}

TEST_CASE("table task: masked words are a function of (seed, index), and never special ones") {
  std::vector<TokenTask::Sample> samples;
  for (int64_t i = 0; i < 40; ++i)
    samples.push_back({{9, i % 8, (i + 1) % 8, (i + 2) % 8, i / 8, 3, 10}, {}});
  const TaskOptions options{.seed = 4, .split = Split::validation, .mask_share = 0.4};
  const TableTask task = task_of("masked", samples, options), again = task_of("masked", samples, options);
  int differ = 0;
  for (uint64_t i = 0; i < 40; ++i) {
    const TokenTask::Sample one = task.sample(i);
    CHECK(one.input == again.sample(i).input);
    CHECK(one.target == again.sample(i).target);
    REQUIRE(one.target.size() == 7);
    CHECK(std::ranges::count(one.target, Batch::ignored) == 5);
    CHECK(one.input.front() == 9);
    CHECK(one.input.back() == 10);
    for (size_t t = 0; t < 7; ++t) {
      const bool hidden = one.target[t] != Batch::ignored;
      CHECK((hidden ? one.target[t] : one.input[t]) == samples[i].input[t]);
      CHECK((one.input[t] < 8 || one.input[t] >= 9));  // no padding is put in
      differ += one.input[t] == 11;
    }
  }
  CHECK(differ > 40);
  // Of the split that trains all is there to be hidden by others; looked at as it is evaluated, it is hidden.
  const TableTask trains = task_of("masked", samples, {.seed = 4, .samples = 40, .mask_share = 0.4});
  CHECK(trains.sample(3).input == samples[3].input);
  CHECK(trains.sample(3).target.empty());
  const TableTask seen(trains, Split::validation);
  CHECK(seen.sample(3).target == task.sample(3).target);
  CHECK(seen.size() == 40);
}

TEST_CASE("table task: ids that are special, in rising order") {
  const TableTask chat = task_of("chat", {{{0}, {1}}});
  CHECK(special_ids(*chat.tokenizer()) == Ids{8, 9, 10, 11, 12});
  CHECK(special_ids(ByteTokenizer()).empty());
  CHECK(text_of(chat, {0, 11}) == "a<|user|>");
}

TEST_CASE("table task: what a model writes is text, whatever bytes its tokens are") {
  const TableForm& form = table_form("pairs");
  const TableTask pairs(form, {.split = Split::validation},
                        with_special(std::make_shared<ByteTokenizer>(), form.special),
                        {{{65, 258}, {66, 258}}}, {});
  CHECK(pairs.answer_text(Ids{0xC3, 0xA9, 65, 258, 66}) == "\u00e9A");
  CHECK(pairs.answer_text(Ids{65, 0xC3, 66, 0xFF}) == "A\uFFFDB\uFFFD");
  CHECK(pairs.answer_text(Ids{65, 0xC3}) == "A\uFFFD");
}

TEST_CASE("table task: what is right of a chat is a line for each answer") {
  const int64_t no = Batch::ignored;
  const TableTask chat = task_of(
      "chat", {{{11, 1, 9, 12, 2, 3, 9, 11, 4, 9, 12, 5}, {no, no, no, 2, 3, 9, no, no, no, no, 5, 9}}},
      {.split = Split::validation});
  CHECK(chat.target_text(chat.batch(0, 1), 0) == "cd\nf");
}
