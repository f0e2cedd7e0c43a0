// What the tests of weft import and weft export ask of files, apart from program.h, whose weft() is no
// namespace.
#pragma once

#include <map>
#include <string>
#include <vector>

/// The folder of a model that transformers wrote.
std::string reference_model(const std::string& name);

/// Arguments that make `weft logits` read the second sample of a reference; a picture goes into `image`.
std::vector<std::string> second_sample(const std::string& name, const std::string& image);
/// Empty when the logits in a file are transformers' of that sample, else what differs.
std::string logits_difference(const std::string& name, const std::string& npy);
/// Empty when a folder has the tensors of a reference, as float32.
std::string tensors_difference(const std::string& name, const std::string& folder);

struct Plain {
  std::map<std::string, std::string> metadata;
  std::vector<std::string> names;
};
Plain read_plain(const std::string& safetensors);
