#include <doctest/doctest.h>
#include <weft/lib/base/advice.h>

namespace weft::test {

TEST_CASE("advice: an error that has some is of its type all the same, and others have none") {
  const auto refuse = [] {
    fail_with<ValueError>({.typed = {"n_layr"}, .meant = {"n_layer"}}, "there is no key '", "n_layr", "'");
  };
  CHECK_THROWS_WITH_AS(refuse(), "there is no key 'n_layr'", ValueError);
  try {
    refuse();
  } catch (const std::exception& error) {
    CHECK(advice_of(error) == Advice{.typed = {"n_layr"}, .meant = {"n_layer"}});
  }
  CHECK(advice_of(ValueError("plain")) == Advice());
}

}  // namespace weft::test
