#include <weft/data/tasks/tasks_internal.h>
#include <weft/lib/base/error.h>

#include <algorithm>

namespace weft {
namespace {

struct Entry {
  std::string name;
  std::string summary;
  TaskPointer (*make)(const std::string& name, const TaskOptions& options);
};

const std::vector<Entry>& entries() {
  static const std::vector<Entry> all = {
      {"copy", "write a sequence of letters again", make_sequence_task},
      {"reverse", "write a sequence of letters backwards", make_sequence_task},
      {"sort", "write a sequence of letters in the order of the alphabet", make_sequence_task},
      {"translation", "translate between two small languages of other word order and agreement",
       make_translation_task},
      {"masked", "find masked words of stories and reviews", make_masked_task},
      {"masked-stories", "find masked words of stories", make_masked_task},
      {"masked-reviews", "find masked words of reviews", make_masked_task},
      {"reviews", "is a review positive, through negation, contrast and distance", make_review_task},
      {"spans", "find spans left out of stories", make_text_to_text_task},
      {"summarize", "say in one sentence who did what in a story", make_text_to_text_task},
      {"sentiment", "write whether a review is positive", make_text_to_text_task},
      {"translate", "the task translation, asked for in words", make_text_to_text_task},
      {"fill", "the task spans, asked for in words", make_text_to_text_task},
      {"text-to-text", "summarize, translate, fill and, as half of it, sentiment", make_text_to_text_task},
      {"recall", "say the value that went with a key, min_length to max_length tokens back",
       make_recall_task},
      {"which", "name the one big figure of a picture", make_scene_task},
      {"count", "count the figures of a picture", make_scene_task},
      {"where", "find the one big figure of a picture", make_scene_task},
      {"segments", "say what each patch of a picture shows", make_scene_task},
  };
  return all;
}

const Entry& entry_of(std::string_view name) {
  const auto found = std::ranges::find(entries(), name, &Entry::name);
  if (found != entries().end()) return *found;
  const std::vector<std::string>& names = task_names();
  const std::string near = nearest(name, names.data(), names.data() + names.size());
  fail<ValueError>("task: there is no '", name, "'", near.empty() ? "" : str("; did you mean '", near, "'?"));
}

}  // namespace

const std::vector<std::string>& task_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Entry& entry : entries()) all.push_back(entry.name);
    return all;
  }();
  return names;
}

std::string task_summary(std::string_view name) { return entry_of(name).summary; }

TaskPointer make_task(std::string_view name, const TaskOptions& options) {
  const Entry& entry = entry_of(name);
  if (options.mask_share != TaskOptions{}.mask_share && entry.make != make_masked_task)
    fail<ValueError>(name, ": masks no words: takes no mask_share");
  return entry.make(entry.name, options);
}

}  // namespace weft
