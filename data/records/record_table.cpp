#include <weft/data/records/record_table.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/join.h>
#include <weft/lib/base/values.h>

#include <algorithm>
#include <array>
#include <set>
#include <unordered_map>

namespace weft {

Digest record_digest(std::span<const std::string_view> fields) {
  Hasher hasher;
  for (const std::string_view field : fields) {
    std::array<uint8_t, 8> size{};
    for (size_t i = 0; i < size.size(); ++i) size[i] = static_cast<uint8_t>(field.size() >> (8 * i));
    hasher.update(size);
    hasher.update(field);
  }
  return hasher.digest();
}

bool is_validation(std::span<const std::string_view> fields, double share) {
  return is_validation(record_digest(fields), share);
}

bool is_validation(const Digest& digest, double share) {
  if (!(share >= 0 && share <= 1)) fail<ValueError>("is_validation: share must be in [0, 1], not ", share);
  uint64_t begins = 0;
  for (size_t i = 0; i < 8; ++i) begins = (begins << 8) | digest[i];
  constexpr double unit = 1.0 / static_cast<double>(uint64_t{1} << 53);
  return static_cast<double>(begins >> 11) * unit < share;
}

RecordTable::RecordTable(const std::vector<std::string>& paths, const RecordOptions& options,
                         int64_t most_bytes) {
  RecordReader reader(paths, options);
  while (const auto record = reader.next()) {
    for (const std::string& field : record->fields) {
      bytes_ += field;
      ends_.push_back(bytes_.size());
    }
    places_.push_back(record->place);
    if (bytes_.size() > static_cast<uint64_t>(most_bytes))
      fail<FileError>(reader.describe(record->place), ": the records up to here hold more than ",
                      grouped(most_bytes), " bytes, the most that are kept in memory; take fewer of them");
  }
  columns_ = reader.columns();
  files_ = reader.files();
  side_by_side_ = reader.side_by_side();
  content_hash_ = reader.content_hash();
  notes_ = reader.notes();
}

std::string_view RecordTable::field(size_t record, size_t column) const {
  if (record >= size() || column >= columns_.size())
    fail<ValueError>("RecordTable: no field ", column, " of record ", record, " among ", size(), " of ",
                     columns_.size());
  const size_t i = record * columns_.size() + column;
  const uint64_t begin = i == 0 ? 0 : ends_[i - 1];
  return std::string_view(bytes_).substr(begin, ends_[i] - begin);
}

std::vector<std::string_view> RecordTable::fields(size_t record) const {
  std::vector<std::string_view> all;
  for (size_t i = 0; i < columns_.size(); ++i) all.push_back(field(record, i));
  return all;
}

std::string RecordTable::describe(size_t record) const {
  return str(files_[place(record).file], ": line ", place(record).line);
}

size_t RecordTable::duplicates() const {
  std::vector<Digest> digests;
  for (size_t i = 0; i < size(); ++i) digests.push_back(record_digest(fields(i)));
  std::ranges::sort(digests);
  return static_cast<size_t>(std::ranges::unique(digests).size());
}

std::vector<std::string> RecordTable::distinct(size_t column) const {
  std::set<std::string_view> met;
  for (size_t i = 0; i < size(); ++i) met.insert(field(i, column));
  return {met.begin(), met.end()};
}

std::vector<int64_t> RecordTable::label_ids(size_t column, const std::vector<std::string>& labels) const {
  std::unordered_map<std::string_view, int64_t> known;
  for (const std::string& label : labels) known.emplace(label, static_cast<int64_t>(known.size()));
  std::vector<int64_t> ids;
  for (size_t i = 0; i < size(); ++i) {
    const auto found = known.find(field(i, column));
    if (found == known.end()) {
      const std::string label(field(i, column)),
          near = nearest(label, labels.data(), labels.data() + labels.size());
      fail<FileError>(describe(i), ", column ", columns_[column], ": '", label,
                      "' is no label that is known; ",
                      near.empty() ? str("there are ", joined(labels)) : str("did you mean '", near, "'?"));
    }
    ids.push_back(found->second);
  }
  return ids;
}

}  // namespace weft
