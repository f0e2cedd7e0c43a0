#include <weft/lib/array/shape.h>
#include <weft/lib/base/error.h>
#include <weft/lib/files/safetensors_json_internal.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace weft::safetensors {
namespace {

using nlohmann::json;

/// Every value that is not taken is refused by what it is.
class StrictReader : public nlohmann::json_sax<json> {
 public:
  /// `what` the text is, for the messages.
  StrictReader(const std::string& path, const char* what) : path_(path), what_(what) {}

  bool null() override { return value("null"); }
  bool boolean(bool) override { return value("a bool"); }
  bool number_integer(int64_t number) override { return value(str("the number ", number)); }
  bool number_unsigned(uint64_t number) override { return value(str("the number ", number)); }
  bool number_float(double, const std::string& text) override { return value("the number " + shown(text)); }
  bool string(std::string& text) override { return value("the text " + shown(text)); }
  bool binary(json::binary_t&) override { return value("binary data"); }
  bool start_object(size_t) override { return value("an object"); }
  bool start_array(size_t) override { return value("an array"); }
  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception&) override {
    refuse(what_, " is not JSON: byte ", position, " of it is wrong");
  }

 protected:
  /// A value for which there is no better place.
  virtual bool value(const std::string& what) = 0;
  template <class... Parts>
  [[noreturn]] void refuse(const Parts&... parts) const {
    fail<FileError>(path_, ": ", parts...);
  }

 private:
  const std::string& path_;
  const char* what_;
};

class HeaderReader final : public StrictReader {
 public:
  explicit HeaderReader(const std::string& path) : StrictReader(path, "its header") {}
  Header take() { return std::move(header_); }

  bool start_object(size_t count) override {
    if (place_ == Place::outside) return enter(Place::names);
    if (place_ == Place::names) return enter(is_metadata_ ? Place::metadata : Place::tensor);
    return StrictReader::start_object(count);
  }
  bool end_object() override { return enter(place_ == Place::names ? Place::outside : Place::names); }
  bool key(std::string& key) override {
    if (place_ == Place::names) {
      is_metadata_ = key == "__metadata__";
      const bool fresh = is_metadata_ ? !std::exchange(metadata_seen_, true) : !header_.entries.contains(key);
      if (!fresh) refuse("its header holds ", shown(key), " twice");
      if (!is_metadata_) entry_ = &*header_.entries.try_emplace(key).first;
    } else if (place_ == Place::metadata) {
      if (!header_.metadata.try_emplace(key).second) refuse("its metadata hold ", shown(key), " twice");
      field_ = key;
    } else {
      const RawEntry& entry = entry_->second;
      if (key != "dtype" && key != "shape" && key != "data_offsets")
        refuse(tensor(), "has the unknown field ", shown(key));
      if (key == "dtype"   ? entry.dtype.has_value()
          : key == "shape" ? entry.shape.has_value()
                           : entry.data_offsets.has_value())
        refuse(tensor(), "has two fields '", key, "'");
      field_ = key;
    }
    return true;
  }
  bool string(std::string& text) override {
    if (place_ == Place::metadata) {
      header_.metadata[field_] = text;
    } else if (place_ == Place::tensor && field_ == "dtype") {
      entry_->second.dtype = text;
    } else {
      return StrictReader::string(text);
    }
    return true;
  }
  bool start_array(size_t count) override {
    if (place_ != Place::tensor || field_ == "dtype") return StrictReader::start_array(count);
    if (field_ == "shape") {
      entry_->second.shape.emplace();
      return enter(Place::shape);
    }
    entry_->second.data_offsets.emplace();
    return enter(Place::offsets);
  }
  bool end_array() override { return enter(Place::tensor); }
  bool number_unsigned(uint64_t number) override {
    if (place_ == Place::shape) {
      if (number > INT64_MAX) refuse(tensor(), "the extent ", number, " of its shape is more than an int64");
      if (entry_->second.shape->size() == Shape::max_rank)
        refuse(tensor(), "its shape has more than ", Shape::max_rank, " axes");
      entry_->second.shape->push_back(static_cast<int64_t>(number));
    } else if (place_ == Place::offsets) {
      if (entry_->second.data_offsets->size() == 2) refuse(tensor(), "has more than two data_offsets");
      entry_->second.data_offsets->push_back(number);
    } else {
      return StrictReader::number_unsigned(number);
    }
    return true;
  }

 private:
  enum class Place { outside, names, metadata, tensor, shape, offsets };

  bool enter(Place place) {
    place_ = place;
    return true;
  }
  std::string tensor() const { return str("tensor ", shown(entry_->first), ": "); }
  bool value(const std::string& what) override {
    switch (place_) {
      case Place::outside:
        refuse("its header is ", what, ", not an object");
      case Place::names:
        if (is_metadata_) refuse("its metadata are ", what, ", not an object");
        refuse(tensor(), "is ", what, ", not an object");
      case Place::metadata:
        refuse("its metadata ", shown(field_), " are ", what, ", not a text");
      case Place::tensor:
        refuse(tensor(), "its ", field_, " is ", what, field_ == "dtype" ? ", not a text" : ", not an array");
      case Place::shape:
        refuse(tensor(), "its shape holds ", what, ", not a whole number of at least 0");
      default:
        refuse(tensor(), "its data_offsets hold ", what, ", not a whole number of at least 0");
    }
  }

  Place place_ = Place::outside;
  bool is_metadata_ = false, metadata_seen_ = false;
  std::string field_;
  std::pair<const std::string, RawEntry>* entry_ = nullptr;
  Header header_;
};

class IndexReader final : public StrictReader {
 public:
  explicit IndexReader(const std::string& path) : StrictReader(path, "this index") {}
  std::map<std::string, std::string> take() {
    if (!seen_) refuse("has no weight_map");
    return std::move(files_);
  }

  bool start_object(size_t count) override {
    if (in_map_ && depth_ > 1) return StrictReader::start_object(count);
    return ++depth_ > 0;
  }
  bool end_object() override { return --depth_ >= 0; }
  bool start_array(size_t count) override {
    if (depth_ == 0 || in_map_) return StrictReader::start_array(count);
    return ++depth_ > 0;
  }
  bool end_array() override { return --depth_ >= 0; }
  bool key(std::string& key) override {
    if (depth_ == 1) {
      in_map_ = key == "weight_map";
      if (in_map_ && std::exchange(seen_, true)) refuse("holds weight_map twice");
    } else if (in_map_) {
      name_ = key;
      if (files_.contains(key)) refuse("its weight_map holds ", shown(key), " twice");
    }
    return true;
  }
  bool string(std::string& text) override {
    if (depth_ != 2 || !in_map_) return StrictReader::string(text);
    files_.emplace(name_, text);
    return true;
  }

 private:
  bool value(const std::string& what) override {
    if (depth_ == 0) refuse("is ", what, ", not an object");
    if (in_map_ && depth_ == 1) refuse("its weight_map is ", what, ", not an object");
    if (in_map_) refuse("its weight_map gives ", shown(name_), " ", what, ", not the name of a file");
    return true;  // other entries say nothing about files
  }

  int64_t depth_ = 0;
  bool in_map_ = false, seen_ = false;
  std::string name_;
  std::map<std::string, std::string> files_;
};

}  // namespace

Header parse_header(std::string_view text, const std::string& path) {
  HeaderReader reader(path);
  json::sax_parse(text, &reader);
  return reader.take();
}

std::map<std::string, std::string> parse_index(std::string_view text, const std::string& path) {
  IndexReader reader(path);
  json::sax_parse(text, &reader);
  return reader.take();
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
