#include <weft/data/records/record_format.h>
#include <weft/data/tasks/table_columns_internal.h>
#include <weft/data/tasks/table_task.h>

#include <algorithm>

namespace weft {

RecordOptions record_options(const SettingValues& given) {
  RecordSettings settings;
  SettingValues known;
  for (const Setting& s : RecordSettings::settings().list())
    if (given.contains(s.name)) known.set(s.name, given.at(s.name));
  RecordSettings::settings().take(settings, known);
  RecordOptions options = settings.options();
  options.columns.clear();
  return options;
}

std::vector<Setting> table_settings(const std::string& task) {
  std::vector<Setting> all;
  const std::vector<Column> columns = columns_of(task);
  for (Setting setting : RecordSettings::settings().list()) {
    const bool is_column = setting.name == "text" || setting.name == "label" || setting.name == "source" ||
                           setting.name == "target";
    const bool has = std::ranges::any_of(columns, [&](const Column& c) { return c.key == setting.name; });
    const bool chats = task == "chat" && (setting.name == "source" || setting.name == "target");
    if (!is_column || has || chats) all.push_back(std::move(setting));
  }
  if (task == "text-to-text")
    all.push_back({.name = "prefix", .value = std::string(), .help = "the column with the prefix"});
  all.push_back({.name = "val_share",
                 .value = 0.1,
                 .help = "tables: share of the records that validates, where val_data names none",
                 .from = 0,
                 .below = 1});
  all.push_back({.name = "longest",
                 .value = int64_t{512},
                 .help =
                     "tables: tokens of a sample; longer texts are cut (classify, masked) or left out, and "
                     "counted; 0 is no limit",
                 .least = 0,
                 .most = 1 << 20});
  if (task == "classify")
    all.push_back({.name = "word_dropout",
                   .value = 0.0,
                   .help =
                       "classify: probability that a word of a text that trains is masked, others in each "
                       "epoch; 0 is off",
                   .from = 0,
                   .below = 1});
  for (Setting& setting : batching_settings()) all.push_back(std::move(setting));
  return all;
}

std::vector<Setting> batching_settings() {
  return {{.name = "batching",
           .value = std::string("length"),
           .help = "length: samples of about one length share a batch; order: as they are drawn",
           .choices = {"length", "order"}},
          {.name = "batch_tokens",
           .value = int64_t{0},
           .help = "batching by length: tokens of a batch, whose samples are as many as fit; 0 is batch_size "
                   "samples",
           .least = 0,
           .most = 1 << 24}};
}

bool are_records(const SettingValues& settings, const std::vector<std::string>& files) {
  if (!text_or(settings, "format").empty() || !text_or(settings, "text").empty()) return true;
  return !files.empty() && ends_as_records(files[0]);
}

}  // namespace weft
