#include <doctest/doctest.h>
#include <weft/data/tasks/registry.h>
#include <weft/data/tasks/table_task.h>
#include <weft/layers/models/bert.h>
#include <weft/layers/models/gpt.h>
#include <weft/layers/models/transformer.h>
#include <weft/lib/array/random.h>
#include <weft/train/scoring.h>

#include <cmath>

#include "checks.h"

namespace weft::test {
namespace {

using Ids = std::vector<int64_t>;

std::shared_ptr<const Tokenizer> letters(const char* task) {
  return with_special(std::make_shared<CharTokenizer>(CharTokenizer::of("abcdefgh")),
                      table_form(task).special);
}

/// Samples of a task of texts, in which nothing repeats.
TableTask task_of(const char* name, std::vector<std::vector<std::string>> records, const Ids& classes = {},
                  std::vector<std::string> class_names = {}) {
  const TableForm& form = table_form(name);
  const auto tokenizer = letters(name);
  std::vector<TokenTask::Sample> samples;
  for (size_t i = 0; i < records.size(); ++i) {
    samples.push_back(form.sample(*tokenizer, SpecialIds::of(*tokenizer), records[i]));
    if (!classes.empty()) samples.back().target = {classes[i]};
  }
  return {form,      {.seed = 2, .split = Split::validation, .mask_share = 0.3},
          tokenizer, std::move(samples),
          {},        std::move(class_names)};
}

BERT small_bert(const TaskDataset& task) {
  const RandomScope random({.seed = 4});
  return BERT({.vocab_size = task.tokenizer()->vocab_size(),
               .block_size = 16,
               .n_layer = 1,
               .n_head = 2,
               .n_embd = 16,
               .n_class = task.classes()});
}

Transformer small_transformer(const TaskDataset& task) {
  const RandomScope random({.seed = 4});
  return Transformer({.vocab_size = task.tokenizer()->vocab_size(),
                      .block_size = 16,
                      .n_layer = 1,
                      .n_head = 2,
                      .n_embd = 16,
                      .start_id = task.start_id()});
}

double score_named(const TaskScores& all, const std::string& name) {
  for (const Score& one : all.scores)
    if (one.name == name) return one.value;
  FAIL("no score " << name);
  return 0;
}

std::vector<RowScore> rows_of(Model& model, const TaskDataset& task, int64_t batch_size,
                              TaskScores* all = nullptr, int64_t beams = 0) {
  std::vector<RowScore> rows;
  const TaskScores found =
      score(model, task, task.samples_per_epoch(),
            {.batch_size = batch_size, .beams = beams, .row = [&](int64_t sample, const RowScore& row) {
               CHECK(sample == std::ssize(rows));
               rows.push_back(row);
             }});
  if (all) *all = found;
  return rows;
}

/// Those of every sample alone and of all together.
void check_rows(Model& model, const TaskDataset& task, int64_t beams = 0) {
  TaskScores at_once, alone;
  const std::vector<RowScore> a = rows_of(model, task, 100, &at_once, beams),
                              b = rows_of(model, task, 1, &alone, beams);
  REQUIRE(a.size() == static_cast<size_t>(task.samples_per_epoch()));
  REQUIRE(b.size() == a.size());
  double sum = 0;
  int64_t tokens = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].loss == b[i].loss);
    CHECK(a[i].answer == b[i].answer);
    CHECK(a[i].target == b[i].target);
    CHECK(a[i].probability == b[i].probability);
    sum += a[i].loss;
    tokens += a[i].tokens;
  }
  CHECK(tokens == at_once.tokens);
  CHECK(score_named(at_once, "loss") == doctest::Approx(sum / static_cast<double>(tokens)).epsilon(1e-6));
  for (size_t i = 0; i < at_once.scores.size(); ++i) CHECK(at_once.scores[i].value == alone.scores[i].value);
}

const std::vector<std::vector<std::string>> texts = {{"abc"}, {"hgfedc"}, {"b"}, {"aaf"},
                                                     {"ceg"}, {"cd"},     {"gh"}};

}  // namespace

