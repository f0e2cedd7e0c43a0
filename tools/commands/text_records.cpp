#include "text_records.h"

#include <weft/data/records/record_reader.h>
#include <weft/data/tasks/table_task.h>

#include <algorithm>

#include "eval_task.h"

namespace weft::tools {

RecordOptions text_records(const ModelFile& model, const std::vector<std::string>& data,
                           const std::vector<std::string>& set) {
  const SettingValues settings = settings_with(tasks().at("classify"), model.trained_on.settings, set);
  RecordOptions options = record_options(settings);
  if (std::ranges::none_of(set, [](const std::string& typed) { return typed.starts_with("empty="); }))
    options.empty = RecordOptions::Empty::keep;
  const std::string& text = settings.text("text");
  const bool lines = RecordReader(data, options).format() == "txt";
  options.columns = {!text.empty() ? text : lines ? "1" : "text"};
  return options;
}

}  // namespace weft::tools
