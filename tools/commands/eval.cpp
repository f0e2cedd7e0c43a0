#include <weft/data/packing.h>
#include <weft/data/tasks/text_sources.h>
#include <weft/data/tasks/text_task.h>
#include <weft/data/text/data_files.h>
#include <weft/data/text/id_file.h>
#include <weft/data/text/text_bytes.h>
#include <weft/data/text/tokenize.h>
#include <weft/data/text/word_tokenizer.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>
#include <weft/lib/base/math.h>
#include <weft/lib/base/values.h>
#include <weft/train/evaluate.h>
#include <weft/train/files/near_paths.h>
#include <weft/train/files/opened_model.h>
#include <weft/train/files/run_log.h>
#include <weft/train/files/run_paths.h>
#include <weft/train/show/console.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <vector>

#include "built_model.h"
#include "commands.h"
#include "eval_task.h"
#include "json_line.h"

namespace weft::tools {
namespace {

/// Windows in a batch: the scores do not depend on it.
constexpr int64_t rows_at_once = 32;

/// What is scored, and how much of it the run trained on, where that is known.
struct Scored {
  std::vector<TextStretch> stretches;
  bool packed = false;  ///< each document by itself
  std::vector<std::string> data;
  const char* part = "all";  ///< of the data: "all", "validation"
  std::optional<double> trained_share = {};
  std::string about = {};  ///< a line for people
};

struct Evaluated {
  Console console;
  std::shared_ptr<OpenedModel> opened;
  Scored scored;

