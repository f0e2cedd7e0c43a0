// `weft data inspect` of pictures and sounds.
#include <weft/data/pictures/picture_task.h>
#include <weft/data/sounds/sound_task.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>
#include <weft/lib/base/values.h>
#include <weft/train/build.h>

#include <algorithm>
#include <map>

#include "data_inspect.h"
#include "data_shown.h"
#include "sheet_page.h"

namespace weft::tools {
namespace {

using nlohmann::ordered_json;

/// Samples that a page shows.
constexpr int64_t most_shown = 60;

struct SampleReport {
  const char* what;  ///< "pictures"
  int64_t samples = 0;
  std::map<std::string, int64_t> labels;  ///< or shapes of pictures
  Lengths lengths;                        ///< of sounds, in milliseconds
  std::map<std::string, int64_t> shapes;  ///< "28 x 28, grey", "8,000 samples a second"
  int64_t unreadable = 0;
  std::string first_unreadable;
  TaskReport task;
};

std::string column_of(const DataArguments& arguments, const std::string& key, const std::string& usual) {
  std::string found = usual;
  for (const std::string& typed : arguments.set)
    if (const Assignment given = setting_typed(typed); given.key == key)
      found = std::get<std::string>(given.value);
  return found;
}

/// What the first file of a table is, by its name; empty: no table of files.
std::string first_file(const DataArguments& arguments) {
  if (!is_table(arguments.files[0])) return {};
  try {
    RecordReader reader({arguments.files[0]}, {.columns = {column_of(arguments, "file", "file")}});
    const auto record = reader.next();
    return record ? record->fields[0] : std::string();
  } catch (const Error&) {
    return {};
  }
}

enum class Samples { none, pictures, sounds };

Samples samples_in(const DataArguments& arguments) {
  const auto takes = [&](TaskKind kind) {
    const ModelEntry* const model = arguments.model.empty() ? nullptr : models().find(arguments.model);
    return model != nullptr && model->takes(kind);
  };
  const std::string file = first_file(arguments);
  if (are_pictures(arguments.files) || is_picture_name(file) || takes(TaskKind::pictures))
    return Samples::pictures;
  if (are_sounds(arguments.files) || is_sound_name(file) || takes(TaskKind::sounds)) return Samples::sounds;
  return Samples::none;
}

bool has_texts(const DataArguments& arguments) {
  if (!is_table(arguments.files[0])) return false;
  const std::vector<std::string> columns = RecordReader({arguments.files[0]}, {}).columns();
  return std::ranges::count(columns, column_of(arguments, "text", "text")) > 0 &&
         std::ranges::count(columns, column_of(arguments, "label", "label")) == 0;
}

/// As a run would read them, but for what cannot be read, which is counted.
RunConfig config_of(const DataArguments& arguments, Samples samples, TaskReport& report) {
  const std::string task = !arguments.task.empty()                              ? arguments.task
                           : samples == Samples::sounds && has_texts(arguments) ? "transcribe"
                                                                                : "classify";
  std::vector<Assignment> all{{"--task: ", "task", task, true, false},
                              {"--model: ", "model",
                               !arguments.model.empty()       ? arguments.model
                               : samples == Samples::pictures ? std::string("vit")
                                                              : std::string("speech"),
                               true, false},
                              {"", "invalid", std::string("skip"), true, false}};
  for (const std::string& typed : arguments.set) all.push_back(setting_typed(typed));
  RunConfig config = make_config(
      all, [&](std::string_view line) { report.notes.emplace_back(line); }, true);
  config.data = arguments.files;
  config.val_data = arguments.val_data;
  report.task = config.task;
  report.model = config.model;
  report.batch_size = config.batch_size;
  return config;
}

void look(SampleReport& report, const DataArguments& arguments, Samples samples, bool texts, bool masks) {
  const std::string file = column_of(arguments, "file", "file"),
                    label =
                        texts ? column_of(arguments, "text", "text") : column_of(arguments, "label", "label");
  const auto count = [&](const auto& source, auto shape_of) {
    report.samples = source.size();
    for (int64_t n = 0; n < source.size(); ++n) {
      if (!texts && !masks) ++report.labels[source.label(n)];
      const auto found = source.look(n);
      if (!found.error.empty()) {
        if (report.unreadable++ == 0) report.first_unreadable = found.error;
        continue;
      }
      ++report.shapes[shape_of(found)];
    }
  };
  if (samples == Samples::pictures) {
    report.what = "pictures";
    const auto source =
        masks ? open_masked_pictures(arguments.files,
                                     {.file = file, .label = column_of(arguments, "mask", "mask")})
              : open_pictures(arguments.files, {.file = file, .label = label});
    count(*source, [](const PictureLook& one) {
      return str(one.shape.height, " x ", one.shape.width,
                 one.shape.channels == 3 ? ", in colour" : ", grey");
    });
  } else {
    report.what = "sounds";
    const auto source = open_sounds(arguments.files, {.file = file, .label = label});
    count(*source, [&](const SoundLook& one) {
      report.lengths.add(one.shape.frames * 1000 / one.shape.rate, INT64_MAX);
      return str(grouped(one.shape.rate), " samples a second, ", one.shape.channels,
                 one.shape.channels == 1 ? " channel" : " channels");
    });
  }
}

std::string page_of(const SampleReport& report, const TaskData& task) {
  SheetPage page("Samples", str("The first ", report.what, " that train"));
  page.say(task.summary);
  page.say("As the model is given them, in the first epoch.");
  const int64_t count = std::min<int64_t>(most_shown, task.training->samples_per_epoch());
  const auto* const sounds = dynamic_cast<const SoundTask*>(task.held_out.get());
  for (int64_t n = 0; n < count; ++n) {
    const Batch batch = task.training->batch(n, 1);
    const auto places = task.training->places(n, 1);
    const std::string where =
        places[0].empty() ? "" : str(places[0][0].first.file, ":", places[0][0].first.line);
    const bool shares = is_floating(batch.targets.dtype());
    const std::string target = shares ? "shares of several" : task.held_out->target_text(batch, 0);
    const std::string caption = str("<b>", escaped(target), "</b><br><small>", escaped(where), "</small>");
    if (sounds == nullptr)
      page.add(picture_of_row(batch, 0), target, caption);
    else
      page.add(spectrogram_of_row(batch, 0), target,
               str(escaped(sounds->input_text(batch, 0)), "<br>", caption));
  }
  return page.html();
}

std::string text_of(const SampleReport& report) {
  std::string text = str(grouped(report.samples), " ", report.what, "\n");
  for (const auto& [shape, count] : report.shapes) text += str("  ", shape, ": ", grouped(count), "\n");
  if (report.lengths.count > 0)
    text += str("  seconds: ", fixed(static_cast<double>(report.lengths.least) / 1000, 2), " to ",
                fixed(static_cast<double>(report.lengths.most) / 1000, 2), ", mean ",
                fixed(report.lengths.mean() / 1000, 2), ", all ",
                fixed(static_cast<double>(report.lengths.sum) / 1000, 1), "\n");
  if (report.unreadable > 0)
    text +=
        str("  cannot be read: ", grouped(report.unreadable), "; the first: ", report.first_unreadable, "\n");
  if (!report.labels.empty()) {
    text += "labels\n";
    size_t shown = 0;
    for (const auto& [label, count] : report.labels)
      if (shown++ < most_labels)
        text += str("  ", label, ": ", grouped(count),
                    count == 1 ? " (one sample cannot both train and validate)" : "", "\n");
    if (shown > most_labels) text += str("  and ", shown - most_labels, " more\n");
  }
  return text + text_of(report.task);
}

ordered_json json_of(const SampleReport& report) {
  ordered_json all{{"kind", report.what}, {"samples", report.samples}, {"unreadable", report.unreadable}};
  if (report.unreadable > 0) all["first_unreadable"] = report.first_unreadable;
  all["shapes"] = report.shapes;
  if (report.lengths.count > 0)
    all["seconds"] = {{"least", static_cast<double>(report.lengths.least) / 1000},
                      {"most", static_cast<double>(report.lengths.most) / 1000},
                      {"mean", report.lengths.mean() / 1000}};
  if (!report.labels.empty()) all["labels"] = report.labels;
  all["run"] = json_of(report.task);
  return all;
}

}  // namespace

std::optional<Work> prepare_sample_inspect(const DataArguments& arguments) {
  const Samples samples = samples_in(arguments);
  if (samples == Samples::none) {
    if (!arguments.out.empty())
      fail<ValueError>("--out: is a page of pictures or sounds, and these are texts");
    return {};
  }
  if (!arguments.tokenizer.empty() || !arguments.format.empty())
    fail<ValueError>("--tokenizer and --format: are of texts; these are ",
                     samples == Samples::pictures ? "pictures" : "sounds");
  Console console;
  SampleReport report{};
  report.task.unit = "frames";
  RunConfig config = config_of(arguments, samples, report.task);
  look(report, arguments, samples, config.task == "transcribe", config.task == "segment");
  TaskRequest request = task_request(config, nullptr);
  request.progress = shown_on(console, "as a run reads them");
  std::string page;
  try {
    const TaskData task = open_task(request);
    report.task.tokenizer = task.tokenizer;
    report.task.summary = task.summary;
    report.task.notes.insert(report.task.notes.end(), task.notes.begin(), task.notes.end());
    measure_task(report.task, task, config);
    if (!arguments.out.empty()) page = page_of(report, task);
  } catch (const Error& error) {
    if (!arguments.out.empty()) throw;
    report.task.refused = error.what();
  }
  console.clear();
  if (!arguments.out.empty()) check_output(arguments.out);
  const std::string text =
      arguments.json ? json_of(report).dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n"
                     : text_of(report);
  return [text, page, out = arguments.out] {
    if (!out.empty()) write_file(out, page);
    write_out(text);
    return 0;
  };
}

}  // namespace weft::tools