TEST_CASE("scores of classes: a row each, with its probability") {
  const TableTask task = task_of("classify", texts, {0, 1, 2, 0, 1, 2, 0}, {"x", "y", "z"});
  BERT model = small_bert(task);
  check_rows(model, task);
  TaskScores all;
  const std::vector<RowScore> rows = rows_of(model, task, 4, &all);
  REQUIRE(all.confusion.has_value());
  double right = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    CHECK(rows[i].target == task.class_names()[static_cast<size_t>(task.sample(i).target[0])]);
    CHECK(rows[i].tokens == 1);
    CHECK(rows[i].probability > 1.0 / 3);
    CHECK(rows[i].probability < 1);
    right += rows[i].answer == rows[i].target;
    if (rows[i].answer == rows[i].target)
      CHECK(rows[i].probability == doctest::Approx(std::exp(-rows[i].loss)).epsilon(1e-5));
    else
      CHECK(rows[i].probability >= std::exp(-rows[i].loss));
  }
  CHECK(score_named(all, "accuracy") == doctest::Approx(right / 7));
  const Batch batch = task.batch(0, 7);
  for (int64_t row = 0; row < 7; ++row)
    CHECK(answer_of(model, task, batch, row) == rows[static_cast<size_t>(row)].answer);
}

TEST_CASE("scores of pairs: what is written, greedily or with beams") {
  const TableTask task = task_of("pairs", {{"abc", "cb"}, {"h", "aabbh"}, {"dd", "e"}, {"abcdef", "a"}});
  Transformer model = small_transformer(task);
  check_rows(model, task);
  check_rows(model, task, 3);
  CHECK(rows_of(model, task, 2)[1].target == "aabbh");
  CHECK(rows_of(model, task, 2)[1].tokens == 6);
  const Batch batch = task.batch(0, 4);
  for (int64_t row = 0; row < 4; ++row)
    CHECK(answer_of(model, task, batch, row) == rows_of(model, task, 4)[static_cast<size_t>(row)].answer);
}

TEST_CASE("scores of chats: each answer is written behind what was said before it") {
  const TableTask task = task_of("chat", {{"user", "ab", "assistant", "c", "user", "d", "assistant", "ef"},
                                          {"system", "a", "user", "h", "assistant", "g"}});
  const RandomScope random({.seed = 4});
  GPT model({.vocab_size = task.tokenizer()->vocab_size(),
             .block_size = 32,
             .n_layer = 1,
             .n_head = 2,
             .n_embd = 16});
  check_rows(model, task);
  const std::vector<RowScore> rows = rows_of(model, task, 2);
  CHECK(rows[0].target == "c\nef");
  CHECK(rows[0].tokens == 5);
  CHECK(std::ranges::count(rows[0].answer, '\n') == 1);
  CHECK(rows[1].target == "g");
}

TEST_CASE("pseudo-perplexity: each token hidden alone, by hand") {
  const TableTask task = task_of("masked", texts);
  BERT model = small_bert(task);
  check_rows(model, task);
  const NoGrad no_grad;
  model.eval();
  double sum = 0;
  int64_t count = 0;
  for (uint64_t i = 0; i < texts.size(); ++i) {
    Ids whole{task.special().cls};
    for (const char c : texts[i][0]) whole.push_back(c - 'a');
    whole.push_back(task.special().sep);
    for (size_t place = 1; place + 1 < whole.size(); ++place) {
      Ids hidden = whole;
      hidden[place] = task.special().mask;
      const int64_t T = std::ssize(hidden);
      const Array logits =
          model.logits({Array::from(hidden, {1, T}), Array::zeros({1, T}, int64)}).value().to(float64);
      const auto row = logits.values<double>().subspan(place * static_cast<size_t>(logits.dim(-1)),
                                                       static_cast<size_t>(logits.dim(-1)));
      double all = 0;
      for (const double value : row) all += std::exp(value);
      sum += std::log(all) - row[static_cast<size_t>(whole[place])];
      ++count;
    }
  }
  int64_t asked = 0;
  model.train();
  const double found = pseudo_perplexity(model, task, 7, [&](int64_t done) { CHECK(done == asked++); });
  CHECK(model.training());
  CHECK(found == doctest::Approx(std::exp(sum / static_cast<double>(count))).epsilon(1e-5));
  CHECK(asked == 7);
}

}  // namespace weft::test
