#include <weft/train/files/event_file.h>

#include <array>
#include <bit>
#include <cstddef>
#include <variant>

namespace weft {
namespace {

template <class Whole>
void put_little(std::string& to, Whole value) {
  for (size_t i = 0; i < sizeof(Whole); ++i) to += static_cast<char>(value >> (8 * i) & 0xff);
}

/// A message in protobuf's wire format, field by field. As protobuf does it, numbers that are 0 are left out, but for
/// those that one_of() says are one of several.
class Message {
 public:
  enum Kind : uint64_t { varint = 0, eight_bytes = 1, length = 2, four_bytes = 5 };

  Message& whole(uint64_t field, int64_t value) {
    if (value == 0 && !one_of_) return *this;
    key(field, varint);
    put_varint(static_cast<uint64_t>(value));
    return *this;
  }
  Message& number(uint64_t field, double value) {
    const auto bits = std::bit_cast<uint64_t>(value);
    if (bits == 0 && !one_of_) return *this;
    key(field, eight_bytes);
    put_little(bytes_, bits);
    return *this;
  }
  Message& one_of() {
    one_of_ = true;
    return *this;
  }
  Message& short_number(uint64_t field, double value) {
    key(field, four_bytes);
    put_little(bytes_, std::bit_cast<uint32_t>(static_cast<float>(value)));
    return *this;
  }
  /// Text, bytes or a message.
  Message& part(uint64_t field, std::string_view bytes) {
    key(field, length);
    put_varint(bytes.size());
    bytes_ += bytes;
    return *this;
  }
  Message& numbers(uint64_t field, std::span<const double> values) {
    key(field, length);
    put_varint(8 * values.size());
    for (const double value : values) put_little(bytes_, std::bit_cast<uint64_t>(value));
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  void key(uint64_t field, Kind kind) { put_varint(field << 3 | kind); }
  void put_varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>((value & 0x7f) | 0x80);
    bytes_ += static_cast<char>(value);
  }

  std::string bytes_;
  bool one_of_ = false;
};

// Numbers of fields, by message.
enum EventField : uint64_t {
  event_wall_time = 1,
  event_step = 2,
  event_version = 3,
  event_summary = 5,
  event_session = 7
};
constexpr uint64_t session_status = 1;
constexpr int64_t session_start = 1;
constexpr uint64_t summary_value = 1;
enum ValueField : uint64_t {
  value_tag = 1,
  value_simple = 2,
  value_histogram = 5,
  value_tensor = 8,
  value_metadata = 9
};
enum HistogramField : uint64_t {
  histogram_min = 1,
  histogram_max = 2,
  histogram_num = 3,
  histogram_sum = 4,
  histogram_sum_squares = 5,
  histogram_limits = 6,
  histogram_counts = 7
};
enum MetadataField : uint64_t { metadata_plugin = 1, metadata_class = 4 };
constexpr int64_t class_of_tensors = 2;
enum PluginField : uint64_t { plugin_name = 1, plugin_content = 2 };
enum TensorField : uint64_t { tensor_type = 1, tensor_shape = 2, tensor_text = 8 };
enum TensorType : int64_t { type_float = 1, type_text = 7 };
constexpr uint64_t shape_axis = 2, axis_size = 1;
enum HyperparameterField : uint64_t { hyper_version = 1, hyper_start = 3, start_values = 1, start_time = 5 };
enum AnyField : uint64_t { any_number = 2, any_text = 3, any_boolean = 4 };
enum MapField : uint64_t { map_key = 1, map_value = 2 };

/// google.protobuf.Value.
std::string any_of(const SettingValue& value) {
  Message any;
  any.one_of();
  if (const auto* const flag = std::get_if<bool>(&value)) any.whole(any_boolean, *flag ? 1 : 0);
  if (const auto* const whole = std::get_if<int64_t>(&value))
    any.number(any_number, static_cast<double>(*whole));
  if (const auto* const number = std::get_if<double>(&value)) any.number(any_number, *number);
  if (const auto* const text = std::get_if<std::string>(&value)) any.part(any_text, *text);
  return any.bytes();
}

constexpr uint32_t step_of_crc(uint32_t crc) {
  constexpr uint32_t polynomial = 0x82f63b78;  // 0x1edc6f41, its bits in reverse
  for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? polynomial : 0);
  return crc;
}

constexpr std::array<uint32_t, 256> crc_table = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < table.size(); ++i) table[i] = step_of_crc(i);
  return table;
}();

