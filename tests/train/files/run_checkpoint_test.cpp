#include <doctest/doctest.h>
#include <weft/lib/files/checkpoint.h>
#include <weft/optim/ema.h>
#include <weft/train/build.h>
#include <weft/train/files/run_checkpoint.h>

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "checks.h"

namespace weft::test {
namespace {

using Value = StateDict::Value;

/// Places of all entries, dicts too: "model/settings/n_layer".
void places_of(const StateDict& state, const std::string& below, std::vector<std::string>& places) {
  for (const auto& [name, value] : state.entries()) {
    places.push_back(below + name);
    if (const auto* const dict = std::get_if<std::shared_ptr<StateDict>>(&value))
      places_of(**dict, below + name + "/", places);
  }
}

/// With the entry of a place replaced, added, or taken out.
StateDict with(const StateDict& state, const std::string& place, const std::optional<Value>& value) {
  const size_t slash = place.find('/');
  const std::string first = place.substr(0, slash);
  StateDict changed;
  const auto put = [&](const std::string& name, const Value& v) {
    std::visit(
        [&]<class T>(const T& one) {
          if constexpr (std::is_same_v<T, std::shared_ptr<StateDict>>)
            changed.set(name, *one);
          else
            changed.set(name, one);
        },
        v);
  };
  for (const auto& [name, v] : state.entries()) {
    if (name != first)
      put(name, v);
    else if (slash != std::string::npos)
      changed.set(name, with(state.dict(name), place.substr(slash + 1), value));
    else if (value)
      put(name, *value);
  }
  if (value && !state.contains(first)) put(first, *value);
  return changed;
}

/// All that a run takes out of a file.
void use(const StateDict& state) {
  const Say say = [](std::string_view) {};
  const RunCheckpoint read = RunCheckpoint::from_state(state, say);
  const std::unique_ptr<Model> model = read.model.build();
  if (!read.training) return;
  const RunConfig config = config_from_state(read.training->config, say);
  const std::unique_ptr<Optimizer> optimizer = build_optimizer(config, *model);
  model->load_state_dict(read.trained_weights());
  optimizer->load_state_dict(read.training->optimizer);
  if (read.training->ema_updates >= 0)
    EMA(optimizer->parameters(), 0.5).load_state_dict(read.ema_state(optimizer->parameters()));
  ModelFile::from_state(read.state(), say);
}

}  // namespace

TEST_CASE("entries of another kind than a reader wants are refused by it, whichever they are") {
  StateDict dict;
  dict.set("a", 1);
  const std::vector<std::optional<Value>> others = {std::nullopt,
                                                    int64_t{-3},
                                                    INT64_MAX,
                                                    -0.5,
                                                    std::string("a text"),
                                                    std::string(),
                                                    Array::zeros({2, 3}),
                                                    Array::zeros({0}, int64),
                                                    Array::scalar(1, boolean),
                                                    std::make_shared<StateDict>(),
                                                    std::make_shared<StateDict>(dict)};
  for (const char* const file :
       {"format-1/gpt2/end.h5", "format-1/t5/run/best.h5", "format-2/llama/end.h5",
        "format-2/bert-masked/run/best.h5", "format-2/vit/end.h5", "format-2/transformer/run/best.h5",
        "format-2/lstm-seq2seq/run/best.h5", "format-2/imported-gpt2/model.h5"}) {
    const StateDict state = read_checkpoint(str(WEFT_SOURCE_DIR "/tests/fixtures/", file));
    use(state);
    std::vector<std::string> places;
    places_of(state, "", places);
    int64_t refused = 0;
    for (const std::string& place : places)
      for (const std::optional<Value>& other : others) {
        INFO(file, " ", place, " ", other ? static_cast<int>(other->index()) : -1);
        try {
          use(with(state, place, other));
        } catch (const Error& error) {
          CHECK(error.what()[0] != '\0');
          ++refused;
        } catch (const std::exception& error) {
          FAIL_CHECK(error.what());
        }
      }
    CHECK(refused > static_cast<int64_t>(places.size()));
  }
}

TEST_CASE("entries that cannot be true of a run are refused, in files of both formats") {
  const Say say = [](std::string_view) {};
  const auto evaluations = [](std::vector<int64_t> steps, double loss) {
    History history;
    for (const int64_t step : steps) history.evaluations.push_back({step, loss, loss});
    return std::make_shared<StateDict>(history.state_dict());
  };
  for (const std::string format : {"format-1", "format-2"}) {
    CAPTURE(format);
    const std::string in = format == "format-1" ? "" : "training/";
    const StateDict good = read_checkpoint(WEFT_SOURCE_DIR "/tests/fixtures/" + format + "/gpt2/end.h5");
    const auto refused = [&](const std::string& place, Value value, const char* why) {
      refuses<StateError>([&] { RunCheckpoint::from_state(with(good, place, value), say); }, {why});
    };
    CHECK_NOTHROW(RunCheckpoint::from_state(good, say));
    refused(in + "step", int64_t{-1}, "step: -1 is below 0");
    refused(in + "history", evaluations({0, 10, 10}, 1),
            "history: step 10 is evaluation number 2, behind step 10");
    refused(in + "history", evaluations({-1}, 1), "history: step -1");
    refused(in + "history", evaluations({0}, std::numeric_limits<double>::quiet_NaN()),
            "the losses of step 0 are");
    refused(in + "history", evaluations({0, 1 << 30}, 1), "an evaluation of step 1073741824, though only ");
  }
  const StateDict good = read_checkpoint(WEFT_SOURCE_DIR "/tests/fixtures/format-2/gpt2/end.h5");
  for (const int64_t tokens : {int64_t{-1}, INT64_MAX})
    refuses<StateError>([&] { RunCheckpoint::from_state(with(good, "training/tokens", tokens), say); },
                        {"tokens: "});
  CHECK(RunCheckpoint::from_state(with(good, "training/tokens", int64_t{640}), say).training->tokens == 640);
  CHECK_FALSE(RunCheckpoint::from_state(good, say).training->tokens);  // nobody counted then
  refuses<StateError>(
      [&] {
        RunCheckpoint::from_state(with(good, "model/end_ids", Array::from(std::vector<int64_t>{999}, {1})),
                                  say);
      },
      {"end_ids: 999 is not in the vocabulary of "});
}

}  // namespace weft::test
