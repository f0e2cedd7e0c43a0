#include "records.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace {

bool of_clock(const std::string& key) {
  return key == "tokens_per_second" || key == "seconds" || key == "memory_bytes";
}

std::string read(const Folder& folder, const std::string& file) {
  return exists(folder, file) ? folder.read(file) : "";
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

Records records_of(const Folder& folder, const std::string& run) {
  Records found{.samples = read(folder, run + "/samples.jsonl"),
                .statistics = read(folder, run + "/statistics.jsonl")};
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
