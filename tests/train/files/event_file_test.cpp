// Against the bytes that TensorBoard's own package makes of the same events: tests/reference/tensorboard_files.py.
#include <doctest/doctest.h>
#include <weft/lib/base/file.h>
#include <weft/train/files/event_file.h>

#include <limits>
#include <string>

#include "event_reader.h"

namespace weft::test {

using namespace event_reader;

TEST_CASE("event file: CRC-32C") {
  CHECK(crc32c("123456789") == 0xe3069283);
  CHECK(crc32c("") == 0);
  CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aa);  // RFC 3720, B.4
  CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43);
}

TEST_CASE("event file: the bytes are those of TensorBoard's own package") {
  const std::vector<std::pair<std::string, SettingValue>> settings = {
      {"a_flag", false}, {"b_flag", true},       {"count", int64_t{0}}, {"model", std::string("gpt2")},
      {"rate", 0.001},   {"text", std::string()}};
  const std::vector<int64_t> counts = {1, 0, 4, 5}, all_in_one = {5, 0, 0, 0};
  std::string file = event_record(version_event(1700000000.0));
  file += event_record(restart_event(1700000000.5));
  file += event_record(Event(1700000001.5, 0).hyperparameters(settings).bytes());
  file += event_record(Event(1700000001.5, 0).scalar("loss/train", 4.5).scalar("zero", 0).bytes());
  file += event_record(Event(1700000002.25, 250).text("sample", "one\n\nzwölf").bytes());
  file += event_record(
      Event(1700000003.0, int64_t{1} << 40)
          .histogram("weights/a",
                     {.min = -1, .max = 3, .count = 10, .sum = 7.5, .sum_squares = 21.25, .counts = counts})
          .histogram("weights/b",
                     {.min = 2, .max = 2, .count = 5, .sum = 10, .sum_squares = 20, .counts = all_in_one})
          .bytes());
  CHECK(file == read_text(WEFT_SOURCE_DIR "/tests/reference/tensorboard.events"));

  const std::vector<ReadEvent> events = read_events(file);
  REQUIRE(events.size() == 6);
  CHECK(events[1].restarts);
  CHECK(events[0].version == "brain.Event:2");
  CHECK(events[0].wall_time == 1700000000.0);
  CHECK(read_settings(events[2].values.at(0)).at("model") == "gpt2");
  CHECK(events[3].values.at(1).number == 0.0f);
  CHECK(events[4].step == 250);
  CHECK(events[4].values.at(0).text == "    one\n    \n    zwölf");
  CHECK(events[5].step == int64_t{1} << 40);
  CHECK(events[5].values.at(0).histogram->counts == std::vector<double>{1, 0, 4, 5});
}

TEST_CASE("event file: what is not finite is told, and a damaged record is none") {
  constexpr double inf = std::numeric_limits<double>::infinity();
  const std::string file = event_record(Event(1, 2).scalar("a", inf).scalar("b", 1e300).bytes());
  CHECK(read_events(file).at(0).values.at(0).number == std::numeric_limits<float>::infinity());
  CHECK(read_events(file).at(0).values.at(1).number == std::numeric_limits<float>::infinity());
  for (size_t i = 0; i < file.size(); ++i) {
    std::string damaged = file;
    damaged[i] ^= 4;
    CHECK_THROWS_AS(read_events(damaged), std::runtime_error);
  }
}

}  // namespace weft::test
