// Files of arrays that weft wrote, read for tests that drive the program (program.h, whose weft() is no namespace).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

struct Values {
  std::vector<int64_t> shape;
  std::vector<double> values;
  bool operator==(const Values&) const = default;

  /// Row `row` of two axes.
  std::vector<double> row(int64_t row) const {
    const auto begin = values.begin() + row * shape.at(1);
    return {begin, begin + shape.at(1)};
  }
};

struct ArrayFile {
  std::map<std::string, Values> arrays;
  std::map<std::string, std::string> texts;
  std::map<std::string, int64_t> integers;
};
ArrayFile read_arrays(const std::string& hdf5);
Values read_array(const std::string& npy);
/// The arrays of a safetensors file; with `rounded`, each value the nearest bfloat16.
std::map<std::string, Values> read_tensors(const std::string& safetensors, bool rounded = false);
