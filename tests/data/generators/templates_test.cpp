#include <doctest/doctest.h>
#include <weft/data/generators/templates.h>

#include <set>

using namespace weft;
using Texts = Templates::Texts;

TEST_CASE("gaps are filled, each text as often") {
  const Templates food(
      {{"meal", {"the [dish] was hot.", "we ate [dish] and [dish]."}}, {"dish", {"rice", "pea soup"}}});
  std::set<std::string> met;
  int ate = 0;
  for (uint64_t sample = 0; sample < 2000; ++sample) {
    Draws draws(random_key(1, 2), sample), again(random_key(1, 2), sample);
    const std::string text = food.draw("meal", draws);
    CHECK(food.fill("[meal]", again) == text);
    met.insert(text);
    ate += text.starts_with("we");
  }
  CHECK(met.size() == 2 + 4);
  CHECK(std::abs(ate - 1000) < 100);
  CHECK(food.longest("[meal]") == 8);
  CHECK(food.longest("so, [dish]!") == 5);
  CHECK(food.words() == "rice pea soup the   was hot. we ate   and  . ");
  CHECK(food.texts("dish").size() == 2);
}

TEST_CASE("templates that cannot be filled are refused") {
  CHECK_THROWS_AS(Templates(Texts{{"a", {"[b]"}}}), ValueError);
  CHECK_THROWS_AS(Templates(Texts{{"a", {}}}), ValueError);
  CHECK_THROWS_AS(Templates(Texts{{"a", {"[a"}}}), ValueError);
  CHECK_THROWS_WITH_AS(Templates(Texts{{"a", {"x [b]"}}, {"b", {"[a]"}}}),
                       "templates: '[a]' comes up within itself", ValueError);
  CHECK_THROWS_AS(Templates(Texts{{"a", {"x"}}}).texts("b"), ValueError);
}
