#include <weft/data/records/record_options.h>
#include <weft/data/tasks/text_task.h>

#include <string_view>
#include <utility>

namespace weft {
namespace {

bool is_of_text(const std::string& name) { return name != "label" && name != "source" && name != "target"; }

/// A setting's value, or what files mean that lack it.
SettingValue value_in(const SettingValues& settings, const std::string& name) {
  if (settings.contains(name)) return settings.at(name);
  for (const Setting& s : text_settings())
    if (s.name == name) return s.value_before();
  return settings.at(name);
}

}  // namespace

Setting block_size_setting() {
  return {.name = "block_size",
          .value = int64_t{64},
          .help = "longest context, in tokens",
          .least = 1,
          .most = 1 << 20};
}

std::vector<Setting> text_settings() {
  std::vector<Setting> all = {
      block_size_setting(),
      {.name = "boundaries",
       .value = std::string("files"),
       .help = "what a document of plain text is: each of the files, or none of them: all are one text",
       .choices = {"files", "none"},
       .before = std::string("none")},
      {.name = "packing",
       .value = std::string("across"),
       .help = "across: windows anywhere in the text; documents: whole documents, each read by itself, share "
               "a block",
       .choices = {"across", "documents"}},
      {.name = "split",
       .value = std::string("end"),
       .help = "what validates without --val-data: the last tenth, or, by hash, a tenth of the documents",
       .choices = {"end", "hash"}}};
  for (Setting& s : RecordSettings::settings().list())
    if (is_of_text(s.name)) {
      if (s.name == "format")
        s.help =
            "csv, tsv, jsonl, json, txt: files are records, each a document (else their "
            "endings say it where text is given); ids: token ids, ready made";
      all.push_back(std::move(s));
    }
  return all;
}

std::string text_choice(const SettingValues& settings, const std::string& name) {
  return std::get<std::string>(value_in(settings, name));
}

bool reads_ids(const SettingValues& settings) { return text_choice(settings, "format") == "ids"; }

TextFiles text_files(const std::vector<std::string>& paths, Newlines newlines,
                     const SettingValues& settings) {
  TextFiles files{.paths = paths, .newlines = newlines};
  RecordSettings records;
  SettingValues given;
  for (const Field<RecordSettings>& field : RecordSettings::settings().fields())
    if (is_of_text(field.setting.name)) given.set(field.setting.name, value_in(settings, field.setting.name));
  RecordSettings::settings().take(records, given);
  if (!reads_ids(settings) && (!records.text.empty() || !records.format.empty()))
    files.records = records.options();
  else
    files.by_file = text_choice(settings, "boundaries") == "files";
  return files;
}

}  // namespace weft
