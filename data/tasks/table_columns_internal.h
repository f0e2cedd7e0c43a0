// Which columns of a user's files a task reads. Internal to data.
#pragma once

#include <weft/data/records/record_table.h>
#include <weft/lib/settings/setting.h>

#include <memory>
#include <string>
#include <vector>

namespace weft {

/// Columns of a task, each with the key that names it and the name it has unless told.
struct Column {
  const char *key, *usual;
};
/// Of a chat none, which finds its own.
std::vector<Column> columns_of(const std::string& task);

/// The text of a setting, unless it is not there or empty.
std::string text_or(const SettingValues& settings, const std::string& key, std::string otherwise = {});

/// The columns of a task as settings name them, or as they are usually called. ValueError for files that are no such
/// table; FileError as RecordTable.
std::shared_ptr<const RecordTable> read_table(const std::string& task, const std::vector<std::string>& paths,
                                              const SettingValues& settings);

}  // namespace weft
