// Decoders that tell the class of a text by its last token, instead of writing.
#include <doctest/doctest.h>
#include <weft/autograd/gradcheck.h>
#include <weft/layers/models/gpt.h>
#include <weft/layers/models/llama.h>
#include <weft/layers/models/recurrent_lm.h>
#include <weft/layers/models/registry.h>
#include <weft/lib/array/random.h>

#include "model_reference.h"

namespace weft::test {

namespace {

constexpr int64_t vocab = 29, classes = 3, context = 12;

/// One of each; `untied`: where it can, with an output layer of its own.
std::vector<std::unique_ptr<Model>> all_models(int64_t n_class, double dropout = 0, bool untied = false,
                                               int64_t width = 16, int64_t layers = 2) {
  const RandomScope random({.seed = 1});
  std::vector<std::unique_ptr<Model>> all;
  all.push_back(std::make_unique<GPT>(GPTConfig{.vocab_size = vocab,
                                                .block_size = context,
                                                .n_layer = layers,
                                                .n_head = 2,
                                                .n_embd = width,
                                                .dropout = dropout,
                                                .bias = true,
                                                .n_class = n_class}));
  all.push_back(std::make_unique<Llama>(LlamaConfig{.vocab_size = vocab,
                                                    .block_size = context,
                                                    .n_layer = layers,
                                                    .n_head = 4,
                                                    .n_kv_head = 2,
                                                    .n_embd = width,
                                                    .dropout = dropout,
                                                    .tie_embeddings = !untied,
                                                    .n_class = n_class}));
  for (const RecurrentCell cell : {RecurrentCell::lstm, RecurrentCell::gru})
    all.push_back(std::make_unique<RecurrentLM>(RecurrentLMConfig{.cell = cell,
                                                                  .vocab_size = vocab,
                                                                  .n_layer = layers,
                                                                  .n_embd = width,
                                                                  .dropout = dropout,
                                                                  .tie_embeddings = !untied,
                                                                  .n_class = n_class}));
  return all;
}

Batch ragged() {
  return {.inputs = some_ids({4, 9}, vocab), .targets = some_ids({4}, classes), .lengths = {9, 5, 1, 7}};
}

std::vector<std::string> names_of(const Model& model) {
  std::vector<std::string> names;
  for (const NamedTensor& p : model.parameters()) names.push_back(p.name);
  return names;
}

}  // namespace

TEST_CASE("classes: logits, loss and every gradient equal PyTorch's and transformers', rows of any lengths") {
  const StateDict file = model_file("classes.h5");
  check_model<GPT, GPTConfig>(file.dict("gpt"));
  check_model<Llama, LlamaConfig>(file.dict("llama"));
  for (const char* name : {"lstm", "gru"}) check_model<RecurrentLM, RecurrentLMConfig>(file.dict(name));
}

TEST_CASE("classes: gradients are those of differences, in double") {
  const DTypeScope doubles(float64);
  for (const auto& model : all_models(classes, 0, false, 8, 1)) {
    CAPTURE(model->kind());
    std::vector<Tensor> parameters;
    GradcheckOptions options{.second_order = false};
    for (const NamedTensor& p : model->parameters()) {
      parameters.push_back(p.tensor);
      options.names.push_back(p.name);
    }
    const Batch batch = ragged();
    const GradcheckResult result =
        gradcheck([&](const std::vector<Tensor>&) { return model->loss(batch).sum; }, parameters, options);
    CHECK(result.failure == "");
    CHECK(result.worst > 0);
  }
}

TEST_CASE("classes: a row has the bits that it has alone, and its last token that counts tells its class") {
  const NoGrad no_grad;
  for (const auto& model : all_models(classes)) {
    CAPTURE(model->kind());
    const Batch batch = ragged();
    const Tensor together = model->logits(batch);
    CHECK(together.shape() == Shape{4, classes});
    for (int64_t row = 0; row < 4; ++row) {
      CAPTURE(row);
      const int64_t length = batch.lengths[static_cast<size_t>(row)];
      const auto with = [&](int64_t place, int64_t change) {
        Batch one{.inputs = slice(Tensor(batch.inputs), 0, row, row + 1).value().copy(),
                  .targets = {},
                  .lengths = {length}};
        int64_t& id = one.inputs.mutable_data<int64_t>()[place];
        id = (id + change) % vocab;
        return model->logits(one).value();
      };
      const Array expected = slice(together, 0, row, row + 1).value();
      const Array cut = slice(slice(Tensor(batch.inputs), 0, row, row + 1), 1, 0, length).value();
      CHECK(model->logits({cut, {}}).value().identical(expected));
      CHECK(with(0, 0).identical(expected));
      CHECK_FALSE(with(length - 1, 1).identical(expected));
      if (length < 9) CHECK(with(length, 1).identical(expected));
    }
  }
}

TEST_CASE("classes: gradients of micro-batches are those of the whole batch, bit for bit, dropout on") {
  for (const auto& model : all_models(classes, 0.1)) {
    CAPTURE(model->kind());
    check_micro_batches(*model, ragged());
  }
}

TEST_CASE("classes: the head is all that differs from a model that writes, whose output layer is not made") {
  for (const bool untied : {false, true}) {
    const auto tell = all_models(classes, 0, untied), write = all_models(0, 0, untied);
    for (size_t i = 0; i < tell.size(); ++i) {
      CAPTURE(tell[i]->kind());
      std::vector<std::string> expected = names_of(*write[i]);
      if (untied && tell[i]->kind() != "gpt2") expected.pop_back();  // head, or output
      expected.push_back("classifier.weight");
      CHECK(names_of(*tell[i]) == expected);
      CHECK(tell[i]->parameters().back().tensor.shape() == Shape{classes, 16});
      const LoadReport report = tell[i]->load_matching(write[i]->state_dict());
      CHECK(report.mismatched.empty());
      CHECK(report.missing == std::vector<std::string>{"classifier.weight"});
      CHECK(report.unexpected.size() == (untied && tell[i]->kind() != "gpt2" ? 1 : 0));
    }
  }
}

TEST_CASE("classes: settings of before there were any make a model that writes") {
  for (const auto& model : all_models(0)) {
    CAPTURE(model->kind());
    StateDict settings = model->config_state(), before;
    CHECK(settings.integer("n_class") == 0);
    for (const auto& [name, value] : settings.entries())
      if (name != "n_class")
        std::visit(
            [&](const auto& v) {
              if constexpr (requires { before.set(name, v); }) before.set(name, v);
            },
            value);
    const auto made = [&](const StateDict& from) {
      const RandomScope random({.seed = 2});
      return make_model(model->kind(), from);
    };
    const auto again = made(before);
    CHECK(identical(again->config_state(), settings));
    CHECK(identical(again->state_dict(), made(settings)->state_dict()));
    CHECK(as_writer(*again) == again.get());
  }
}

TEST_CASE("classes: a model that tells them does not write, takes no documents, and is told as one") {
  for (const auto& model : all_models(classes)) {
    CAPTURE(model->kind());
    const ModelEntry& entry = models().at(model->kind());
    CHECK(entry.takes(TaskKind::classification));
    CHECK(entry.takes(TaskKind::language));
    CHECK(as_writer(*model) == nullptr);
    const auto& writer = dynamic_cast<const GenerativeModel&>(*model);
    CHECK_FALSE(writer.writes());
    const auto state = dynamic_cast<const GenerativeModel&>(*all_models(0)[0]).start(1);
    refuses<ValueError>([&] { writer.start(1); }, {model->kind(), "writes nothing"});
    refuses<ValueError>([&] { writer.next(some_ids({1, 1}, vocab), {}, *state); }, {"writes nothing"});
    CHECK_FALSE(model->takes_documents());
    Batch packed = ragged();
    packed.documents = {{0, 2}, {0}, {0}, {0}};
    refuses<ValueError>([&] { model->logits(packed); }, {model->kind(), "no documents"});
    refuses<ValueError>([&] { model->loss(packed); }, {model->kind(), "no documents"});
    const StateDict settings = entry.settings_for({}, {.kind = TaskKind::classification,
                                                       .vocab_size = vocab,
                                                       .classes = classes,
                                                       .sizes = {.longest_input = 5}});
    CHECK(settings.integer("n_class") == classes);
  }
}

TEST_CASE("classes: rows and lengths that do not fit are refused by shape") {
  for (const auto& model : all_models(classes)) {
    CAPTURE(model->kind());
    const auto with = [&](std::vector<int64_t> lengths) {
      Batch batch = ragged();
      batch.lengths = std::move(lengths);
      return [&model, batch] { model->logits(batch); };
    };
    refuses<ShapeError>(with({9, 5, 0, 7}), {"row 2", "0 tokens", "(4, 9)"});
    refuses<Error>(with({9, 5, 10, 7}), {"10"});
    refuses<ShapeError>(with({9, 5, 1}), {"3"});
    refuses<ShapeError>([&] { model->logits({Array::zeros({2, 0}, int64), {}}); }, {"(2, 0)"});
    refuses<ValueError>(
        [&] {
          model->loss({some_ids({1, 3}, vocab), Array::full({1}, classes, int64)});
        },
        {"target 3", "[0, 3)"});
  }
}

TEST_CASE("classes: how many are right is counted with the loss, whose bits stay, where it is asked for") {
  for (const auto& model : all_models(classes)) {
    CAPTURE(model->kind());
    Batch batch = ragged();
    const Array found = model->logits(batch).argmax(-1);
    batch.targets = found.copy();
    int64_t& wrong = batch.targets.mutable_data<int64_t>()[1];
    wrong = (wrong + 1) % classes;
    batch.targets.mutable_data<int64_t>()[3] = Batch::ignored;
    const Loss plain = model->loss(batch);
    CHECK(plain.right == -1);
    model->count_right = true;
    CHECK(model->loss(batch).right == -1);  // in training
    model->eval();
    const Loss counted = model->loss(batch);
    CHECK(counted.right == 2);
    CHECK(counted.count == 3);
    CHECK(counted.sum.value().identical(plain.sum.value()));
    LossMeter meter;
    meter.add(counted);
    CHECK(meter.accuracy() == 2.0 / 3);
    meter.add(plain);
    CHECK_FALSE(meter.accuracy());
  }
}

}  // namespace weft::test
