#include <weft/data/loader.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>
#include <weft/lib/base/values.h>
#include <weft/train/build.h>
#include <weft/train/files/opened_model.h>
#include <weft/train/files/run_paths.h>
#include <weft/train/show/console.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "json_line.h"

namespace weft::tools {
namespace {

using nlohmann::ordered_json;

struct Fed {
  int64_t sample = 0;
  std::vector<SamplePlace> places;
};

/// The samples of update `step`: [first, end). Batches are as many samples as the dataset says, so they are walked.
std::pair<int64_t, int64_t> samples_of(const Dataset& data, const RunConfig& config,
                                       const TrainingState& training, int64_t step) {
  const auto walked = [&](int64_t first, int64_t updates) {
    for (int64_t i = 0; i < updates * config.gradient_accumulation_steps; ++i)
      first += data.next_batch(first, config.batch_size);
    return first;
  };
  const int64_t consumed = training.loader.integer("consumed");
  if (step >= training.step) {
    const int64_t first = walked(consumed, step - training.step);
    return {first, walked(first, 1)};
  }
  // A run that goes on from another begins behind what that had read.
  int64_t begin = 0;
  if (walked(0, training.step) != consumed) {
    begin = consumed - training.step * config.samples_per_update();
    if (begin < 0 || walked(begin, training.step) != consumed)
      fail<ValueError>("--step: the run went on from another, whose samples it does not tell");
  }
  const int64_t first = walked(begin, step);
  return {first, walked(first, 1)};
}

std::string text_of(const TokenPlace& place) { return str(place.file, ":", place.line); }

ordered_json json_of(const TokenPlace& place) {
  ordered_json one{{"file", place.file}, {"line", place.line}};
  if (place.byte >= 0) one["byte"] = place.byte;
  return one;
}

std::string text_of(const std::vector<Fed>& fed) {
  std::string text;
  for (const Fed& one : fed) {
    text += str("sample ", one.sample, ":");
    for (const auto& [first, last] : one.places)
      text += str(" ", text_of(first),
                  first == last             ? std::string()
                  : first.file == last.file ? (first.line == last.line ? std::string() : str("-", last.line))
                                            : str(" to ", text_of(last)));
    text += "\n";
  }
  return text;
}

}  // namespace

Work prepare_data_where(const DataArguments& arguments) {
  if (arguments.files.size() != 1 || arguments.step < 0)
    fail<ValueError>(
        "data where: needs one RUN and --step N, the number of an update as metrics.jsonl has it");
  auto console = std::make_shared<Console>();
  const Say say = [&](std::string_view line) { console->print(line); };
  std::error_code error;
  if (!std::filesystem::is_directory(arguments.files[0], error))
    fail<ValueError>(
        "data where: ", arguments.files[0],
        is_there(arguments.files[0]) ? " is no run's folder, which knows what was read" : " is not there",
        "; data where RUN --step N");
  const OpenedModel opened = open_file(arguments.files[0], true, say);
  const auto& training = opened.checkpoint.training;
  if (!training || !opened.run) fail<ValueError>(arguments.files[0], ": is no run's folder");
  RunConfig config = config_from_state(training->config, say);
  const ConfigFile file = read_config(opened.run->config());
  if (!file.data.empty()) config.data = data_found(*opened.run, file.data, "--data", true, say);
  if (!file.val_data.empty())
    config.val_data = data_found(*opened.run, file.val_data, "--val-data", true, say);
  if (!tasks().at(config.task).reads_files(config.data))
    fail<ValueError>("data where: the task ", config.task, " makes its samples, and reads them nowhere");
  const TaskData task = open_task(config, opened.checkpoint.model.tokenizer, *opened.run,
                                  training->content_hash, [console](int64_t done, int64_t all) {
                                    console->renew(str("reading: ", all > 0 ? 100 * done / all : 100, " %"));
                                  });
  const auto [first, end] = samples_of(*task.training, config, *training, arguments.step);
  const auto places = task.training->places(first, end - first);
  console->clear();
  std::vector<Fed> fed;
  for (size_t i = 0; i < places.size(); ++i) fed.push_back({first + static_cast<int64_t>(i), places[i]});
  bool known = false;
  for (const Fed& one : fed) known = known || !one.places.empty();
  if (!known)
    fail<ValueError>("data where: the task ", config.task, " does not know where its samples were read");
  std::string text = text_of(fed);
  if (arguments.json) {
    ordered_json samples = ordered_json::array();
    for (const Fed& one : fed) {
      ordered_json all = ordered_json::array();
      for (const auto& [begin, last] : one.places)
        all.push_back({{"first", json_of(begin)}, {"last", json_of(last)}});
      samples.push_back({{"sample", one.sample}, {"places", all}});
    }
    const ordered_json whole{{"step", arguments.step}, {"samples", samples}};
    text = json_line(whole);
  }
  return [text] {
    write_out(text);
    return 0;
  };
}

}  // namespace weft::tools