uint32_t masked_crc(std::string_view bytes) { return std::rotr(crc32c(bytes), 15) + 0xa282ead8; }

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  uint32_t crc = ~uint32_t{0};
  for (const char byte : bytes) crc = crc >> 8 ^ crc_table[(crc ^ static_cast<uint8_t>(byte)) & 0xff];
  return ~crc;
}

Event& Event::scalar(std::string_view tag, double value) {
  values_ +=
      Message()
          .part(summary_value, Message().part(value_tag, tag).short_number(value_simple, value).bytes())
          .bytes();
  return *this;
}

void Event::add_tensor(std::string_view tag, std::string_view plugin, std::string_view content,
                       std::string_view tensor) {
  Message about;
  about.part(plugin_name, plugin);
  if (!content.empty()) about.part(plugin_content, content);
  const Message metadata =
      Message().part(metadata_plugin, about.bytes()).whole(metadata_class, class_of_tensors);
  const Message value =
      Message().part(value_tag, tag).part(value_tensor, tensor).part(value_metadata, metadata.bytes());
  values_ += Message().part(summary_value, value.bytes()).bytes();
}

Event& Event::text(std::string_view tag, std::string_view text) {
  constexpr std::string_view indent = "    ";
  std::string block(indent);
  for (const char c : text) {
    block += c;
    if (c == '\n') block += indent;
  }
  const Message tensor =
      Message().whole(tensor_type, type_text).part(tensor_shape, "").part(tensor_text, block);
  add_tensor(tag, "text", "", tensor.bytes());
  return *this;
}

Event& Event::histogram(std::string_view tag, const EventHistogram& h) {
  std::vector<double> limits, counts;
  const auto all = static_cast<double>(h.counts.size());
  for (size_t i = 0; i < h.counts.size() && (i == 0 || h.min < h.max); ++i) {
    const double share = static_cast<double>(i + 1) / all;
    limits.push_back(i + 1 == h.counts.size() || h.min == h.max ? h.max : h.min + share * (h.max - h.min));
    counts.push_back(static_cast<double>(h.counts[i]));
  }
  const Message histogram = Message()
                                .number(histogram_min, h.min)
                                .number(histogram_max, h.max)
                                .number(histogram_num, h.count)
                                .number(histogram_sum, h.sum)
                                .number(histogram_sum_squares, h.sum_squares)
                                .numbers(histogram_limits, limits)
                                .numbers(histogram_counts, counts);
  const Message value = Message().part(value_tag, tag).part(value_histogram, histogram.bytes());
  values_ += Message().part(summary_value, value.bytes()).bytes();
  return *this;
}

Event& Event::hyperparameters(const std::vector<std::pair<std::string, SettingValue>>& values) {
  Message start;
  for (const auto& [name, value] : values)
    start.part(start_values, Message().part(map_key, name).part(map_value, any_of(value)).bytes());
  start.number(start_time, wall_time_);
  const Message content = Message().whole(hyper_version, 0).part(hyper_start, start.bytes());
  // A tensor is needed, of no values.
  const Message axis = Message().part(shape_axis, Message().whole(axis_size, 0).bytes());
  const Message tensor = Message().whole(tensor_type, type_float).part(tensor_shape, axis.bytes());
  add_tensor("_hparams_/session_start_info", "hparams", content.bytes(), tensor.bytes());
  return *this;
}

std::string Event::bytes() const {
  return Message()
      .number(event_wall_time, wall_time_)
      .whole(event_step, step_)
      .part(event_summary, values_)
      .bytes();
}

std::string version_event(double wall_time) {
  return Message().number(event_wall_time, wall_time).part(event_version, "brain.Event:2").bytes();
}

std::string restart_event(double wall_time) {
  const Message session = Message().whole(session_status, session_start);
  return Message().number(event_wall_time, wall_time).part(event_session, session.bytes()).bytes();
}

std::string event_record(std::string_view event) {
  std::string length, record;
  put_little(length, static_cast<uint64_t>(event.size()));
  record = length;
  put_little(record, masked_crc(length));
  record += event;
  put_little(record, masked_crc(event));
  return record;
}

}  // namespace weft
