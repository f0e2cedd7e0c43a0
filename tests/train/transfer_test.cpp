#include <doctest/doctest.h>
#include <weft/autograd/ops.h>
#include <weft/data/text/word_tokenizer.h>
#include <weft/layers/models/registry.h>
#include <weft/lib/array/random.h>
#include <weft/optim/make_optimizer.h>
#include <weft/optim/parameter_groups.h>
#include <weft/train/transfer.h>

#include <memory>
#include <string>
#include <vector>

#include "checks.h"

namespace weft::test {
namespace {

std::unique_ptr<Model> made(const std::string& kind, SettingValues given, int64_t vocab_size, uint64_t seed) {
  given.set("n_embd", int64_t{8});
  given.set("n_layer", int64_t{1});
  given.set("n_head", int64_t{2});
  const RandomScope random({.seed = seed});
  const ModelEntry& entry = models().at(kind);
  return entry.make(entry.settings_for(given, {.kind = entry.learns[0],
                                               .vocab_size = vocab_size,
                                               .pad_id = 0,
                                               .start_id = 1,
                                               .end_id = 2,
                                               .sizes = {.longest_input = 8, .longest_target = 8}}));
}

std::unique_ptr<Optimizer> optimizer_of(const std::string& name, const Model& model) {
  return make_optimizer(name, parameter_groups(model.parameters(), {}));
}

/// A model that has made an update of everything, as a file has it.
OpenedModel opened(Model& model, std::shared_ptr<const Tokenizer> tokenizer,
                   const std::string& optimizer_name) {
  const auto optimizer = optimizer_of(optimizer_name, model);
  uint64_t number = 0;
  for (NamedTensor& p : optimizer->parameters()) {
    Array grad = Array::zeros(p.tensor.shape());
    for (int64_t i = 0; i < grad.size(); ++i)
      grad.mutable_data<float>()[i] =
          static_cast<float>(uniform_at({3, 3}, number, static_cast<uint64_t>(i)));
    ++number;
    sum(p.tensor * Tensor(grad)).backward();
  }
  optimizer->step();
  OpenedModel file{.path = "old.h5"};
  file.checkpoint.model = {.kind = model.kind(),
                           .settings = model.config_state(),
                           .weights = model.state_dict(),
                           .tokenizer = std::move(tokenizer)};
  file.checkpoint.training = TrainingState{.step = 1, .ema_updates = 1, .optimizer = optimizer->state_dict()};
  return file;
}

/// Row `id` of an array (V, ...).
std::vector<float> row(const Array& array, int64_t id) {
  const int64_t width = array.size() / array.dim(0);
  const auto values =
      array.values<float>().subspan(static_cast<size_t>(id * width), static_cast<size_t>(width));
  return {values.begin(), values.end()};
}

/// differences() names what is not the source's, of a model that has taken its weights.
void check_differences(const Transfer& transfer, const Model& model, const OpenedModel& source) {
  const Transfer::Differences differ = transfer.differences(model);
  const StateDict now = model.state_dict(), &before = source.checkpoint.model.weights;
  for (const std::string& name : now.keys()) {
    const auto told = std::ranges::count(differ.fresh, name) + std::ranges::count(differ.changed, name);
    const bool same = before.contains(name) && before.array(name).identical(now.array(name));
    CHECK_MESSAGE(told == (same ? 0 : 1), name);
  }
}

struct Case {
  const char* kind;
  SettingValues settings;
  std::shared_ptr<const Tokenizer> before, now;
  std::vector<std::string> tables;
  const char* optimizer = "adamw";
};

std::vector<Case> cases() {
  const auto chars = [](const char* text) {
    return std::make_shared<CharTokenizer>(CharTokenizer::of(text));
  };
  const auto words = [](const char* text) {
    return std::make_shared<WordTokenizer>(WordTokenizer::of(text));
  };
  const auto bytes = std::make_shared<ByteTokenizer>();
  const SettingValues untied{{"tie_embeddings", false}};
  return {
      {"gpt2", {}, chars("abcdefg"), chars("bcxdefgh"), {"token_embedding.weight"}},
      {"gpt2", {}, chars("abcdefgh"), bytes, {"token_embedding.weight"}, "lion"},
      {"gpt2", {}, bytes, chars("bcd"), {"token_embedding.weight"}, "adafactor"},
      {"llama",
       untied,
       chars("abcdefgh"),
       chars("abcdefghi"),
       {"token_embedding.weight", "output.weight"},
       "muon"},
      {"bert", {}, words("a b c d"), words("c d e f g"), {"token_embedding.weight", "head.bias"}},
      {"transformer", {}, words("a b c"), words("x b c d"), {"token_embedding.weight"}, "lion"},
      {"t5", untied, words("a b c"), words("a b c d"), {"token_embedding.weight", "output.weight"}, "adam"},
      {"lstm-seq2seq",
       untied,
       words("a b c"),
       words("b"),
       {"token_embedding.weight", "head.weight"},
       "adafactor"}};
}

}  // namespace

TEST_CASE("transfer: what is of the vocabulary follows its tokens, and so does the optimizer's state") {
  for (const Case& c : cases()) {
    CAPTURE(c.kind);
    CAPTURE(c.optimizer);
    const auto old = made(c.kind, c.settings, c.before->vocab_size(), 1);
    const OpenedModel source = opened(*old, c.before, c.optimizer);
    const auto model = made(c.kind, c.settings, c.now->vocab_size(), 2);
    TaskData task;
    task.tokenizer = c.now;
    const Transfer transfer(source, *model, task);
    std::string said;
    const Say say = [&](std::string_view line) { said += str(line, "\n"); };
    transfer.take_weights(*model, say);
    const VocabularyChange change(*c.before, *c.now);
    REQUIRE(change.kept() > 0);
    check_differences(transfer, *model, source);
    const Transfer::Differences differ = transfer.differences(*model);
    CHECK((change.now() > change.kept() ? differ.fresh : differ.changed) == [&] {
      std::vector<std::string> tables = c.tables;
      std::ranges::sort(tables);
      return tables;
    }());
    CHECK_MESSAGE(said.find("new:") == std::string::npos, said);
    const StateDict now = model->state_dict(), &before = source.checkpoint.model.weights;
    for (const std::string& name : now.keys()) {
      const bool table = std::ranges::count(c.tables, name) > 0;
      CHECK_MESSAGE((table || now.array(name).identical(before.array(name))), name);
    }
    for (const std::string& name : c.tables) {
      CAPTURE(name);
      CHECK_MESSAGE(said.find(str(" of ", name, " follow their ")) != std::string::npos, said);
      for (int64_t id = 0; id < change.now(); ++id)
        if (const int64_t from = change.from()[static_cast<size_t>(id)]; from >= 0)
          CHECK(row(now.array(name), id) == row(before.array(name), from));
    }

    const auto optimizer = optimizer_of(c.optimizer, *model);
    said.clear();
    transfer.take_optimizer(*optimizer, say);
    const size_t all = model->parameters().size();
    CHECK_MESSAGE(
        said.find(str("the state of ", all, " of ", all, " parameters goes on")) != std::string::npos, said);
    const StateDict slots = optimizer->state_dict(), &slots_before = source.checkpoint.training->optimizer;
    int seen = 0;
    for (const std::string& slot : slots.keys()) {
      if (slot == "step") continue;
      for (const std::string& name : c.tables) {
        if (!slots.dict(slot).contains(name)) continue;
        const Array &state = slots.dict(slot).array(name), &theirs = slots_before.dict(slot).array(name);
        if (state.dim(0) == 1) {  // shared by all rows
          CHECK(state.identical(theirs));
          continue;
        }
        ++seen;
        for (int64_t id = 0; id < change.now(); ++id) {
          const int64_t from = change.from()[static_cast<size_t>(id)];
          const std::vector<float> found = row(state, id);
          CHECK(found == (from >= 0 ? row(theirs, from) : std::vector<float>(found.size(), 0.0F)));
        }
      }
    }
    CHECK(seen > 0);

    EMA averages(model->parameters());
    CHECK(transfer.take_averages(averages, model->parameters()));
    CHECK(averages.state_dict().dict("average").array(c.tables[0]).identical(now.array(c.tables[0])));
  }
}

TEST_CASE("transfer: without a tokenizer ids are taken by number or begin anew, and it is said") {
  const auto old = made("gpt2", {}, 4, 1);
  const OpenedModel source = opened(*old, nullptr, "adamw");
  const auto take = [&](const char* text) {
    TaskData task;
    task.tokenizer = std::make_shared<CharTokenizer>(CharTokenizer::of(text));
    const auto model = made("gpt2", {}, task.tokenizer->vocab_size(), 2);
    std::string said;
    const Transfer transfer(source, *model, task);
    transfer.take_weights(*model, [&](std::string_view line) { said += str(line, "\n"); });
    check_differences(transfer, *model, source);
    return said;
  };
  std::string said = take("abcde");
  CHECK(said.find(
            "old.h5 comes without a tokenizer: which of its 4 ids are the 5 characters of this run is not "
            "known; what belongs to them begins anew") != std::string::npos);
  CHECK(said.find("token_embedding.weight: wanted (5, 8)") != std::string::npos);
  said = take("abcd");
  CHECK(said.find("warning: old.h5 comes without a tokenizer") != std::string::npos);
  CHECK(said.find("is taken by number") != std::string::npos);
}

TEST_CASE(
    "transfer: of another context, the places that both have are taken, and none of a change of width") {
  const auto with = [](int64_t block_size, int64_t width, uint64_t seed) {
    const RandomScope random({.seed = seed});
    return make_model(
        "gpt2",
        models().at("gpt2").settings_for(
            {{"n_embd", width}, {"n_layer", int64_t{1}}, {"n_head", int64_t{2}}, {"block_size", block_size}},
            {.vocab_size = 4}));
  };
  const auto old = with(16, 16, 1);
  const auto tokenizer = std::make_shared<CharTokenizer>(CharTokenizer::of("abcd"));
  const OpenedModel source = opened(*old, tokenizer, "adamw");
  TaskData task;
  task.tokenizer = tokenizer;
  const std::string name = "position_embedding.weight";
  const Array before = old->state_dict().array(name);
  for (const int64_t now : {8, 24}) {
    CAPTURE(now);
    const auto model = with(now, 16, 2);
    const Array first = model->state_dict().array(name);
    std::string said;
    const Transfer transfer(source, *model, task);
    transfer.take_weights(*model, [&](std::string_view line) { said += str(line, "\n"); });
    check_differences(transfer, *model, source);
    const Transfer::Differences differ = transfer.differences(*model);
    CHECK((now < 16 ? differ.changed : differ.fresh) == std::vector<std::string>{name});
    CHECK_MESSAGE(
        said.find(now < 16 ? "the first 8 of 16 places are taken"
                           : "the first 16 places are taken; 8 more begin anew") != std::string::npos,
        said);
    const Array taken = model->state_dict().array(name);
    REQUIRE(taken.shape() == Shape{now, 16});
    for (int64_t place = 0; place < now; ++place)
      CHECK(row(taken, place) == row(place < 16 ? before : first, place));
  }
  const auto wider = with(32, 32, 2);  // its width grows as its context does
  refuses<ValueError>([&] { Transfer(source, *wider, task).take_weights(*wider, [](std::string_view) {}); },
                      {"nothing in old.h5 fits"});
}

TEST_CASE("transfer: a model that writes gives all but its output layer to one that tells classes") {
  const auto tokenizer = std::make_shared<CharTokenizer>(CharTokenizer::of("abcd"));
  for (const char* const kind : {"gpt2", "llama", "lstm"}) {
    CAPTURE(kind);
    const auto old = made(kind, {{"tie_embeddings", false}}, 4, 1);
    const OpenedModel source = opened(*old, tokenizer, "adamw");
    TaskData task;
    task.tokenizer = tokenizer;
    const RandomScope random({.seed = 2});
    StateDict settings = old->config_state();
    settings.set("n_class", int64_t{3});
    const auto model = make_model(old->kind(), settings);
    std::string said;
    const Transfer transfer(source, *model, task);
    transfer.take_weights(*model, [&](std::string_view line) { said += str(line, "\n"); });
    check_differences(transfer, *model, source);
    CHECK_MESSAGE(said.find("  new:\n    classifier.weight\n") != std::string::npos, said);
    const bool untied = std::string(kind) != "gpt2";
    CHECK_MESSAGE((said.find("  left:") != std::string::npos) == untied, said);
    const StateDict now = model->state_dict();
    for (const std::string& name : now.keys())
      if (name != "classifier.weight")
        CHECK_MESSAGE(now.array(name).identical(source.checkpoint.model.weights.array(name)), name);
  }
}

TEST_CASE("transfer: of another width, or without a token in common, what is of the vocabulary begins anew") {
  const auto old = made("gpt2", {}, 4, 1);
  const OpenedModel source =
      opened(*old, std::make_shared<CharTokenizer>(CharTokenizer::of("abcd")), "adamw");
  TaskData task;
  task.tokenizer = std::make_shared<CharTokenizer>(CharTokenizer::of("wxyz"));
  const auto model = made("gpt2", {}, 4, 2);
  const Array first = model->state_dict().array("token_embedding.weight");
  std::string said;
  const Say say = [&](std::string_view line) { said += str(line, "\n"); };
  const Transfer transfer(source, *model, task);
  transfer.take_weights(*model, say);
  CHECK(transfer.differences(*model).fresh == std::vector<std::string>{"token_embedding.weight"});
  CHECK(said.find("4 characters, of which 0 are among the 4 of old.h5") != std::string::npos);
  CHECK(said.find("new:\n    token_embedding.weight") != std::string::npos);
  CHECK(model->state_dict().array("token_embedding.weight").identical(first));
  const auto optimizer = optimizer_of("adamw", *model);
  transfer.take_optimizer(*optimizer, say);
  CHECK_FALSE(optimizer->state_dict().dict("m").contains("token_embedding.weight"));

  task.tokenizer = std::make_shared<CharTokenizer>(CharTokenizer::of("abcde"));
  const ModelEntry& entry = models().at("gpt2");
  const RandomScope random({.seed = 2});
  const auto wider = entry.make(entry.settings_for(
      {{"n_embd", int64_t{16}}, {"n_layer", int64_t{1}}, {"n_head", int64_t{2}}}, {.vocab_size = 5}));
  refuses<ValueError>([&] { Transfer(source, *wider, task).take_weights(*wider, say); },
                      {"nothing in old.h5 fits"});
}

}  // namespace weft::test
