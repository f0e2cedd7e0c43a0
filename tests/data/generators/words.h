// What is between white space.
#pragma once

#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace weft::test {

inline std::vector<std::string> words_of(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

}  // namespace weft::test
