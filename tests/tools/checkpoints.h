// What checkpoints hold. Apart from program.h, whose function weft cannot stand beside the namespace.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// Whether two checkpoint files hold the same under `place` ("training/optimizer"), names and bits.
bool same_part(const std::string& place, const std::string& path, const std::string& other);

/// Whether what training has in two files of any format is the same: weights, averages, optimizer, position, history.
bool same_training(const std::string& path, const std::string& other);

/// Names under a place; "" is the whole.
std::vector<std::string> keys_under(const std::string& path, const std::string& place);
/// A text there; empty when there is none.
std::string text_at(const std::string& path, const std::string& place);

/// One entry set, or taken out.
struct Edit {
  std::string place;
  std::optional<std::variant<int64_t, double, std::string>> value = {};
};
/// A checkpoint with these edits, as a new file under a right digest.
void edit_checkpoint(const std::string& path, const std::string& out, const std::vector<Edit>& edits);
/// A checkpoint with the first value of a float32 array replaced, likewise.
void spoil_checkpoint(const std::string& path, const std::string& out, const std::string& place, float value);
/// The first value of a float32 array overwritten in the file, as another program would: its digest is wrong then.
void overwrite_value(const std::string& path, const std::string& place, float value);
/// The first value of a float32 array.
float first_value(const std::string& path, const std::string& place);
/// A file that holds these entries alone.
void write_entries(const std::string& out, const std::vector<Edit>& entries);
/// What the numbers mean that a model gives.
struct Told {
  std::vector<int64_t> end_ids = {};
  std::vector<std::string> class_names = {};
};
/// The model of a file, as one that is said to tell these.
void write_model_that_tells(const std::string& path, const std::string& out, const Told& told);
