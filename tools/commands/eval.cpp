#include <weft/data/tasks/text_task.h>
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
#include <memory>
#include <nlohmann/json.hpp>
#include <numbers>
#include <optional>
#include <vector>

#include "commands.h"

namespace weft::tools {
namespace {

/// Samples of a task in a batch of an evaluation: the scores do not depend on it.
constexpr int64_t evaluated_at_once = 32;

/// What is scored, and how much of it the run trained on, where that is known.
struct Scored {
  TokenRange tokens;
  std::vector<std::string> data;
  const char* part = "all";  ///< of the data: "all", "validation"
  std::optional<double> trained_share = {};
  std::optional<int64_t> bytes = {};  ///< of the text that the scored tokens stand for
  int64_t end_id = -1;                ///< behind each document
  std::string about = {};             ///< a line for people
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

/// What files are read as, by a model of that training.
TokenizeOptions options_for(const ModelFile& model, const TextFiles& files) {
  return {.newlines = files.newlines,
          .by_file = files.by_file,
          .records = files.records,
          .with = model.tokenizer};
}

TextFiles files_for(const ModelFile& model, const std::vector<std::string>& data) {
  return text_files(data, newlines_from(model.trained_on.newlines), model.trained_on.settings);
}

std::optional<int64_t> bytes_of(const TokenizedText& text, const TextFiles& files, const TokenRange& scored) {
  return scored_bytes({files, *text.tokenizer, text.end_id}, scored);
}

/// All of a text that was given; it says so when that is what the run was made with.
Scored given_text(const OpenedModel& opened, const std::vector<std::string>& data) {
  const TextFiles files = files_for(opened.checkpoint.model, data);
  const TokenizedText text = tokenize_files(data, options_for(opened.checkpoint.model, files));
  Scored all{.tokens = all_tokens(text.tokens, data[0]), .data = data};
  all.bytes = bytes_of(text, files, all.tokens);
  all.end_id = text.end_id;
  all.about = str("all of ", called(data), ": ", grouped(text.tokens->size()), " tokens");
  const auto& training = opened.checkpoint.training;
  if (training && training->content_hash == text.content_hash) {
    const TokenSplit split = split_text(text);
    all.trained_share = static_cast<double>(split.train.size) / static_cast<double>(text.tokens->size());
    all.about += str(", of which the run trained on the first ", fixed(100 * *all.trained_share, 1),
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

/// The validation split of the run's own text, or all of another one.
Scored text_of(const OpenedModel& opened, const EvalArguments& arguments, const Say& say) {
  const ModelFile& model = opened.checkpoint.model;
  if (!arguments.data.empty()) return given_text(opened, arguments.data);

  if (!opened.run || !opened.checkpoint.training)
    fail<ValueError>(opened.path,
                     ": does not lie in a run's folder, so that its text is not known; give --data FILE");
  const ConfigFile config = read_config(opened.run->config());
  if (config.data.empty()) fail<ValueError>(opened.run->config(), ": names no data; give --data FILE");
  const std::vector<std::string> data = data_found(*opened.run, config.data, true, say);
  const TextFiles files = files_for(model, data);
  TokenizeOptions options = options_for(model, files);
  options.expected_hash = opened.checkpoint.training->content_hash;
  std::error_code error;
  if (std::filesystem::exists(opened.run->cache(), error)) {
    options.cache_folder = opened.run->cache();
    options.other_caches = opened.run->caches_beside();
  }
  try {
    const TokenizedText text = tokenize_files(data, options);
    Scored part{.tokens = split_text(text, data[0]).validation,
                .data = data,
                .part = "validation",
                .trained_share = 0.0};
    part.bytes = bytes_of(text, files, part.tokens);
    part.end_id = text.end_id;
    part.about = str("validation part of ", called(data), ": ", grouped(part.tokens.size),
                     " tokens, none of which the run trained on");
    return part;
  } catch (const OtherText&) {
    fail<FileError>(data[0], data.size() > 1 ? " or one of the files after it" : "",
                    ": has changed since the run was made with it; --data FILE scores any text");
  }
}

/// Characters among the tokens that are scored: all but the first.
int64_t scored_characters(const Tokenizer& tokenizer, const TokenRange& tokens, int64_t end_id) {
  std::vector<int64_t> ids;
  int64_t characters = 0;
  for (int64_t at = 1; at < tokens.size;) {
    ids.resize(static_cast<size_t>(std::min<int64_t>(1 << 16, tokens.size - at)));
    tokens.read(at, ids);
    const auto count = std::ssize(ids);
    std::erase(ids, end_id);
    characters += tokenizer.count_characters(ids);
    at += count;
  }
  return characters;
}

int work(Evaluated& e, Model& model, const EvalArguments& arguments, const ScoredWindows& windows) {
  const int64_t batch_size = std::max<int64_t>(1, 2048 / windows.block_size());
  const LossMeter meter = evaluate(model, windows, batch_size, [&](int64_t done) {
    e.console.renew(str("evaluating: ", 100 * done / windows.size(), " %"));
  });
  e.console.clear();
  const double loss = meter.mean(), perplexity = math::exp(loss);
  const int64_t characters = scored_characters(*e.model().tokenizer, e.scored.tokens, e.scored.end_id);
  const auto bits_per = [&](int64_t count) {
    return meter.sum() / std::numbers::ln2 / static_cast<double>(std::max<int64_t>(1, count));
  };
  const double bits = bits_per(characters);
  const std::optional<int64_t>& bytes = e.scored.bytes;
  if (arguments.json) {
    nlohmann::ordered_json all{{"loss", loss}, {"perplexity", perplexity}};
    if (bytes) all["bits_per_byte"] = bits_per(*bytes);
    all["bits_per_character"] = bits;
    all["tokens"] = meter.count();
    if (bytes) all["bytes"] = *bytes;
    all["data"] = e.scored.data;
    all["part"] = e.scored.part;
    if (e.scored.trained_share) all["trained_share"] = *e.scored.trained_share;
    // Names need not be UTF-8, which JSON is.
    write_out(all.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
    return 0;
  }
  write_out(str(e.scored.about, "\nloss                ", fixed(loss, 6), "\nperplexity          ",
                fixed(perplexity, 4), bytes ? str("\nbits per byte       ", fixed(bits_per(*bytes), 6)) : "",
                "\nbits per character  ", fixed(bits, 6), "\ntokens              ", grouped(meter.count()),
                "\n"));
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
  if (!arguments.task.empty() || (learned && !learned->reads_files({arguments.data})))
    return prepare_task_eval(e, arguments);
  if (learned && learned->name != "text") return prepare_file_task_eval(e, arguments, *learned);
  if (arguments.length > 0)
    fail<ValueError>("--length: is of tasks that make sequences; ", e->opened.path, " learned from text");
  if (!e->model().tokenizer)
    fail<ValueError>(e->opened.path, ": has no tokenizer, and so reads no text; ", program_name(),
                     " logits takes ids");
  e->scored = text_of(e->opened, arguments, say);
  const StateDict& settings = e->model().settings;
  const int64_t block_size =
      settings.contains("block_size") ? settings.integer("block_size") : e->model().trained_on.block_size;
  const ScoredWindows windows(e->scored.tokens, block_size, arguments.stride);
  const std::shared_ptr<Model> model = e->opened.build();
  return [e, model, arguments, windows] { return work(*e, *model, arguments, windows); };
}

}  // namespace weft::tools
