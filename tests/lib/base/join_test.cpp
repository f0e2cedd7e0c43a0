#include <doctest/doctest.h>
#include <weft/lib/array/shape.h>
#include <weft/lib/base/join.h>

#include <array>
#include <cstdint>
#include <map>
#include <ranges>
#include <set>
#include <string>
#include <vector>

using namespace weft;

TEST_CASE("joined writes the separator between elements and nowhere else") {
  CHECK(joined(std::vector<int64_t>{}) == "");
  CHECK(joined(std::vector<int64_t>{4}) == "4");
  CHECK(joined(std::vector<int64_t>{4, -3, 8}) == "4, -3, 8");
  CHECK(joined(std::array{5, 9, 2}, ",") == "5,9,2");
  CHECK(joined(std::vector<double>{0.1, 1e-5}, "; ") == "0.1; 1e-05");
  CHECK(joined(std::set<std::string>{"b", "a"}, " or ") == "a or b");
  CHECK(joined(std::vector<Shape>{{2, 3}, {4}}, " ") == "(2, 3) (4,)");
}

TEST_CASE("joined keeps empty elements apart") {
  CHECK(joined(std::vector<std::string>{"", ""}) == ", ");
  CHECK(joined(std::vector<std::string>{"", "a", ""}, "-") == "-a-");
}

TEST_CASE("joined writes of each element the part that is asked for") {
  struct Row {
    std::string name;
    int size;
    std::string both() const { return str(name, size); }
  };
  const Row rows[] = {{"a", 1}, {"b", 2}};
  CHECK(joined(rows, ", ", &Row::name) == "a, b");
  CHECK(joined(rows, "+", &Row::size) == "1+2");
  CHECK(joined(rows, " ", &Row::both) == "a1 b2");
  CHECK(joined(rows, " ", [](const Row& row) { return row.size * 10; }) == "10 20");
}

TEST_CASE("joined takes views") {
  const std::map<std::string, int> numbers = {{"one", 1}, {"three", 3}, {"two", 2}};
  CHECK(joined(numbers | std::views::keys) == "one, three, two");
  auto odd = numbers | std::views::values | std::views::filter([](int n) { return n % 2 == 1; });
  CHECK(joined(odd, "") == "13");
}
