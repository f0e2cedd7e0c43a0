#include "tools/arrays.h"

#include <weft/lib/files/hdf5_file.h>
#include <weft/lib/files/npy.h>
#include <weft/lib/files/safetensors.h>

namespace {

Values values_of(const weft::Array& array) {
  const weft::Array doubles = array.to(weft::float64);
  return {{array.shape().begin(), array.shape().end()},
          {doubles.values<double>().begin(), doubles.values<double>().end()}};
}

}  // namespace

ArrayFile read_arrays(const std::string& hdf5) {
  ArrayFile file;
  for (const auto& [name, value] : weft::read_hdf5(hdf5).entries()) {
    if (const auto* array = std::get_if<weft::Array>(&value)) file.arrays[name] = values_of(*array);
    if (const auto* text = std::get_if<std::string>(&value)) file.texts[name] = *text;
    if (const auto* integer = std::get_if<int64_t>(&value)) file.integers[name] = *integer;
  }
  return file;
}

std::map<std::string, Values> read_tensors(const std::string& safetensors, bool rounded) {
  std::map<std::string, Values> all;
  for (const auto& [name, array] : weft::read_safetensors(safetensors))
    all[name] = values_of(rounded ? array.to(weft::bfloat16) : array);
  return all;
}

Values read_array(const std::string& npy) { return values_of(weft::read_npy(npy)); }
