#include <doctest/doctest.h>
#include <weft/data/loader.h>
#include <weft/data/tasks/registry.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <set>

using namespace weft;

namespace {

bool tokens_in(TaskKind kind) { return kind != TaskKind::pictures && kind != TaskKind::patches; }

bool same(const Batch& a, const Batch& b) {
  return a.inputs.identical(b.inputs) && a.targets.identical(b.targets) && a.lengths == b.lengths;
}

/// Row `row` in bytes, without its padding.
std::string content(const TaskDataset& task, const Batch& batch, int64_t row) {
  if (tokens_in(task.kind())) return task.input_text(batch, row);
  const int64_t size = batch.inputs.size() / batch.inputs.dim(0);
  return {reinterpret_cast<const char*>(batch.inputs.data<float>() + row * size),
          static_cast<size_t>(size) * 4};
}

void check_tokens(const TaskDataset& task, const Batch& batch) {
  const int64_t B = batch.inputs.dim(0), S = batch.inputs.dim(1);
  REQUIRE(batch.inputs.dtype() == int64);
  REQUIRE(batch.lengths.size() == static_cast<size_t>(B));
  CHECK(*std::ranges::max_element(batch.lengths) == S);
  CHECK(S <= task.sizes().longest_input);
  const int64_t* inputs = batch.inputs.data<int64_t>();
  const int64_t vocab = task.tokenizer()->vocab_size();
  for (int64_t b = 0; b < B; ++b)
    for (int64_t t = 0; t < S; ++t) {
      const int64_t id = inputs[b * S + t];
      CHECK((t < batch.lengths[static_cast<size_t>(b)] ? id > task.pad_id() && id < vocab
                                                       : id == task.pad_id()));
    }
}

void check_targets(const TaskDataset& task, const Batch& batch) {
  const int64_t B = batch.inputs.dim(0);
  REQUIRE(batch.targets.dtype() == int64);
  const std::span<const int64_t> targets = batch.targets.values<int64_t>();
  switch (task.kind()) {
    case TaskKind::classification:
    case TaskKind::pictures:
    case TaskKind::sounds:
      CHECK(batch.targets.shape() == Shape{B});
      break;
    case TaskKind::patches: {
      const TaskSizes sizes = task.sizes();
      CHECK(batch.targets.shape() == Shape{B, sizes.height / sizes.patch * (sizes.width / sizes.patch)});
      break;
    }
    case TaskKind::language:
    case TaskKind::masked:
      CHECK(batch.targets.shape() == batch.inputs.shape());
      break;
    case TaskKind::pairs:
    case TaskKind::transcripts:
      CHECK(batch.targets.dim(1) <= task.sizes().longest_target);
  }
  if (task.classes() > 0) {
    CHECK(*std::ranges::min_element(targets) >= 0);
    CHECK(*std::ranges::max_element(targets) < task.classes());
  }
  if (task.kind() != TaskKind::pairs) return;
  const auto T = static_cast<size_t>(batch.targets.dim(1));
  for (size_t b = 0; b < static_cast<size_t>(B); ++b) {
    const std::span<const int64_t> row = targets.subspan(b * T, T);
    const auto end = std::ranges::find(row, task.end_id());
    REQUIRE(end != row.end());
    CHECK(std::all_of(row.begin(), end,
                      [&](int64_t id) { return id > task.end_id() && id < task.tokenizer()->vocab_size(); }));
    CHECK(std::all_of(end + 1, row.end(), [](int64_t id) { return id == Batch::ignored; }));
  }
}

}  // namespace

TEST_CASE("every task gives sample n as a function of seed and n, padded on the right") {
  for (const std::string& name : generated_tasks()) {
    CAPTURE(name);
    const auto task = make_task(name, {.seed = 3}), again = make_task(name, {.seed = 3}),
               other = make_task(name, {.seed = 4});
    CHECK(task->name() == name);
    CHECK_FALSE(tasks().at(name).summary.empty());
    CHECK_FALSE(task->scores().empty());
    CHECK((task->tokenizer() != nullptr) == tokens_in(task->kind()));
    const Batch batch = task->batch(5, 40);
    if (tokens_in(task->kind())) {
      check_tokens(*task, batch);
    } else {
      const TaskSizes sizes = task->sizes();
      CHECK(batch.inputs.shape() == Shape{40, sizes.channels, sizes.height, sizes.width});
      CHECK(batch.inputs.dtype() == float32);
      CHECK(batch.inputs.all_finite());
    }
    check_targets(*task, batch);
    CHECK(same(batch, again->batch(5, 40)));
    CHECK_FALSE(same(batch, other->batch(5, 40)));
    for (int64_t row : {0, 17, 39}) {
      const Batch alone = task->batch(5 + row, 1);
      CHECK(content(*task, alone, 0) == content(*task, batch, row));
      CHECK(task->target_text(alone, 0) == task->target_text(batch, row));
      CHECK_FALSE(task->target_text(alone, 0).empty());
    }
    CHECK_THROWS_AS(task->batch(-1, 4), ValueError);
    CHECK_THROWS_AS(task->batch(0, 0), ValueError);
    CHECK_THROWS_AS(task->input_text(batch, 40), ValueError);
  }
}

TEST_CASE("a loader reads a task as any dataset") {
  Loader loader(make_task("copy"), 8);
  const Batch first = loader.next();
  CHECK(same(first, make_task("copy")->batch(0, 8)));
  CHECK(loader.epoch() == 0);
}

