#include <weft/data/text/token_cache.h>
#include <weft/data/text/word_tokenizer.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/math.h>
#include <weft/lib/base/values.h>
#include <weft/train/console.h>
#include <weft/train/evaluate.h>
#include <weft/train/model_file.h>
#include <weft/train/scoring.h>
#include <weft/train/text_task.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <numbers>

#include "commands.h"

namespace weft::tools {
namespace {

/// Samples of a task in a batch of an evaluation: the scores do not depend on it.
constexpr int64_t evaluated_at_once = 32;

struct Evaluated {
  Console console;
  ModelFile file;
  TokenRange tokens;
};

/// The validation split of the run's own text, or all of another one.
TokenRange tokens_of(const ModelFile& file, const EvalArguments& arguments) {
  const Config& made_with = file.checkpoint.config;
  TokenizeOptions options{.newlines = newlines_from(made_with.newlines), .with = file.checkpoint.tokenizer};
  if (!arguments.data.empty())
    return all_tokens(tokenize_files({arguments.data}, options).tokens, arguments.data);

  if (!file.run)
    fail<ValueError>(file.path,
                     ": does not lie in a run's folder, so that its text is not known; give --data FILE");
  Config config;
  apply_file(config, file.run->config());
  if (config.data.empty()) fail<ValueError>(file.run->config(), ": names no data; give --data FILE");
  if (text_digest(config) != file.checkpoint.content_hash)
    fail<FileError>(config.data[0], config.data.size() > 1 ? " or one of the files after it" : "",
                    ": has changed since the run was made with it; --data FILE scores any text");
  std::error_code error;
  if (std::filesystem::exists(file.run->cache(), error)) options.cache_folder = file.run->cache();
  return split_tokens(tokenize_files(config.data, options).tokens, config.data[0]).validation;
}

/// Characters among the tokens that are scored: all but the first.
int64_t scored_characters(const Tokenizer& tokenizer, const TokenRange& tokens) {
  std::vector<int64_t> ids;
  int64_t characters = 0;
  for (int64_t at = 1; at < tokens.size; at += static_cast<int64_t>(ids.size())) {
    ids.resize(static_cast<size_t>(std::min<int64_t>(1 << 16, tokens.size - at)));
    tokens.read(at, ids);
    characters += tokenizer.count_characters(ids);
  }
  return characters;
}

int work(Evaluated& e, const EvalArguments& arguments, const ScoredWindows& windows) {
  const auto model = e.file.checkpoint.build_model();
  const int64_t batch_size = std::max<int64_t>(1, 2048 / e.file.checkpoint.config.block_size);
  const LossMeter meter = evaluate(*model, windows, batch_size, [&](int64_t done) {
    e.console.renew(str("evaluating: ", 100 * done / windows.size(), " %"));
  });
  e.console.clear();
  const double loss = meter.mean(), perplexity = math::exp(loss);
  const int64_t characters = scored_characters(*e.file.checkpoint.tokenizer, e.tokens);
  const double bits = meter.sum() / std::numbers::ln2 / static_cast<double>(std::max<int64_t>(1, characters));
  if (arguments.json) {
    write_out(nlohmann::ordered_json{{"loss", loss},
                                     {"perplexity", perplexity},
                                     {"bits_per_character", bits},
                                     {"tokens", meter.count()}}
                  .dump() +
              "\n");
    return 0;
  }
  write_out(str("loss                ", fixed(loss, 6), "\nperplexity          ", fixed(perplexity, 4),
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
  const Config& config = e->file.checkpoint.config;
  const std::string name = arguments.task.empty() ? config.task : arguments.task;
  if (!arguments.data.empty() || arguments.stride > 0)
    fail<ValueError>("--data and --stride are for runs on text; this one learned the task ", config.task);
  if (const TaskKind kind = kind_of_task(name), trained = kind_of_task(config.task); kind != trained)
    fail<ValueError>("--task ", name, ": is of the kind '", name_of(kind), "', but this model learned ",
                     config.task, ", of the kind '", name_of(trained), "'");
  const auto task = weft::make_task(
      name, {.seed = static_cast<uint64_t>(config.seed),
             .split = Split::validation,
             .min_length = arguments.length > 0 ? arguments.length : config.min_length,
             .max_length = arguments.length > 0 ? arguments.length : config.max_length,
             .mask_share = config.mask_share,
             .tokenizer = std::dynamic_pointer_cast<const WordTokenizer>(e->file.checkpoint.tokenizer)});
  const std::shared_ptr<Model> model = e->file.checkpoint.build_model();
  return [=] {
    const std::vector<Score> scores = score(
        *model, *task, arguments.samples, evaluated_at_once,
        [&](int64_t done) { e->console.renew(str("evaluating: ", 100 * done / arguments.samples, " %")); });
    e->console.clear();
    print_scores(scores, arguments.json);
    return 0;
  };
}

}  // namespace

Work prepare_eval(const EvalArguments& arguments) {
  auto e = std::make_shared<Evaluated>();
  e->file =
      open_model(arguments.model, arguments.last, [&](std::string_view line) { e->console.print(line); });
  if (!arguments.task.empty() || e->file.checkpoint.config.task != text_task_name)
    return prepare_task_eval(e, arguments);
  if (!e->file.checkpoint.tokenizer)
    fail<ValueError>(e->file.path, ": has no tokenizer, and so reads no text; weft logits takes ids");
  e->tokens = tokens_of(e->file, arguments);
  const ScoredWindows windows(e->tokens, e->file.checkpoint.config.block_size, arguments.stride);
  return [e, arguments, windows] { return work(*e, arguments, windows); };
}

}  // namespace weft::tools
