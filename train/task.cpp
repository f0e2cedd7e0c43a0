#include "task.h"

#include "generated_task.h"
#include "text_task.h"

namespace weft {

Task make_task(const Config& config, const TaskSource& source) {
  return config.task == text_task_name ? text_task(config, source) : generated_task(config, source);
}

std::vector<std::string> names_of_tasks() {
  std::vector<std::string> names{text_task_name};
  names.insert(names.end(), task_names().begin(), task_names().end());
  return names;
}

TaskKind kind_of_task(const std::string& name) {
  return name == text_task_name ? TaskKind::language : weft::make_task(name)->kind();
}

std::string meaning_of_task(const std::string& name) {
  return name == text_task_name ? "to go on with the text in --data" : task_summary(name);
}

}  // namespace weft