TEST_CASE("so many samples as were asked for come up once in each epoch, in changing order") {
  for (const std::string& name : generated_tasks()) {
    CAPTURE(name);
    const auto all = make_task(name, {.seed = 2}), few = make_task(name, {.seed = 2, .samples = 12});
    CHECK(few->samples_per_epoch() == 12);
    CHECK(all->samples_per_epoch() == TaskDataset::nominal_epoch);
    const auto contents = [](const TaskDataset& task, int64_t first, int64_t count) {
      std::vector<std::string> texts;
      const Batch batch = task.batch(first, count);
      for (int64_t row = 0; row < count; ++row) texts.push_back(content(task, batch, row));
      return texts;
    };
    std::vector<std::string> wanted = contents(*all, 0, 12), first = contents(*few, 0, 12),
                             second = contents(*few, 12, 12);
    CHECK(first != second);
    for (std::vector<std::string>* texts : {&wanted, &first, &second}) std::ranges::sort(*texts);
    CHECK(first == wanted);
    CHECK(first == second);
  }
}

TEST_CASE("nothing that validates is trained on, whatever the seeds") {
  for (const std::string& name : generated_tasks()) {
    CAPTURE(name);
    std::set<std::string> trained;
    for (const uint64_t seed : {1, 2}) {
      const auto task = make_task(name, {.seed = seed});
      const Batch batch = task->batch(0, 300);
      for (int64_t row = 0; row < 300; ++row) trained.insert(content(*task, batch, row));
    }
    const auto held = make_task(name, {.seed = 1, .split = Split::validation});
    const Batch batch = held->batch(0, 200);
    for (int64_t row = 0; row < 200; ++row) CHECK_FALSE(trained.contains(content(*held, batch, row)));
  }
}

TEST_CASE("a tenth of all content validates, decided by the content alone") {
  int held = 0;
  for (int i = 0; i < 10000; ++i) held += split_of("text " + std::to_string(i)) == Split::validation;
  CHECK(held > 900);
  CHECK(held < 1100);
  CHECK(split_of("a") == split_of(std::string("a")));
  const auto constant = [](Draws&) { return std::string("always the same"); };
  const auto itself = [](const std::string& text) { return text; };
  const Split of = split_of("always the same");
  CHECK(draw_in(of, 1, "test", 0, constant, itself) == "always the same");
  const Split other = of == Split::train ? Split::validation : Split::train;
  CHECK_THROWS_AS(draw_in(other, 1, "test", 0, constant, itself), ValueError);
}

TEST_CASE("draws are what they say") {
  Draws draws(random_key(1, 2), 3), again(random_key(1, 2), 3);
  std::vector<int> met(5, 0), places(6, 0), weighted(3, 0);
  for (int i = 0; i < 6000; ++i) {
    CHECK(draws.uniform() == again.uniform());
    ++met[static_cast<size_t>(draws.between(-2, 2) + 2)];
    again.between(-2, 2);
    const std::vector<int64_t> chosen = draws.subset(6, 2);
    CHECK(chosen == again.subset(6, 2));
    REQUIRE(chosen.size() == 2);
    CHECK(chosen[0] < chosen[1]);
    for (const int64_t place : chosen) ++places[static_cast<size_t>(place)];
    ++weighted[draws.weighted({1, 0, 3})];
    again.weighted({1, 0, 3});
  }
  for (const int count : met) CHECK(std::abs(count - 1200) < 150);
  for (const int count : places) CHECK(std::abs(count - 2000) < 180);
  CHECK(std::abs(weighted[0] - 1500) < 160);
  CHECK(weighted[1] == 0);
  CHECK(draws.subset(4, 4) == std::vector<int64_t>{0, 1, 2, 3});
  CHECK(draws.subset(4, 0).empty());
  CHECK_THROWS_AS(draws.subset(2, 3), ValueError);
}

TEST_CASE("a task that nobody knows, and options out of range, are refused") {
  CHECK_THROWS_WITH_AS(make_task("revers"), "there is no task 'revers'; did you mean 'reverse'?", ValueError);
  CHECK_THROWS_AS(tasks().at("nothing of ours").summary, ValueError);
  for (const std::string& name : generated_tasks()) {
    CAPTURE(name);
    CHECK_THROWS_AS(make_task(name, {.samples = -1}), ValueError);
    CHECK_THROWS_AS(make_task(name, {.min_length = -1}), ValueError);
    CHECK_THROWS_AS(make_task(name, {.min_length = 9, .max_length = 8}), ValueError);
    if (!tokens_in(make_task(name)->kind())) continue;
    const auto strange = std::make_shared<WordTokenizer>(WordTokenizer::of("the fox"));
    CHECK_THROWS_AS(make_task(name, {.tokenizer = strange}), ValueError);
    const auto own = std::dynamic_pointer_cast<const WordTokenizer>(make_task(name)->tokenizer());
    REQUIRE(own);
    CHECK(make_task(name, {.tokenizer = own})->tokenizer() == own);
  }
}

TEST_CASE("an answer is read up to its end") {
  const auto task = make_task("copy");
  const auto ids = task->tokenizer()->encode("<s> a b </s> c");
  CHECK(task->answer_text(ids) == "a b");
}
