#include <doctest/doctest.h>
#include <weft/lib/array/state_dict.h>

#include <limits>

using namespace weft;

namespace {

StateDict sample() {
  StateDict inner;
  inner.set("w", Array::from<float>({1, 2, 3, 4}, {2, 2}));
  StateDict state;
  state.set("model", inner);
  state.set("step", 7);
  state.set("lr", 0.5);
  state.set("name", "weft");
  return state;
}

}  // namespace

TEST_CASE("entries come back by key and kind") {
  const StateDict state = sample();
  CHECK(state.integer("step") == 7);
  CHECK(state.number("lr") == 0.5);
  CHECK(state.number("step") == 7.0);
  CHECK(state.text("name") == "weft");
  CHECK(state.dict("model").array("w").at({1, 0}) == 3);
  CHECK(state.keys() == std::vector<std::string>{"lr", "model", "name", "step"});
  CHECK(state.contains("lr"));
  CHECK(!state.contains("LR"));
}

TEST_CASE("a later value replaces an earlier one of any kind") {
  StateDict state = sample();
  state.set("step", "seven");
  CHECK(state.text("step") == "seven");
  CHECK(state.size() == 4);
}

TEST_CASE("a missing entry or one of another kind is named") {
  const StateDict state = sample();
  CHECK_THROWS_WITH_AS(state.integer("stop"), "state: wanted the integer 'stop', but there is no such entry",
                       StateError);
  CHECK_THROWS_WITH_AS(state.integer("lr"), "state: wanted the integer 'lr', but it is the number 0.5",
                       StateError);
  CHECK_THROWS_WITH_AS(state.number("name"), "state: wanted the number 'name', but it is a text", StateError);
  CHECK_THROWS_WITH_AS(state.text("step"), "state: wanted the text 'step', but it is the integer 7",
                       StateError);
  CHECK_THROWS_WITH_AS(state.array("model"), "state: wanted the array 'model', but it is a dict", StateError);
  CHECK_THROWS_WITH_AS(state.dict("model").dict("w"),
                       "state: wanted the dict 'w', but it is an array (2, 2) float32", StateError);
}

TEST_CASE("keys are UTF-8 text without slash and NUL") {
  StateDict state;
  for (const char* key :
       {"a", "a.b.c", "..", " ", "\xc3\xa9", "\xe6\x9c\xac", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"})
    CHECK_NOTHROW(state.set(key, 1));
  for (const std::string& key :
       {std::string(), std::string("."), std::string("a/b"), std::string("a\0b", 3), std::string("\x80"),
        std::string("\xc3"), std::string("\xc3("), std::string("\xc0\x80"), std::string("\xe0\x80\xaf"),
        std::string("\xed\xa0\x80"), std::string("\xf4\x90\x80\x80"), std::string("\xff")}) {
    CHECK_THROWS_AS(state.set(key, 1), ValueError);
    CHECK_THROWS_AS(state.set(key, StateDict()), ValueError);
  }
  CHECK(state.size() == 8);
  CHECK_THROWS_WITH_AS(state.set("none", Array()), "state: the array for 'none' is not defined", ValueError);
}

TEST_CASE("identical means same keys, kinds and bits") {
  CHECK(identical(sample(), sample()));
  CHECK(identical(StateDict(), StateDict()));
  StateDict other = sample();
  other.set("more", 1);
  CHECK(!identical(sample(), other));

  const auto differs = [](const auto& a, const auto& b) {
    StateDict x, y, z;
    x.set("key", a);
    y.set("key", b);
    z.set("other", a);
    CHECK(identical(x, x));
    CHECK(!identical(x, z));
    return !identical(x, y);
  };
  CHECK(differs(1, 2));
  CHECK(differs(1, 1.0));
  CHECK(differs(0.0, -0.0));
  CHECK(differs("a", "b"));
  CHECK(differs(Array::scalar(1), Array::scalar(1, float64)));
  CHECK(differs(Array::zeros({2, 3}), Array::zeros({3, 2})));
  CHECK(differs(Array::full({2}, 0.0), Array::full({2}, -0.0)));
  CHECK(differs(sample(), StateDict()));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(!differs(nan, nan));
  CHECK(!differs(Array::full({2}, nan), Array::full({2}, nan)));
}

TEST_CASE("a copy has buffers of its own, below too") {
  StateDict state, below;
  Array values = Array::ones({2});
  below.set("values", values);
  state.set("below", below);
  state.set("values", values);
  state.set("step", 3);
  const StateDict copy = state.copy();
  CHECK(identical(copy, state));
  values.fill(5);
  CHECK(state.dict("below").array("values").identical(Array::full({2}, 5)));
  CHECK(copy.dict("below").array("values").identical(Array::ones({2})));
  CHECK(copy.array("values").identical(Array::ones({2})));
}

TEST_CASE("what is read of a state that ends with the expression stays") {
  const auto made = [] {
    StateDict state;
    state.set("below", sample());
    return state;
  };
  const StateDict& below = made().dict("below");
  CHECK(identical(below, sample()));
  size_t seen = 0;
  for (const auto& [key, value] : made().entries()) seen += key == "below" && value.index() == 4;
  CHECK(seen == 1);
  static_assert(std::is_same_v<decltype(made().array("")), Array>);
  static_assert(std::is_same_v<decltype(made().text("")), std::string>);
}

TEST_CASE("a strict comparison lists missing, unexpected and mismatched names") {
  const std::map<std::string, Array> wanted{{"a", Array::zeros({3, 4})},
                                            {"b", Array::zeros({2})},
                                            {"c", Array::zeros({2})},
                                            {"d", Array::zeros({2})}};
  StateDict state;
  state.set("a", Array::zeros({4, 3}));
  state.set("b", Array::zeros({2}, float64));
  state.set("d", 3);
  state.set("e", Array::zeros({1}));
  state.set("f", "text");
  const LoadReport report = compare_arrays(wanted, state);
  CHECK(!report.ok());
  CHECK(report.message() ==
        "missing from the state:\n  c\n"
        "in the state, but not wanted:\n  e\n  f\n"
        "of another shape or type:\n"
        "  a: wanted (3, 4) float32, found (4, 3) float32\n"
        "  b: wanted (2,) float32, found (2,) float64\n"
        "  d: wanted (2,) float32, found the integer 3");
}

TEST_CASE("a state that fits gives an empty report") {
  StateDict state;
  state.set("a", Array::zeros({3, 4}));
  const LoadReport report = compare_arrays({{"a", Array::ones({3, 4})}}, state);
  CHECK(report.ok());
  CHECK(report.message().empty());
  CHECK(compare_arrays({}, StateDict()).ok());
}
