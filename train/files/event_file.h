// What TensorBoard reads: a file of records in TensorFlow's TFRecord format, each a tensorflow.Event in protobuf's wire
// format. A record is the length of its data (8 bytes, little-endian), the length's checksum, the data, the data's
// checksum; a checksum is CRC-32C, turned right by 15 bits, plus 0xa282ead8 (4 bytes). The first event names the version.
//
//   AppendedFile file(folder, "runs/mine/events.out.tfevents.1700000000.weft");
//   file.append(event_record(version_event(now)));
//   file.append(event_record(Event(now, 250).scalar("loss/validation", 1.91).bytes()));
//
// Sources: tensorflow/core/lib/io/record_writer.h, tensorboard/compat/proto/{event,summary,histogram,tensor}.proto, and
// tensorboard/plugins/hparams/plugin_data.proto.
#pragma once

#include <weft/lib/settings/setting.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weft {

/// Values counted in stretches of equal width from `min` to `max`; where these are equal the first has all.
struct EventHistogram {
  double min = 0, max = 0, count = 0, sum = 0, sum_squares = 0;
  std::span<const int64_t> counts;
};

/// An event at a time (seconds of Unix) and a step, with as many values as are added to it.
class Event {
 public:
  Event(double wall_time, int64_t step) : wall_time_(wall_time), step_(step) {}

  /// A point of a curve; TensorBoard keeps it in 32 bits.
  Event& scalar(std::string_view tag, double value);
  /// Text, which TensorBoard shows as Markdown: it comes as a block of code, each line indented by four spaces.
  Event& text(std::string_view tag, std::string_view text);
  Event& histogram(std::string_view tag, const EventHistogram& histogram);
  /// The row of a run in the tab "HPARAMS", once a run.
  Event& hyperparameters(const std::vector<std::pair<std::string, SettingValue>>& values);

  std::string bytes() const;

 private:
  void add_tensor(std::string_view tag, std::string_view plugin, std::string_view content,
                  std::string_view tensor);

  double wall_time_;
  int64_t step_;
  std::string values_;  ///< tensorflow.Summary
};

/// The event that a file begins with.
std::string version_event(double wall_time);
/// Behind it, in a file that takes the place of another: what was told so far counts no more.
std::string restart_event(double wall_time);
/// An event as it stands in the file.
std::string event_record(std::string_view event);

/// CRC-32C (Castagnoli), as in iSCSI: of "123456789" it is 0xe3069283.
uint32_t crc32c(std::string_view bytes);

}  // namespace weft
