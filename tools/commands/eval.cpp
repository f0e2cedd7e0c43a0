#include <weft/data/packing.h>
#include <weft/data/tasks/text_sources.h>
#include <weft/data/tasks/text_task.h>
#include <weft/data/text/id_file.h>
#include <weft/data/text/text_bytes.h>
#include <weft/data/text/tokenize.h>
#include <weft/data/text/word_tokenizer.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/math.h>
#include <weft/lib/base/values.h>
#include <weft/train/evaluate.h>
#include <weft/train/files/opened_model.h>
#include <weft/train/files/run_paths.h>
#include <weft/train/scoring.h>
#include <weft/train/show/console.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <numbers>
#include <numeric>
#include <optional>
#include <vector>

#include "commands.h"

namespace weft::tools {
namespace {

/// Samples of a task in a batch of an evaluation: the scores do not depend on it.
constexpr int64_t evaluated_at_once = 32;

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
  OpenedModel opened;
  Scored scored;

  const ModelFile& model() const { return opened.checkpoint.model; }
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
  TextStretch given{
      .text = {},
      .files = text_files(data, newlines_from(model.trained_on.newlines), model.trained_on.settings),
      .scan = {},
      .tokens = {}};
  Scored all{.stretches = {}, .packed = is_packed(model), .data = data};
  if (reads_ids(model.trained_on.settings)) {
    given.text.tokens = read_ids(data).ids;
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
  const std::vector<std::string> own = read_config(opened.run->config()).data;
  const bool among = std::ranges::any_of(own, [&](const std::string& one) {
    return std::ranges::any_of(
        data, [&](const std::string& path) { return std::filesystem::equivalent(one, path, error); });
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

  if (!opened.run || !opened.checkpoint.training)
    fail<ValueError>(opened.path,
                     ": does not lie in a run's folder, so that its text is not known; give --data FILE");
  const ConfigFile config = read_config(opened.run->config());
  if (config.data.empty()) fail<ValueError>(opened.run->config(), ": names no data; give --data FILE");
  const std::vector<std::string> data = data_found(*opened.run, config.data, true, say);
  TaskRequest request{.name = "text", .settings = model.trained_on.settings};
  request.data = data;
  if (!config.val_data.empty()) request.val_data = data_found(*opened.run, config.val_data, true, say);
  request.newlines = newlines_from(model.trained_on.newlines);
  request.tokenizer = model.tokenizer;
  request.expected_hash = opened.checkpoint.training->content_hash;
  std::error_code error;
  if (std::filesystem::exists(opened.run->cache(), error)) {
    request.cache_folder = opened.run->cache();
    request.other_caches = opened.run->caches_beside();
  }
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
  for (int64_t first = 0; first < samples.size(); first += evaluated_at_once) {
    const Batch batch = samples.batch(first, evaluated_at_once);
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
    return sum / std::numbers::ln2 / static_cast<double>(std::max<int64_t>(1, units));
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
    // Names need not be UTF-8, which JSON is.
    write_out(all.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
    return 0;
  }
  write_out(str(e.scored.about, "\nloss                ", fixed(loss, 6), "\nperplexity          ",
                fixed(perplexity, 4),
                knows_bytes ? str("\nbits per byte       ", fixed(bits_per(bytes), 6)) : "",
                characters > 0 ? str("\nbits per character  ", fixed(bits, 6)) : "", "\ntokens              ",
                grouped(count), "\n"));
  return 0;
}

void print_scores(const std::vector<Score>& scores, bool json) {
  nlohmann::ordered_json object;
  std::string lines;
  for (const Score& s : scores) {
    object[s.name] = s.value;
    std::string line = s.name;
    line.resize(std::max<size_t>(line.size() + 2, 20), ' ');
    lines += str(line, fixed(s.value, 6), "\n");
  }
  write_out(json ? object.dump() + "\n" : lines);
}

/// A task by its scores over samples that no training sees.
Work prepare_task_eval(const std::shared_ptr<Evaluated>& e, const EvalArguments& arguments) {
  const TrainedOn& trained = e->model().trained_on;
  const std::string name = arguments.task.empty() ? trained.task : arguments.task;
  if (!arguments.data.empty() || arguments.stride > 0)
    fail<ValueError>("--data and --stride are for models of text; this one learned the task ", trained.task);
  const TaskEntry& entry = tasks().at(name);
  const std::vector<TaskKind>& learns = models().at(e->model().kind).learns;
  const TaskEntry* const own = tasks().find(trained.task);
  if (own && entry.kind != own->kind)
    fail<ValueError>("--task ", name, ": is of the kind '", name_of(entry.kind), "', but this model learned ",
                     trained.task, ", of the kind '", name_of(own->kind), "'");
  if (!own && std::ranges::count(learns, entry.kind) == 0)
    fail<ValueError>("--task ", name, ": is of the kind '", name_of(entry.kind), "', which a ",
                     e->model().kind, " does not learn");
  TaskOptions options = task_options(trained.settings);
  options.seed = trained.seed;
  options.split = Split::validation;
  options.samples = 0;
  if (arguments.length > 0) options.min_length = options.max_length = arguments.length;
  options.tokenizer = std::dynamic_pointer_cast<const WordTokenizer>(e->model().tokenizer);
  const TaskPointer task = make_task(name, options);
  const std::shared_ptr<Model> model = e->opened.build();
  return [=] {
    const std::vector<Score> scores = score(
        *model, *task, arguments.samples, evaluated_at_once,
        [&](int64_t done) { e->console.renew(str("evaluating: ", 100 * done / arguments.samples, " %")); });
    e->console.clear();
    print_scores(scores, arguments.json);
    return 0;
  };
}

/// A user's task of files by its loss over what is kept from training.
Work prepare_file_task_eval(const std::shared_ptr<Evaluated>& e, const EvalArguments& arguments,
                            const TaskEntry& entry) {
  TaskRequest request{.name = entry.name,
                      .settings = e->model().trained_on.settings,
                      .seed = e->model().trained_on.seed,
                      .newlines = newlines_from(e->model().trained_on.newlines),
                      .tokenizer = e->model().tokenizer};
  request.data = arguments.data;
  const Say say = [&](std::string_view line) { e->console.print(line); };
  if (request.data.empty() && e->opened.run)
    request.data = data_found(*e->opened.run, read_config(e->opened.run->config()).data, false, say);
  const auto task = std::make_shared<TaskData>(open_task(request));
  const std::shared_ptr<Model> model = e->opened.build();
  return [=] {
    const LossMeter meter = evaluate(*model, task->unseen, evaluated_at_once);
    print_scores({{"loss", meter.mean()}}, arguments.json);
    return 0;
  };
}

}  // namespace

Work prepare_eval(const EvalArguments& arguments) {
  auto e = std::make_shared<Evaluated>();
  const Say say = [&](std::string_view line) { e->console.print(line); };
  e->opened = open_model(arguments.model, arguments.last, say);
  const TaskEntry* const learned = tasks().find(e->model().trained_on.task);
  if (!arguments.task.empty() || (learned && !learned->reads_files(arguments.data)))
    return prepare_task_eval(e, arguments);
  if (learned && learned->name != "text") return prepare_file_task_eval(e, arguments, *learned);
  if (arguments.length > 0)
    fail<ValueError>("--length: is of tasks that make sequences; ", e->opened.path, " learned from text");
  if (!e->model().tokenizer && !reads_ids(e->model().trained_on.settings))
    fail<ValueError>(e->opened.path, ": has no tokenizer, and so reads no text; ", program_name(),
                     " logits takes ids");
  e->scored = text_of(e->opened, arguments, say);
  const StateDict& settings = e->model().settings;
  const int64_t block_size =
      settings.contains("block_size") ? settings.integer("block_size") : e->model().trained_on.block_size;
  std::vector<Samples> parts;
  for (const TextStretch& stretch : e->scored.stretches)
    parts.push_back(samples_of(stretch, e->scored, block_size, arguments.stride));
  const std::shared_ptr<Model> model = e->opened.build();
  return [e, model, arguments, parts, block_size] { return work(*e, *model, arguments, parts, block_size); };
}

}  // namespace weft::tools
