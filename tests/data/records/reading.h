// Tables read whole, and refusals of them.
#pragma once

#include <doctest/doctest.h>
#include <weft/data/records/record_reader.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "folder.h"

namespace weft::test {

using Row = std::vector<std::string>;
using Rows = std::vector<Row>;

inline Rows read_rows(const std::vector<std::string>& paths, const RecordOptions& options = {}) {
  RecordReader reader(paths, options);
  Rows rows;
  while (const auto record = reader.next()) rows.push_back(record->fields);
  return rows;
}

/// The lines in which the records begin.
inline std::vector<int64_t> lines_read(const std::string& path, const RecordOptions& options = {}) {
  RecordReader reader({path}, options);
  std::vector<int64_t> lines;
  while (const auto record = reader.next()) lines.push_back(record->place.line);
  return lines;
}

/// What is said of a file of this content, without its path; "" when it is read.
inline std::string refusal_of(const std::string& name, const std::string& content,
                              const RecordOptions& options = {}) {
  const Folder folder;
  folder.write(name, content);
  std::string first;
  // However the file is cut into pieces, the same is said.
  for (const int64_t piece : {1 << 18, 4, 5, 7, 64}) {
    RecordOptions cut = options;
    cut.piece_bytes = piece;
    std::string text;
    try {
      read_rows({folder.path(name)}, cut);
    } catch (const Error& error) {
      text = error.what();
      for (size_t at; (at = text.find(folder.name() + "/")) != text.npos;)
        text.erase(at, folder.name().size() + 1);
    }
    if (piece == 1 << 18) first = text;
    CHECK(text == first);
  }
  return first;
}

/// Rows of a file of this content, the same for all sizes of the pieces it is read in.
inline Rows rows_of(const std::string& name, const std::string& content, const RecordOptions& options = {}) {
  const Folder folder;
  folder.write(name, content);
  const Rows rows = read_rows({folder.path(name)}, options);
  for (const int64_t piece : {4, 5, 7, 64}) {
    RecordOptions cut = options;
    cut.piece_bytes = piece;
    CHECK(read_rows({folder.path(name)}, cut) == rows);
  }
  return rows;
}

/// Where the sets lie that only some machines have; empty, and said, where this one lacks it.
inline std::string real_data(const std::string& file) {
  const char* const given = std::getenv("WEFT_SHARED_DATA");
  const std::string path = (given ? std::string(given) : WEFT_SOURCE_DIR "/../shared/data") + "/" + file;
  if (std::filesystem::exists(path)) return path;
  MESSAGE("not tested: there is no file " << path
                                          << "; WEFT_SHARED_DATA=DIR names another than ../shared/data");
  return {};
}

}  // namespace weft::test
