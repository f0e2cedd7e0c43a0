#include <weft/data/pictures/picture_task.h>
#include <weft/data/sounds/sound_task.h>
#include <weft/data/tasks/open_internal.h>
#include <weft/data/tasks/registry.h>
#include <weft/data/tasks/table_task.h>
#include <weft/data/tasks/text_task.h>
#include <weft/lib/base/error.h>

#include <algorithm>

namespace weft {

// The makers, each in a source of its own.
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

namespace {

constexpr int64_t most_samples = 99'999'999;

std::vector<Setting> plain() {
  return {{.name = "samples",
           .value = int64_t{0},
           .help = "samples that a generated task has for training; 0 is no end of them",
           .least = 0,
           .most = most_samples}};
}

std::vector<Setting> lengths() {
  std::vector<Setting> all = plain();
  for (const char* name : {"min_length", "max_length"})
    all.push_back({.name = name,
                   .value = int64_t{0},
                   .help = "copy, reverse, sort: letters; recall: tokens back; 0 is as the task has it",
                   .least = 0,
                   .most = 1 << 20});
  return all;
}

/// Of tasks whose samples differ in length.
std::vector<Setting> of_lengths(std::vector<Setting> all) {
  for (Setting& setting : batching_settings()) {
    if (setting.name == "batching") setting.before = std::string("order");
    all.push_back(std::move(setting));
  }
  return all;
}

/// Those of a task, and those of it on files.
std::vector<Setting> with_tables(std::vector<Setting> all, const std::string& task) {
  for (Setting& setting : table_settings(task))
    if (std::ranges::count(all, setting.name, &Setting::name) == 0) all.push_back(std::move(setting));
  return all;
}

std::vector<Setting> masks() {
  std::vector<Setting> all = plain();
  all.push_back({.name = "mask_share",
                 .value = TaskOptions{}.mask_share,
                 .help = "masked words: share of them that is to be found",
                 .from = 0,
                 .below = 1});
  return all;
}

TaskEntry of_tables(const std::string& name, std::string summary, SettingValues defaults) {
  defaults.set("tokenizer", std::string("bpe"));
  defaults.set("vocab_size", int64_t{0});
  return {.name = name,
          .summary = std::move(summary),
          .kind = table_form(name).kind,
          .settings = table_settings(name),
          .defaults = std::move(defaults),
          .open = [name](const TaskRequest& request) { return open_table(name, request); },
          .open_to_score = [name](const TaskRequest& request) { return open_table_to_score(name, request); }};
}

void add_tables(Registry<TaskEntry>& to) {
  to.add(of_tables("classify", "tell the label of a text in --data: a table with columns text and label",
                   {{"model", std::string("bert")}, {"batch_size", int64_t{32}}, {"dropout", 0.1}}));
  to.add(of_tables("pairs", "write the target to a source in --data: two files side by side, or a table",
                   {{"model", std::string("transformer")},
                    {"batch_size", int64_t{64}},
                    {"dropout", 0.1},
                    {"label_smoothing", 0.1}}));
  to.add(of_tables("chat", "answer as the assistant of the chats in --data does",
                   {{"model", std::string("llama")}, {"batch_size", int64_t{16}}}));
}

void add_pictures(Registry<TaskEntry>& to) {
  const auto entry = [](const char* name, const char* summary, bool masks) {
    return TaskEntry{
        .name = name,
        .summary = summary,
        .kind = masks ? TaskKind::patches : TaskKind::pictures,
        .settings = picture_settings(masks),
        .defaults = {{"model", std::string("vit")},
                     {"batch_size", int64_t{masks ? 16 : 64}},
                     {"dropout", 0.1}},
        .open = [masks](const TaskRequest& request) { return open_pictures_task(request, masks); },
        .open_to_score =
            [masks](const TaskRequest& request) { return open_pictures_to_score(request, masks); }};
  };
  TaskEntry classes =
      entry("classify-pictures",
            "classify, with a model of pictures: tell the label of a picture in --data: folders, a "
            "table, arrays",
            false);
  classes.asked_as = "classify";
  to.add(std::move(classes));
  to.add(
      entry("segment", "tell the class of each patch of the pictures in --data, by masks beside them", true));
}

void add_sounds(Registry<TaskEntry>& to) {
  const auto entry = [](const char* name, const char* summary, bool transcribes, SettingValues defaults) {
    defaults.set("model", std::string("speech"));
    defaults.set("batch_size", int64_t{32});
    defaults.set("dropout", 0.1);
    return TaskEntry{
        .name = name,
        .summary = summary,
        .kind = transcribes ? TaskKind::transcripts : TaskKind::sounds,
        .settings = sound_settings(transcribes),
        .defaults = std::move(defaults),
        .open = [transcribes](const TaskRequest& request) { return open_sounds_task(request, transcribes); },
        .open_to_score =
            [transcribes](const TaskRequest& request) { return open_sounds_to_score(request, transcribes); }};
  };
  TaskEntry classes = entry(
      "classify-sounds",
      "classify, with a model of sounds: tell the label of a sound in --data: folders, a table", false, {});
  classes.asked_as = "classify";
  to.add(std::move(classes));
  to.add(entry("transcribe", "write what is said in the sounds of --data: a table with columns file and text",
               true, {{"tokenizer", std::string("char")}}));
}

void add_ours(Registry<TaskEntry>& to) {
  to.add({.name = "text",
          .summary = "to go on with the text in --data",
          .kind = TaskKind::language,
          .settings = text_settings(),
          .open = open_text});
  add_tables(to);
  const auto add = [&](const char* name, const char* summary, TaskKind kind, auto generate,
                       std::vector<Setting> settings) {
    to.add({.name = name,
            .summary = summary,
            .kind = kind,
            .settings = std::move(settings),
            .generate = generate});
  };
  add("copy", "write a sequence of letters again", TaskKind::pairs, make_sequence_task,
      of_lengths(lengths()));
  add("reverse", "write a sequence of letters backwards", TaskKind::pairs, make_sequence_task,
      of_lengths(lengths()));
  add("sort", "write a sequence of letters in the order of the alphabet", TaskKind::pairs, make_sequence_task,
      of_lengths(lengths()));
  add("translation", "translate between two small languages of other word order and agreement",
      TaskKind::pairs, make_translation_task, of_lengths(plain()));
  std::vector<Setting> own_masked = with_tables(of_lengths(masks()), "masked");
  own_masked.push_back(block_size_setting());
  to.add({.name = "masked",
          .summary = "find masked words of the texts in --data; without any, of stories and reviews",
          .kind = TaskKind::masked,
          .settings = std::move(own_masked),
          .defaults = {{"model", std::string("bert")},
                       {"tokenizer", std::string("bpe")},
                       {"vocab_size", int64_t{0}},
                       {"batch_size", int64_t{32}},
                       {"block_size", int64_t{128}}},
          .generate = make_masked_task,
          .open = open_masked,
          .open_to_score = open_masked_to_score});
  add("masked-stories", "find masked words of stories", TaskKind::masked, make_masked_task,
      of_lengths(masks()));
  add("masked-reviews", "find masked words of reviews", TaskKind::masked, make_masked_task,
      of_lengths(masks()));
  add("reviews", "is a review positive, through negation, contrast and distance", TaskKind::classification,
      make_review_task, of_lengths(plain()));
  add("spans", "find spans left out of stories", TaskKind::pairs, make_text_to_text_task,
      of_lengths(plain()));
  add("summarize", "say in one sentence who did what in a story", TaskKind::pairs, make_text_to_text_task,
      of_lengths(plain()));
  add("sentiment", "write whether a review is positive", TaskKind::pairs, make_text_to_text_task,
      of_lengths(plain()));
  add("translate", "the task translation, asked for in words", TaskKind::pairs, make_text_to_text_task,
      of_lengths(plain()));
  add("fill", "the task spans, asked for in words", TaskKind::pairs, make_text_to_text_task,
      of_lengths(plain()));
  to.add({.name = "text-to-text",
          .summary = "several tasks by prefix, of a table in --data with columns prefix, source and target; "
                     "without any: summarize, translate, fill and, as half of it, sentiment",
          .kind = TaskKind::pairs,
          .settings = with_tables(of_lengths(plain()), "text-to-text"),
          .defaults = {{"model", std::string("t5")},
                       {"tokenizer", std::string("bpe")},
                       {"vocab_size", int64_t{0}},
                       {"batch_size", int64_t{64}}},
          .generate = make_text_to_text_task,
          .open = [](const TaskRequest& request) { return open_table("text-to-text", request); },
          .open_to_score =
              [](const TaskRequest& request) { return open_table_to_score("text-to-text", request); }});
  add("recall", "say the value that went with a key, min_length to max_length tokens back",
      TaskKind::language, make_recall_task, lengths());
  add_pictures(to);
  add_sounds(to);
  add("which", "name the one big figure of a picture", TaskKind::pictures, make_scene_task, plain());
  add("count", "count the figures of a picture", TaskKind::pictures, make_scene_task, plain());
  add("where", "find the one big figure of a picture", TaskKind::pictures, make_scene_task, plain());
  add("segments", "say what each patch of a picture shows", TaskKind::patches, make_scene_task, plain());
}

}  // namespace

Registry<TaskEntry>& tasks() {
  static Registry<TaskEntry> all("task");
  static const bool filled = (add_ours(all), true);
  static_cast<void>(filled);
  return all;
}

void register_task(TaskEntry entry) {
  if (!entry.generate && !entry.open)
    fail<ValueError>("register_task: '", entry.name,
                     "' needs generate, for samples of its own, or open, for files");
  tasks().add(std::move(entry));
}

const TaskEntry& task_asked(std::string_view name, const std::vector<TaskKind>& kinds) {
  const TaskEntry& asked = tasks().at(name);
  if (std::ranges::count(kinds, asked.kind) > 0) return asked;
  for (const TaskEntry* const other : tasks().entries())
    if (other->asked_as == asked.name && std::ranges::count(kinds, other->kind) > 0) return *other;
  return asked;
}

TaskPointer make_task(std::string_view name, const TaskOptions& options) {
  const TaskEntry& entry = tasks().at(name);
  if (!entry.generate) fail<ValueError>(name, ": reads files and makes no samples of its own");
  bool masks_words = false;
  for (const Setting& setting : entry.settings) masks_words = masks_words || setting.name == "mask_share";
  if (options.mask_share != TaskOptions{}.mask_share && !masks_words)
    fail<ValueError>(name, ": masks no words: takes no mask_share");
  return entry.generate(entry.name, options);
}

std::vector<std::string> generated_tasks() {
  std::vector<std::string> names;
  for (const TaskEntry* const entry : tasks().entries())
    if (entry->generate) names.push_back(entry->name);
  return names;
}

TaskData open_task(const TaskRequest& request) {
  const TaskEntry& entry = tasks().at(request.name);
  if (!entry.reads_files(request.data)) return open_generated(entry, request);
  if (request.data.empty()) fail<ValueError>("task = ", request.name, ": needs files; give --data FILE");
  TaskData opened = entry.open(request);
  opened.shape.kind = entry.kind;
  return opened;
}

}  // namespace weft
