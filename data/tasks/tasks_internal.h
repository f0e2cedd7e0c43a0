// The makers of the tasks, for registry.cpp. Each takes the name it was asked for.
#pragma once

#include <weft/data/tasks/registry.h>

#include <memory>
#include <string>

namespace weft {

TaskPointer make_sequence_task(const std::string& name, const TaskOptions& options);  // copy, reverse, sort
TaskPointer make_translation_task(const std::string& name, const TaskOptions& options);
TaskPointer make_review_task(const std::string& name, const TaskOptions& options);
TaskPointer make_masked_task(const std::string& name,
                             const TaskOptions& options);  // masked, -stories, -reviews
/// spans, summarize, sentiment, translate, fill, text-to-text.
TaskPointer make_text_to_text_task(const std::string& name, const TaskOptions& options);
TaskPointer make_recall_task(const std::string& name, const TaskOptions& options);
TaskPointer make_scene_task(const std::string& name,
                            const TaskOptions& options);  // which, count, where, segments

}  // namespace weft
