#include <doctest/doctest.h>
#include <weft/layers/models/registry.h>
#include <weft/lib/machine/available_memory.h>

#include <chrono>

#include "checks.h"

using namespace weft;
using weft::test::refuses;

namespace {

/// Settings that make a small model of each kind, what the data tell included.
StateDict small_settings(const ModelEntry& entry) {
  StateDict state;
  for (const Setting& s : entry.settings) put(state, s.name, s.value);
  const std::pair<const char*, int64_t> told[] = {{"vocab_size", 10}, {"n_class", 3},   {"image_size", 16},
                                                  {"n_channel", 3},   {"pad_id", 0},    {"start_id", 1},
                                                  {"end_id", 2},      {"n_layer", 2},   {"n_embd", 16},
                                                  {"n_head", 2},      {"patch_size", 4}};
  for (const auto& [name, value] : told)
    if (state.contains(name)) state.set(name, value);
  return state;
}

}  // namespace

TEST_CASE("weights are compared with those that the settings make") {
  for (const ModelEntry* const entry : models().entries()) {
    CAPTURE(entry->name);
    const StateDict settings = small_settings(*entry);
    const NoInit no_init;
    StateDict weights = make_model(entry->name, settings)->state_dict();
    CHECK(compare_weights(entry->name, settings, weights).ok());
    const std::string first = weights.keys().front();
    weights.set(first, Array::zeros({1, 2, 3}));
    weights.set("other", Array::zeros({2}));
    const LoadReport report = compare_weights(entry->name, settings, weights);
    CHECK(report.missing.empty());
    CHECK(report.mismatched.size() == 1);
    CHECK(report.unexpected == std::vector<std::string>{"other"});
    CHECK(compare_weights(entry->name, settings, StateDict()).missing.size() == weights.size() - 1);
  }
  refuses<ValueError>([] { compare_weights("none", StateDict(), StateDict()); },
                      {"there is no model 'none'"});
}

TEST_CASE("comparing takes neither time nor memory, whatever the settings say") {
  const auto start = std::chrono::steady_clock::now();
  const int64_t before = peak_resident_memory();
  int64_t compared = 0, refused = 0;
  for (const ModelEntry* const entry : models().entries())
    for (const Setting& s : entry->settings) {
      if (!std::holds_alternative<int64_t>(s.value)) continue;
      CAPTURE(entry->name);
      CAPTURE(s.name);
      StateDict settings = small_settings(*entry);
      settings.set(s.name, s.most);
      try {
        compared += !compare_weights(entry->name, settings, StateDict()).ok();
      } catch (const Error&) {
        ++refused;
      }
      settings.set(s.name, INT64_MAX);
      CHECK_THROWS_AS(compare_weights(entry->name, settings, StateDict()), Error);
    }
  CHECK(compared > 20);
  CHECK(refused > 5);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));
  CHECK(peak_resident_memory() - before < int64_t{100} << 20);
}
