// What the settings of the task `text` say of files.
#pragma once

#include <weft/data/text/document_reader.h>
#include <weft/lib/settings/setting.h>

#include <string>
#include <vector>

namespace weft {

/// Of tasks that read windows of a text.
Setting block_size_setting();
/// block_size; boundaries, packing, split; how records are read (data/records/record_options.h).
std::vector<Setting> text_settings();

/// The files as those settings say that they are read: records, where `text` or `format` is given, each a document, else
/// texts, each a document unless boundaries is "none". Settings that are missing are as they were before there were such.
TextFiles text_files(const std::vector<std::string>& paths, Newlines newlines, const SettingValues& settings);

/// Whether the files hold token ids that are ready made: format=ids (data/text/id_file.h).
bool reads_ids(const SettingValues& settings);
/// boundaries, packing or split, as text_files takes them.
std::string text_choice(const SettingValues& settings, const std::string& name);

}  // namespace weft
