#include "checkpoints.h"

#include <weft/lib/base/file.h>
#include <weft/lib/files/checkpoint.h>
#include <weft/train/files/model_file.h>

#include <algorithm>
#include <cstring>
#include <fstream>

namespace {

using weft::StateDict;

StateDict dict_at(const StateDict& state, const std::string& place) {
  if (place.empty()) return state;
  const size_t slash = place.find('/');
  if (slash == std::string::npos) return state.dict(place);
  return dict_at(state.dict(place.substr(0, slash)), place.substr(slash + 1));
}

weft::Array array_at(const StateDict& state, const std::string& place) {
  const size_t slash = place.rfind('/');
  return dict_at(state, place.substr(0, slash)).array(place.substr(slash + 1));
}

StateDict edited(const StateDict& state, const Edit& edit) {
  const size_t slash = edit.place.find('/');
  const std::string first = edit.place.substr(0, slash);
  StateDict changed;
  for (const auto& [name, value] : state.entries()) {
    if (slash == std::string::npos && name == first) continue;
    std::visit(
        [&]<class T>(const T& v) {
          if constexpr (std::is_same_v<T, std::shared_ptr<StateDict>>)
            changed.set(name, slash != std::string::npos && name == first
                                  ? edited(*v, {edit.place.substr(slash + 1), edit.value})
                                  : *v);
          else
            changed.set(name, v);
        },
        value);
  }
  if (slash == std::string::npos && edit.value)
    std::visit([&](const auto& v) { changed.set(first, v); }, *edit.value);
  return changed;
}

StateDict training_of(const std::string& path) {
  const StateDict state = weft::read_checkpoint(path);
  StateDict found;
  if (state.text("kind") == "weft training") {
    for (const char* name : {"model", "optimizer", "loader", "history"}) found.set(name, state.dict(name));
    if (state.contains("ema")) found.set("averages", state.dict("ema").dict("average"));
    return found;
  }
  const StateDict& training = state.dict("training");
  const StateDict& weights = state.dict("model").dict("weights");
  found.set("model", training.contains("weights") ? training.dict("weights") : weights);
  for (const char* name : {"optimizer", "loader", "history"}) found.set(name, training.dict(name));
  if (training.contains("ema")) found.set("averages", weights);
  return found;
}

}  // namespace

bool same_part(const std::string& place, const std::string& path, const std::string& other) {
  return identical(dict_at(weft::read_checkpoint(path), place), dict_at(weft::read_checkpoint(other), place));
}

bool same_training(const std::string& path, const std::string& other) {
  return identical(training_of(path), training_of(other));
}

std::vector<std::string> keys_under(const std::string& path, const std::string& place) {
  return dict_at(weft::read_checkpoint(path), place).keys();
}

std::string text_at(const std::string& path, const std::string& place) {
  const size_t slash = place.rfind('/');
  const std::string name = slash == std::string::npos ? place : place.substr(slash + 1);
  const StateDict state =
      dict_at(weft::read_checkpoint(path), slash == std::string::npos ? "" : place.substr(0, slash));
  return state.contains(name) ? state.text(name) : "";
}

void edit_checkpoint(const std::string& path, const std::string& out, const std::vector<Edit>& edits) {
  StateDict state = weft::read_checkpoint(path);
  for (const Edit& edit : edits) state = edited(state, edit);
  weft::write_checkpoint(out, state);
}

void spoil_checkpoint(const std::string& path, const std::string& out, const std::string& place,
                      float value) {
  const StateDict state = weft::read_checkpoint(path);
  const size_t slash = place.rfind('/');
  // The state shares it.
  weft::Array array = dict_at(state, place.substr(0, slash)).array(place.substr(slash + 1));
  array.mutable_data<float>()[0] = value;
  weft::write_checkpoint(out, state);
}

void overwrite_value(const std::string& path, const std::string& place, float value) {
  const weft::Array array = array_at(weft::read_checkpoint(path), place);
  std::vector<uint8_t> bytes = weft::read_file(path);
  const auto* const values = static_cast<const uint8_t*>(array.bytes());
  const auto found = std::search(bytes.begin(), bytes.end(), values, values + array.nbytes());
  if (found == bytes.end()) weft::fail<weft::ValueError>(path, ": ", place, " was not found");
  std::memcpy(&*found, &value, sizeof value);
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

float first_value(const std::string& path, const std::string& place) {
  return array_at(weft::read_checkpoint(path), place).data<float>()[0];
}

void write_entries(const std::string& out, const std::vector<Edit>& entries) {
  StateDict state;
  for (const Edit& edit : entries) state = edited(state, edit);
  weft::write_checkpoint(out, state);
}

void write_model_that_tells(const std::string& path, const std::string& out, const Told& told) {
  weft::ModelFile model = weft::ModelFile::read(path, [](std::string_view) {});
  model.end_ids = told.end_ids;
  model.class_names = told.class_names;
  model.write(out);
}
