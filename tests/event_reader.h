// Reads what TensorBoard reads, by the formats' descriptions and not by the code that writes it: records whose checksums
// are right, and of their events the parts that a run tells.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace event_reader {

struct ReadHistogram {
  double min = 0, max = 0, num = 0, sum = 0, sum_squares = 0;
  std::vector<double> limits, counts;
};

struct ReadValue {
  std::string tag, plugin, content, text;
  std::optional<float> number;
  std::optional<ReadHistogram> histogram;
};

struct ReadEvent {
  double wall_time = 0;
  int64_t step = 0;
  std::string version;
  bool restarts = false;
  std::vector<ReadValue> values;
};

/// Bit by bit, as the polynomial says.
inline uint32_t slow_crc32c(std::string_view bytes) {
  uint32_t crc = 0xffffffff;
  for (const char byte : bytes) {
    crc ^= static_cast<uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82f63b78 : crc >> 1;
  }
  return crc ^ 0xffffffff;
}

/// The data of the records of a file. std::runtime_error for a file that is none.
inline std::vector<std::string> read_records(std::string_view file) {
  const auto take = [&](size_t count) {
    if (file.size() < count) throw std::runtime_error("the file ends within a record");
    const std::string_view taken = file.substr(0, count);
    file.remove_prefix(count);
    return taken;
  };
  const auto check = [&](std::string_view bytes) {
    uint32_t told = 0;
    std::memcpy(&told, take(4).data(), 4);
    const uint32_t crc = slow_crc32c(bytes);
    if (told != ((crc >> 15 | crc << 17) + 0xa282ead8)) throw std::runtime_error("a checksum is wrong");
  };
  std::vector<std::string> all;
  while (!file.empty()) {
    uint64_t length = 0;
    const std::string_view header = take(8);
    std::memcpy(&length, header.data(), 8);
    check(header);
    all.emplace_back(take(length));
    check(all.back());
  }
  return all;
}

/// The fields of a message: a number as its bits, or a part.
struct ReadField {
  uint64_t number = 0, bits = 0;
  std::string_view part = {};

  double real() const {
    double value = 0;
    std::memcpy(&value, &bits, 8);
    return value;
  }
};

inline std::vector<ReadField> read_fields(std::string_view message) {
  const auto varint = [&] {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (message.empty()) throw std::runtime_error("a message ends within a number");
      const auto byte = static_cast<uint8_t>(message[0]);
      message.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw std::runtime_error("a number is too long");
  };
  std::vector<ReadField> all;
  while (!message.empty()) {
    const uint64_t key = varint();
    ReadField field{.number = key >> 3};
    const uint64_t kind = key & 7;
    if (kind == 0) {
      field.bits = varint();
    } else {
      const uint64_t size = kind == 1 ? 8 : kind == 5 ? 4 : kind == 2 ? varint() : ~uint64_t{0};
      if (size > message.size())
        throw std::runtime_error("a message ends within a field, or its kind is none");
      field.part = message.substr(0, size);
      message.remove_prefix(size);
      if (kind != 2) std::memcpy(&field.bits, field.part.data(), size);
    }
    all.push_back(field);
  }
  return all;
}

inline std::vector<double> read_doubles(std::string_view packed) {
  std::vector<double> all(packed.size() / 8);
  if (!all.empty()) std::memcpy(all.data(), packed.data(), 8 * all.size());
  return all;
}

inline ReadHistogram read_histogram(std::string_view message) {
  ReadHistogram h;
  for (const ReadField& field : read_fields(message)) {
    if (field.number == 1) h.min = field.real();
    if (field.number == 2) h.max = field.real();
    if (field.number == 3) h.num = field.real();
    if (field.number == 4) h.sum = field.real();
    if (field.number == 5) h.sum_squares = field.real();
    if (field.number == 6) h.limits = read_doubles(field.part);
    if (field.number == 7) h.counts = read_doubles(field.part);
  }
  return h;
}

inline ReadValue read_value(std::string_view message) {
  ReadValue value;
  for (const ReadField& field : read_fields(message)) {
    if (field.number == 1) value.tag = field.part;
    if (field.number == 2) {
      float number = 0;
      std::memcpy(&number, &field.bits, 4);
      value.number = number;
    }
    if (field.number == 5) value.histogram = read_histogram(field.part);
    if (field.number == 8)
      for (const ReadField& of_tensor : read_fields(field.part))
        if (of_tensor.number == 8) value.text = of_tensor.part;
    if (field.number == 9)
      for (const ReadField& of_metadata : read_fields(field.part))
        if (of_metadata.number == 1)
          for (const ReadField& of_plugin : read_fields(of_metadata.part))
            (of_plugin.number == 1 ? value.plugin : value.content) = of_plugin.part;
  }
  return value;
}

inline std::vector<ReadEvent> read_events(std::string_view file) {
  std::vector<ReadEvent> all;
  for (const std::string& record : read_records(file)) {
    ReadEvent event;
    for (const ReadField& field : read_fields(record)) {
      if (field.number == 1) event.wall_time = field.real();
      if (field.number == 2) event.step = static_cast<int64_t>(field.bits);
      if (field.number == 3) event.version = field.part;
      if (field.number == 7)
        for (const ReadField& of_session : read_fields(field.part))
          event.restarts = of_session.number == 1 && of_session.bits == 1;
      if (field.number == 5)
        for (const ReadField& of_summary : read_fields(field.part))
          event.values.push_back(read_value(of_summary.part));
    }
    all.push_back(std::move(event));
  }
  return all;
}

/// Of each tag the steps and values, in the order of the file.
inline std::map<std::string, std::vector<std::pair<int64_t, ReadValue>>> by_tag(
    const std::vector<ReadEvent>& events) {
  std::map<std::string, std::vector<std::pair<int64_t, ReadValue>>> all;
  for (const ReadEvent& event : events)
    for (const ReadValue& value : event.values) all[value.tag].emplace_back(event.step, value);
  return all;
}

/// The settings of the tab "HPARAMS", each as text: "0.5", "true", "gpt2".
inline std::map<std::string, std::string> read_settings(const ReadValue& value) {
  std::map<std::string, std::string> all;
  for (const ReadField& of_content : read_fields(value.content)) {
    if (of_content.number != 3) continue;
    for (const ReadField& of_start : read_fields(of_content.part)) {
      if (of_start.number != 1) continue;
      std::string name, text;
      for (const ReadField& of_entry : read_fields(of_start.part)) {
        if (of_entry.number == 1) name = of_entry.part;
        if (of_entry.number != 2) continue;
        for (const ReadField& any : read_fields(of_entry.part)) {
          if (any.number == 2) text = std::to_string(any.real());
          if (any.number == 3) text = any.part;
          if (any.number == 4) text = any.bits != 0 ? "true" : "false";
        }
      }
      all[name] = text;
    }
  }
  return all;
}

}  // namespace event_reader
