#include <doctest/doctest.h>
#include <weft/lib/settings/registry.h>
#include <weft/lib/settings/settings.h>

#include <string>
#include <vector>

#include "checks.h"

namespace weft::test {
namespace {

enum class Fruit { apple, pear };

struct Basket {
  int64_t count = 3, size = 0;
  double weight = 0.5;
  bool ripe = false, sorted = false;
  std::string label = "none";
  Fruit fruit = Fruit::apple;

  static const Settings<Basket>& settings() {
    using B = Basket;
    static const Settings<B> all = {
        Field(&B::count, "count", 1, 10, "how many"), Field(&B::size, "size", 0, 100).from_data().required(),
        Field(&B::weight, "weight", 0.0, 1.0, "of one"),
        Field(&B::ripe, "ripe", "whether they are").in_runs(true),
        // Added later: files that lack it were sorted.
        Field(&B::sorted, "sorted").before(true), Field(&B::label, "label", {"none", "paper"}),
        Field(&B::fruit, "fruit", {{"apple", Fruit::apple}, {"pear", Fruit::pear}}).formerly("is_pear")};
    return all;
  }
};

const Settings<Basket>& settings() { return Basket::settings(); }

Basket from(const StateDict& state) { return settings().from_state(state); }

}  // namespace

TEST_CASE("settings: a struct goes into a state and comes out of it") {
  const Basket odd{
      .count = 7, .size = 9, .weight = 0.25, .ripe = true, .label = "paper", .fruit = Fruit::pear};
  const StateDict state = settings().state(odd);
  CHECK(state.integer("count") == 7);
  CHECK(state.integer("ripe") == 1);
  CHECK(state.text("fruit") == "pear");
  CHECK(settings().values(from(state)) == settings().values(odd));
}

TEST_CASE("settings: what a file lacks is what it was before, not the default of today") {
  StateDict old;
  old.set("size", 4);
  const Basket basket = from(old);
  CHECK(basket.count == 3);
  CHECK(basket.sorted);        // before(true), though the default is false
  CHECK(basket.ripe);          // what runs had
  CHECK_FALSE(Basket().ripe);  // and not the struct's default
  old.set("is_pear", 1);       // under the name that files had
  CHECK(from(old).fruit == Fruit::pear);
  old.set("fruit", "apple");  // the new name counts more
  CHECK(from(old).fruit == Fruit::apple);
  refuses<StateError>([] { from(StateDict()); }, {"'size' is missing"});
}

TEST_CASE("settings: values of another type or out of their limits are refused, with what is wanted") {
  const auto with = [](const char* name, auto value) {
    StateDict state;
    state.set("size", 4);
    state.set(name, value);
    return state;
  };
  refuses<StateError>([&] { from(with("count", 11)); }, {"'count' must be a whole number between 1 and 10"});
  refuses<StateError>([&] { from(with("count", "three")); }, {"'count'"});
  refuses<StateError>([&] { from(with("ripe", 2)); }, {"'ripe' must be true or false"});
  refuses<StateError>([&] { from(with("weight", 1.0)); }, {"'weight' must be a number from 0 to below 1"});
  refuses<StateError>([&] { from(with("label", "gold")); }, {"'label' must be none or paper"});
  refuses<StateError>([&] { from(with("is_pear", 2)); }, {"'is_pear'", "apple or pear"});
  CHECK(from(with("weight", 0)).weight == 0);  // a whole number is a number
  Basket wrong;
  wrong.count = 0;
  refuses<ValueError>([&] { settings().check("Basket", wrong); },
                      {"Basket: count = 0 is not between 1 and 10"});
  refuses<ValueError>([&] { settings().take(wrong, {{"label", std::string("gold")}}); }, {"label must be"});
}

TEST_CASE("settings: names of a newer version are passed over, unless they must be known") {
  StateDict state = settings().state({.size = 4});
  state.set("colour", "red");
  CHECK(unknown_names(state, settings().list()) == std::vector<std::string>{"colour"});
  state.set("must_know", state.text("must_know") + ",colour");
  refuses<StateError>([&] { unknown_names(state, settings().list()); }, {"'colour'", "newer weft"});
}

TEST_CASE("settings: what must be known is what is not as it was before") {
  CHECK(settings().state({.size = 4, .ripe = true, .sorted = true}).text("must_know") == "size");
  CHECK(settings().state({.count = 5, .size = 4}).text("must_know") == "count,size,ripe,sorted");
}

TEST_CASE("settings: what is typed is read as the setting's type") {
  const std::vector<Setting> all = settings().list();
  CHECK(parsed(all[0], "4") == SettingValue(int64_t{4}));
  CHECK_FALSE(parsed(all[0], "4.5"));
  CHECK_FALSE(parsed(all[0], "11"));
  CHECK(parsed(all[2], "1e-3") == SettingValue(1e-3));
  CHECK_FALSE(parsed(all[2], "nan"));
  CHECK(parsed(all[3], "true") == SettingValue(true));
  CHECK_FALSE(parsed(all[3], "yes"));
  CHECK(parsed(all[5], "paper") == SettingValue(std::string("paper")));
  CHECK_FALSE(parsed(all[5], ""));
}

TEST_CASE("registry: a name is there once, is well-formed, and what is not there has a nearest") {
  struct Entry {
    std::string name;
    int number;
  };
  Registry<Entry> all("part");
  all.add({"one", 1});
  const Entry* const first = all.find("one");
  for (int i = 0; i < 100; ++i) all.add({str("more-", i), i});
  CHECK(all.find("one") == first);  // entries stay where they are
  CHECK(all.at("more-7").number == 7);
  CHECK(all.find("two") == nullptr);
  refuses<ValueError>([&] { all.add({"one", 2}); }, {"register_part", "'one' already"});
  refuses<ValueError>([&] { all.add({"", 2}); }, {"''"});
  refuses<ValueError>([&] { all.add({"a,b", 2}); }, {"'a,b'"});
  refuses<ValueError>([&] { all.at("onee"); }, {"there is no part 'onee'", "'one'"});
}

}  // namespace weft::test
