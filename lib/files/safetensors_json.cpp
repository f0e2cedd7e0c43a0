#include <weft/lib/array/shape.h>
#include <weft/lib/base/error.h>
#include <weft/lib/files/safetensors_json_internal.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

namespace weft::safetensors {
namespace {

using nlohmann::json;

constexpr const char* metadata_key = "__metadata__";

/// The object that `text` is. A key that stands twice, and nesting or lists beyond what is given, are refused
/// as they are met, before they take memory. `what` the text is, for the messages.
json parsed(std::string_view text, const std::string& path, const char* what, int most_depth,
            size_t most_in_list) {
  using Event = json::parse_event_t;
  struct Open {
    bool list;
    size_t values = 0;
    std::set<std::string> keys{};
  };
  std::vector<Open> open;
  const auto check = [&](int depth, Event event, const json& value) {
    const bool begins = event == Event::object_start || event == Event::array_start;
    if (depth == 0 && event == Event::array_start)
      fail<FileError>(path, ": ", what, " is an array, not an object");
    if (depth >= most_depth && begins)
      fail<FileError>(path, ": ", what, " is nested deeper than ", most_depth);
    if ((begins || event == Event::value) && !open.empty() && open.back().list &&
        ++open.back().values > most_in_list)
      fail<FileError>(path, ": ", what, " holds a list of more than ", most_in_list, " values");
    if (event == Event::key && !open.back().keys.insert(value.get<std::string>()).second)
      fail<FileError>(path, ": ", what, " holds ", shown(value.get<std::string>()), " twice");
    if (begins) open.push_back({event == Event::array_start});
    if (event == Event::object_end || event == Event::array_end) open.pop_back();
    return true;
  };
  try {
    return json::parse(text, check);
  } catch (const json::parse_error& error) {
    fail<FileError>(path, ": ", what, " is not JSON: byte ", error.byte, " of it is wrong");
  } catch (const json::exception&) {
    fail<FileError>(path, ": ", what, " is not JSON: it holds a number that is out of range");
  }
}

/// FileError, unless `right`, that `who`, of the file, is or holds `value`, not what it should be.
template <class... Wanted>
void need(bool right, const std::string& who, const json& value, const Wanted&... wanted) {
  if (right) return;
  std::string found = value.is_null() ? "null" : "a bool";
  if (value.is_number()) found = "the number " + shown(value.dump());
  if (value.is_string()) found = "the text " + shown(value.get<std::string>());
  if (value.is_structured()) found = value.is_object() ? "an object" : "an array";
  fail<FileError>(who, " ", found, ", not ", wanted...);
}

RawEntry entry_of(const json& fields, const std::string& who) {
  RawEntry entry;
  for (const auto& [field, value] : fields.items()) {
    if (field == "dtype") {
      need(value.is_string(), who + "its dtype is", value, "a text");
      entry.dtype = value.get<std::string>();
      continue;
    }
    const bool shape = field == "shape";
    if (!shape && field != "data_offsets") fail<FileError>(who, "has the unknown field ", shown(field));
    need(value.is_array(), str(who, "its ", field, " is"), value, "an array");
    for (const json& number : value)
      need(number.is_number_unsigned(), str(who, "its ", field, shape ? " holds" : " hold"), number,
           "a whole number of at least 0");
    if (!shape) {
      entry.data_offsets = value.get<std::vector<uint64_t>>();
      continue;
    }
    for (const json& extent : value)
      if (extent.get<uint64_t>() > INT64_MAX)
        fail<FileError>(who, "the extent ", extent.get<uint64_t>(), " of its shape is more than an int64");
    if (value.size() > Shape::max_rank)
      fail<FileError>(who, "its shape has more than ", Shape::max_rank, " axes");
    entry.shape = value.get<std::vector<int64_t>>();
  }
  return entry;
}

}  // namespace

Header parse_header(std::string_view text, const std::string& path) {
  // A shape that is merely wrong gets a message of its own.
  const json root = parsed(text, path, "its header", 4, 64);
  need(root.is_object(), path + ": its header is", root, "an object");
  Header header;
  for (const auto& [name, value] : root.items()) {
    if (name != metadata_key) {
      const std::string who = str(path, ": tensor ", shown(name), ": ");
      need(value.is_object(), who + "is", value, "an object");
      header.entries.emplace(name, entry_of(value, who));
      continue;
    }
    need(value.is_object(), path + ": its metadata are", value, "an object");
    for (const auto& [key, said] : value.items()) {
      need(said.is_string(), str(path, ": its metadata ", shown(key), " are"), said, "a text");
      header.metadata.emplace(key, said.get<std::string>());
    }
  }
  return header;
}

std::map<std::string, std::string> parse_index(std::string_view text, const std::string& path) {
  const json root = parsed(text, path, "this index", 32, text.size());
  need(root.is_object(), path + ": is", root, "an object");
  const auto found = root.find("weight_map");
  if (found == root.end()) fail<FileError>(path, ": has no weight_map");
  need(found->is_object(), path + ": its weight_map is", *found, "an object");
  std::map<std::string, std::string> files;
  for (const auto& [name, file] : found->items()) {
    need(file.is_string(), str(path, ": its weight_map gives ", shown(name)), file, "the name of a file");
    files.emplace(name, file.get<std::string>());
  }
  return files;
}

std::string quoted_json(const std::string& text) {
  try {
    return json(text).dump();
  } catch (const json::type_error&) {
    fail<ValueError>("safetensors: ", shown(text), " is not UTF-8");
  }
}

std::string shown(std::string_view name) {
  constexpr size_t most = 80;
  std::string text = "'";
  size_t end = std::min(name.size(), most);
  while (end < name.size() && end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;
  for (const char c : name.substr(0, end))
    text += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  return text + (end < name.size() ? "...'" : "'");
}

}  // namespace weft::safetensors
