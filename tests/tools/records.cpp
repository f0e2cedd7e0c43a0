#include "records.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "event_reader.h"

namespace {

bool of_clock(const std::string& key) {
  return key == "tokens_per_second" || key == "seconds" || key == "memory_bytes";
}

std::string read(const Folder& folder, const std::string& file) {
  return exists(folder, file) ? folder.read(file) : "";
}

/// What a run's files for TensorBoard tell beside its settings, a line each.
std::string events_told(const Folder& folder, const std::string& run) {
  std::string told;
  for (const std::string& name : listed(folder, run)) {
    if (!contains(name, ".tfevents.")) continue;
    for (const event_reader::ReadEvent& event : event_reader::read_events(folder.read(run + "/" + name)))
      for (const event_reader::ReadValue& value : event.values) {
        if (of_clock(value.tag)) continue;
        std::ostringstream line;
        line << event.step << " " << value.tag << " " << value.number.value_or(0) << value.text;
        if (value.histogram)
          for (const double count : value.histogram->counts) line << " " << count;
        told += line.str() + "\n";
      }
  }
  return told;
}

}  // namespace

std::vector<std::string> cells_of(const std::string& row) {
  std::vector<std::string> cells(1);
  for (const char c : row) {
    if (c == ',')
      cells.emplace_back();
    else
      cells.back() += c;
  }
  return cells;
}

std::string text_in(const std::string& line) {
  return nlohmann::json::parse(line).at("text").get<std::string>();
}

std::vector<std::string> files_of(const Folder& folder, const std::string& run) {
  std::vector<std::string> names = listed(folder, run);
  std::erase_if(names, [](const std::string& name) { return contains(name, ".tfevents."); });
  return names;
}

Records records_of(const Folder& folder, const std::string& run) {
  Records found{.samples = read(folder, run + "/samples.jsonl"),
                .statistics = read(folder, run + "/statistics.jsonl"),
                .events = events_told(folder, run)};
  for (const std::string& line : lines_of(read(folder, run + "/metrics.jsonl"))) {
    auto entry = nlohmann::ordered_json::parse(line);
    for (const char* key : {"tokens_per_second", "seconds", "memory_bytes"}) entry.erase(key);
    found.log += entry.dump() + "\n";
  }
  const std::vector<std::string> rows = lines_of(read(folder, run + "/metrics.csv"));
  if (rows.empty()) return found;
  const std::vector<std::string> header = cells_of(rows[0]);
  for (const std::string& row : rows) {
    const std::vector<std::string> cells = cells_of(row);
    for (size_t column = 0; column < std::min(cells.size(), header.size()); ++column)
      if (!of_clock(header[column])) found.table += cells[column] + ",";
    found.table += "\n";
  }
  return found;
}