  const ModelFile& model() const { return opened->checkpoint.model; }
};

/// What was given, as it is called: the first, and how many more.
std::string called(const std::vector<std::string>& data) {
  return str(data[0], data.size() > 1 ? str(" and ", data.size() - 1, " more") : "");
}

bool is_packed(const ModelFile& model) {
  return text_choice(model.trained_on.settings, "packing") == "documents";
}

/// All of a text that was given; it says so when that is what the run was made with.
Scored given_text(const OpenedModel& opened, const std::vector<std::string>& data) {
  const ModelFile& model = opened.checkpoint.model;
  for (const std::string& path : data)
    if (weighted_path(path).weight)
      fail<ValueError>(path, ": weights are of what trains; all that is scored counts alike");
  TextStretch given{
      .text = {},
      .files = text_files(data, newlines_from(model.trained_on.newlines), model.trained_on.settings),
      .scan = {},
      .tokens = {}};
  Scored all{.stretches = {}, .packed = is_packed(model), .data = data};
  if (reads_ids(model.trained_on.settings)) {
    const ReadyIds ids = read_ids(data);
    const StateDict& settings = model.settings;
    if (settings.contains("vocab_size") && ids.largest >= settings.integer("vocab_size"))
      fail<FileError>(called(data), ": holds the id ", ids.largest, ", and the model knows ",
                      settings.integer("vocab_size"), "; it is of another tokenizer");
    given.text.tokens = ids.ids;
    given.tokens = all_tokens(given.text.tokens, data[0]);
    all.stretches.push_back(given);
    all.about = str("all of ", called(data), ": ", grouped(given.tokens.size), " tokens");
    return all;
  }
  text_tokenizer({}, model.tokenizer.get());
  given.scan = scan_text(given.files, {.utf8 = wants_utf8(*model.tokenizer)});
  given.text =
      encode_text(given.files, given.scan, model.tokenizer, {.ends = given.scan.documents > 1 || all.packed});
  given.tokens = all_tokens(given.text.tokens, data[0]);
  all.stretches.push_back(given);
  const auto size = given.tokens.size;
  all.about = str("all of ", called(data), ": ", grouped(size), " tokens");
  const auto& training = opened.checkpoint.training;
  if (training && training->content_hash == given.text.content_hash) {
    all.about += ", of which the run trained on ";
    if (all.packed || text_choice(model.trained_on.settings, "split") != "end") {
      all.about += "a part: it is its own text; without --data the rest is scored";
      return all;
    }
    all.trained_share = static_cast<double>(split_text(given.text).train.size) / static_cast<double>(size);
    all.about += str("the first ", fixed(100 * *all.trained_share, 1),
                     " %: it is its own text; without --data the rest is scored");
    return all;
  }
  std::error_code error;
  if (!training || !opened.run || !std::filesystem::exists(opened.run->config(), error)) return all;
  const std::vector<std::string> own = data_files(without_weights(read_config(opened.run->config()).data));
  const std::vector<std::string> files = data_files(data);
  const bool among = std::ranges::any_of(own, [&](const std::string& one) {
    return std::ranges::any_of(
        files, [&](const std::string& path) { return std::filesystem::equivalent(one, path, error); });
  });
  if (among && own.size() == 1) all.about += ", another text than the one that the run was made with there";
  if (among && own.size() > 1)
    all.about += str(data.size() == 1 ? ", one" : ", with some", " of the ", own.size(),
                     " files that the run was made with, and trained on in part");
  return all;
}

/// What validates of the run's own text, or all of another one.
Scored text_of(const OpenedModel& opened, const EvalArguments& arguments, const Say& say) {
  const ModelFile& model = opened.checkpoint.model;
  if (!arguments.data.empty()) return given_text(opened, arguments.data);

  const TaskRequest request = held_out_request(opened, tasks().at("text"), say);
  const std::vector<std::string>& data = request.data;
  try {
    TextSources sources = open_text_sources(request);
    Scored part{.stretches = std::move(sources.validation),
                .packed = is_packed(model),
                .data = request.val_data.empty() ? data : request.val_data,
                .part = "validation",
                .trained_share = 0.0};
    int64_t tokens = 0;
    for (const TextStretch& stretch : part.stretches) tokens += stretch.tokens.size;
    part.about = str("validation part of ", called(part.data), ": ", grouped(tokens),
                     " tokens, none of which the run trained on");
    return part;
  } catch (const OtherText&) {
    fail<FileError>(data[0], data.size() > 1 ? " or one of the files after it" : "",
                    ": has changed since the run was made with it; --data FILE scores any text");
  }
}

/// What a stretch is scored in: windows of all of it, or blocks of its documents.
Samples samples_of(const TextStretch& stretch, const Scored& scored, int64_t block_size, int64_t stride) {
  if (!scored.packed) {
    const auto windows = std::make_shared<ScoredWindows>(stretch.tokens, block_size, stride);
    return {windows->size(),
            [windows](int64_t first, int64_t number) { return windows->batch(first, number); }};
  }
  if (stride > 0) fail<ValueError>("--stride: is of windows; this model reads documents, each by itself");
  const auto blocks = std::make_shared<PackedBlocks>(stretch.tokens, stretch.text.documents, block_size);
  return {blocks->size(), [blocks](int64_t first, int64_t number) {
            std::vector<int64_t> numbers(static_cast<size_t>(std::min(number, blocks->size() - first)));
            std::iota(numbers.begin(), numbers.end(), first);
            return blocks->batch(numbers);
          }};
}

/// Characters that the targets of all samples stand for.
int64_t scored_characters(const Tokenizer& tokenizer, const Samples& samples, int64_t end_id) {
  int64_t characters = 0;
  for (int64_t first = 0; first < samples.size(); first += rows_at_once) {
    const Batch batch = samples.batch(first, rows_at_once);
    const auto targets = batch.targets.values<int64_t>();
    std::vector<int64_t> ids;
    std::ranges::copy_if(targets, std::back_inserter(ids),
                         [&](int64_t id) { return id != Batch::ignored && id != end_id; });
    characters += tokenizer.count_characters(ids);
  }
  return characters;
}

int work(Evaluated& e, Model& model, const EvalArguments& arguments, const std::vector<Samples>& parts,
         int64_t block_size) {
  const int64_t batch_size = std::max<int64_t>(1, 2048 / block_size);
  double sum = 0;
  int64_t count = 0, characters = 0, done = 0, size = 0;
  int64_t bytes = 0;
  bool knows_bytes = true;
  for (const Samples& part : parts) size += part.size();
  for (size_t i = 0; i < parts.size(); ++i) {
    const TextStretch& stretch = e.scored.stretches[i];
    const LossMeter some = evaluate(model, parts[i], batch_size, [&](int64_t before) {
      e.console.renew(str("evaluating: ", 100 * (done + before) / size, " %"));
    });
    sum += some.sum();
    count += some.count();
    done += parts[i].size();
    if (reads_ids(e.model().trained_on.settings)) {
      knows_bytes = false;  // of text nothing is known
      continue;
    }
    characters += scored_characters(*e.model().tokenizer, parts[i], stretch.text.end_id);
    const auto more = scored_bytes({stretch.files, *e.model().tokenizer, stretch.text.end_id,
                                    wanted_documents(stretch.scan, stretch.part)},
                                   stretch.tokens, e.scored.packed);
    knows_bytes = knows_bytes && more;
    bytes += more.value_or(0);
  }
  e.console.clear();
  const double loss = sum / static_cast<double>(count), perplexity = math::exp(loss);
  const auto bits_per = [&](int64_t units) {
    return bits_per_byte(sum, static_cast<double>(std::max<int64_t>(1, units)));
  };
  const double bits = bits_per(characters);
  if (arguments.json) {
    nlohmann::ordered_json all{{"loss", loss}, {"perplexity", perplexity}};
    if (knows_bytes) all["bits_per_byte"] = bits_per(bytes);
    if (characters > 0) all["bits_per_character"] = bits;
    all["tokens"] = count;
    if (knows_bytes) all["bytes"] = bytes;
    all["data"] = e.scored.data;
    all["part"] = e.scored.part;
    if (e.scored.trained_share) all["trained_share"] = *e.scored.trained_share;
    write_out(json_line(all));
    return 0;
  }
  write_out(str(e.scored.about, "\nloss                ", fixed(loss, 6), "\nperplexity          ",
                fixed(perplexity, 4),
                knows_bytes ? str("\nbits per byte       ", fixed(bits_per(bytes), 6)) : "",
                characters > 0 ? str("\nbits per character  ", fixed(bits, 6)) : "", "\ntokens              ",
                grouped(count), "\n"));
  return 0;
}

std::vector<std::string> test_data_of(const OpenedModel& opened, const Say& say) {
  const std::string config = opened.run ? opened.run->config() : "";
  const ConfigFile file = is_there(config) ? read_config(config) : ConfigFile();
  if (file.test_data.empty())
    fail<ValueError>(opened.path, ": its run was given no --test-data; --data FILE scores any file");
  return data_found(*opened.run, file.test_data, "without --test, --data", false, say);
}

}  // namespace

Work prepare_eval(const EvalArguments& given) {
  auto e = std::make_shared<Evaluated>();
  const Say say = [&](std::string_view line) { e->console.print(line); };
  e->opened = std::make_shared<OpenedModel>(open_model(given.model, given.last, say, given.base));
  EvalArguments arguments = given;
  check_files_there("--data", given.data);
  if (given.test && (!given.data.empty() || !given.choices.empty()))
    fail<ValueError>("--test: scores the run's own test data; leave out --data and --choices");
  if (given.test) arguments.data = test_data_of(*e->opened, say);
  const std::string& path = e->opened->path;
  if (!arguments.choices.empty() || arguments.per_line) {
    const char* const chosen = arguments.choices.empty() ? "--per-line" : "--choices";
    if (arguments.stride > 0) fail<ValueError>(chosen, ": reads no windows; leave out --stride");
    if (arguments.per_line && arguments.json)
      fail<ValueError>("--per-line: prints JSON anyway, without scores of the whole; leave out --json");
    if (!arguments.choices.empty() && (!arguments.task.empty() || !arguments.set.empty() ||
                                       arguments.samples > 0 || arguments.length > 0 || arguments.beams > 0))
      fail<ValueError>("--choices: leave out --task, --set, --samples, --length and --beams");
  }
  if (!arguments.choices.empty()) return prepare_choices_eval(e->opened, arguments);
  const std::string task = arguments.task.empty() ? e->model().trained_on.task : arguments.task;
  const TaskEntry* const entry =
      arguments.task.empty() ? tasks().find(task) : &task_asked(task, models().at(e->model().kind).learns);
  if (entry && !arguments.task.empty()) check_kind(e->model(), *entry);
  if (entry && entry->name != "text") return prepare_task_eval(e->opened, arguments, *entry);
  if (arguments.length > 0)
    fail<ValueError>("--length: is of tasks that make sequences; ", path, " learned from text");
  if (arguments.beams > 0)
    fail<ValueError>("--beams: is of answers that are written; ", path, " learned from text");
  if (!arguments.set.empty()) fail<ValueError>("--set: is of tasks on tables; ", path, " learned from text");
  if (arguments.samples > 0)
    fail<ValueError>("--samples: is of tasks; ", path, " learned from text, of which all is scored");
  if (!e->model().tokenizer && !reads_ids(e->model().trained_on.settings))
    fail<ValueError>(path, ": has no tokenizer, and so reads no text; ", program_name(), " logits takes ids");
  if (arguments.per_line) return prepare_lines_eval(e->opened, arguments);
  e->scored = text_of(*e->opened, arguments, say);
  const StateDict& settings = e->model().settings;
  const int64_t block_size =
      settings.contains("block_size") ? settings.integer("block_size") : e->model().trained_on.block_size;
  std::vector<Samples> parts;
  for (const TextStretch& stretch : e->scored.stretches)
    parts.push_back(samples_of(stretch, e->scored, block_size, arguments.stride));
  const std::shared_ptr<Model> model = built_model(*e->opened, arguments.weights);
  return [e, model, arguments, parts, block_size] { return work(*e, *model, arguments, parts, block_size); };
}

}  // namespace weft::tools
