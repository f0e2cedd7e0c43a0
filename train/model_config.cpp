#include "model_config.h"

#include <weft/layers/models/bert.h>
#include <weft/layers/models/gpt.h>
#include <weft/layers/models/llama.h>
#include <weft/layers/models/recurrent_lm.h>
#include <weft/layers/models/recurrent_translator.h>
#include <weft/layers/models/t5.h>
#include <weft/layers/models/transformer.h>
#include <weft/layers/models/vit.h>
#include <weft/lib/base/error.h>
#include <weft/optim/parameter_groups.h>

#include <algorithm>
#include <ranges>

namespace weft {
namespace {

/// The longest sequence that the configuration or the data ask for.
int64_t longest(const Config& c, const DataShape& d) {
  return std::max({c.block_size, d.sizes.longest_input, d.sizes.longest_target});
}

template <class ModelConfig>
StateDict checked(const ModelConfig& config) {
  config.check();
  return config.state();
}

StateDict gpt2(const Config& c, TaskKind, const DataShape& d) {
  return checked(GPTConfig{.vocab_size = d.vocab_size,
                           .block_size = longest(c, d),
                           .n_layer = c.n_layer,
                           .n_head = c.n_head,
                           .n_embd = c.n_embd,
                           .dropout = c.dropout,
                           .bias = c.bias});
}

StateDict bert(const Config& c, TaskKind kind, const DataShape& d) {
  return checked(BERTConfig{.vocab_size = d.vocab_size,
                            .block_size = longest(c, d),
                            .n_layer = c.n_layer,
                            .n_head = c.n_head,
                            .n_embd = c.n_embd,
                            .n_inner = c.n_inner,
                            .n_class = kind == TaskKind::classification ? d.classes : 0,
                            .dropout = c.dropout});
}

StateDict transformer(const Config& c, TaskKind, const DataShape& d) {
  return checked(TransformerConfig{.vocab_size = d.vocab_size,
                                   .block_size = longest(c, d),
                                   .n_layer = c.n_layer,
                                   .n_head = c.n_head,
                                   .n_embd = c.n_embd,
                                   .n_inner = c.n_inner,
                                   .start_id = d.start_id,
                                   .pre_norm = c.norm == "pre",
                                   .dropout = c.dropout});
}

StateDict llama(const Config& c, TaskKind, const DataShape& d) {
  return checked(LlamaConfig{.vocab_size = d.vocab_size,
                             .block_size = longest(c, d),
                             .n_layer = c.n_layer,
                             .n_head = c.n_head,
                             .n_kv_head = c.n_kv_head,
                             .n_embd = c.n_embd,
                             .n_inner = c.n_inner,
                             .window = c.window,
                             .dropout = c.dropout,
                             .tie_embeddings = true});
}

StateDict t5(const Config& c, TaskKind, const DataShape& d) {
  return checked(T5Config{.vocab_size = d.vocab_size,
                          .block_size = longest(c, d),
                          .n_layer = c.n_layer,
                          .n_head = c.n_head,
                          .n_embd = c.n_embd,
                          .n_inner = c.n_inner,
                          .start_id = d.start_id,
                          .dropout = c.dropout});
}

StateDict vit(const Config& c, TaskKind kind, const DataShape& d) {
  if (kind == TaskKind::patches && c.patch_size != d.sizes.patch)
    fail<ValueError>("patch_size = ", c.patch_size, ": the task ", c.task, " asks for patches of ",
                     d.sizes.patch);
  return checked(ViTConfig{.image_size = d.sizes.height,
                           .patch_size = c.patch_size,
                           .n_channel = d.sizes.channels,
                           .n_class = d.classes,
                           .segmentation = kind == TaskKind::patches,
                           .n_layer = c.n_layer,
                           .n_head = c.n_head,
                           .n_embd = c.n_embd,
                           .n_inner = c.n_inner,
                           .dropout = c.dropout,
                           .drop_path = c.drop_path});
}

template <RecurrentCell cell>
StateDict recurrent(const Config& c, TaskKind, const DataShape& d) {
  return checked(RecurrentLMConfig{.cell = cell,
                                   .vocab_size = d.vocab_size,
                                   .n_layer = c.n_layer,
                                   .n_embd = c.n_embd,
                                   .dropout = c.dropout});
}

StateDict lstm_seq2seq(const Config& c, TaskKind, const DataShape& d) {
  return checked(RecurrentTranslatorConfig{.vocab_size = d.vocab_size,
                                           .n_layer = c.n_layer,
                                           .n_embd = c.n_embd,
                                           .start_id = d.start_id,
                                           .dropout = c.dropout});
}

/// Keys that only some models have.
constexpr const char* special_keys[] = {"n_kv_head",  "n_inner",   "bias",  "norm",
                                        "patch_size", "drop_path", "window"};

struct Row {
  const char* kind;
  std::vector<TaskKind> kinds;
  std::vector<std::string> keys;  ///< of the special ones
  StateDict (*config)(const Config&, TaskKind, const DataShape&);
};

const std::vector<Row>& rows() {
  static const std::vector<Row> all = {
      {"gpt2", {TaskKind::language}, {"bias"}, gpt2},
      {"llama", {TaskKind::language}, {"n_kv_head", "n_inner", "window"}, llama},
      {"bert", {TaskKind::masked, TaskKind::classification}, {"n_inner"}, bert},
      {"transformer", {TaskKind::pairs}, {"n_inner", "norm"}, transformer},
      {"t5", {TaskKind::pairs}, {"n_inner"}, t5},
      {"vit", {TaskKind::pictures, TaskKind::patches}, {"n_inner", "patch_size", "drop_path"}, vit},
      {"lstm", {TaskKind::language}, {}, recurrent<RecurrentCell::lstm>},
      {"gru", {TaskKind::language}, {}, recurrent<RecurrentCell::gru>},
      {"lstm-seq2seq", {TaskKind::pairs}, {}, lstm_seq2seq},
  };
  return all;
}

bool takes(const Row& row, TaskKind kind) { return std::ranges::count(row.kinds, kind) > 0; }

const Row& row_of(const std::string& kind) {
  return *std::ranges::find_if(rows(), [&](const Row& row) { return kind == row.kind; });
}

/// What was set for another model is refused, not passed over.
void check_keys(const Config& config) {
  const Config defaults;
  for (const Key& key : config_keys()) {
    if (std::ranges::count(special_keys, key.name) == 0) continue;
    const std::string value = value_text(config, key);
    if (value == value_text(defaults, key) || std::ranges::count(row_of(config.model).keys, key.name) > 0)
      continue;
    std::string fit;
    for (const Row& row : rows())
      if (std::ranges::count(row.keys, key.name) > 0) fit += str(fit.empty() ? "" : ", ", row.kind);
    fail<ValueError>(key.name, " = ", value, ": ", config.model, " has no such key; ", fit,
                     fit.find(',') == std::string::npos ? " has" : " have");
  }
}

}  // namespace

StateDict model_config(const Config& config, TaskKind kind, const DataShape& shape) {
  const Row& row = row_of(config.model);
  if (!takes(row, kind)) {
    std::string fit;
    for (const Row& other : rows())
      if (takes(other, kind)) fit += str(fit.empty() ? "" : ", ", other.kind);
    fail<ValueError>("task = ", config.task, ": is of the kind '", name_of(kind), "', which ", config.model,
                     " does not learn; ", fit.empty() ? "no model does yet" : str(fit, " can"));
  }
  return row.config(config, kind, shape);
}

void check_model(const Config& config) {
  check_keys(config);
  // Any data at all: what they say is checked when they are there.
  const DataShape some{.vocab_size = 8,
                       .classes = 2,
                       .pad_id = 0,
                       .start_id = 1,
                       .end_id = 2,
                       .sizes = {.longest_input = 1,
                                 .longest_target = 1,
                                 .channels = 1,
                                 .height = config.patch_size,
                                 .width = config.patch_size,
                                 .patch = config.patch_size}};
  model_config(config, kind_of_task(config.task), some);
}

std::unique_ptr<Model> make_model(const Config& config, const Task& task) {
  const RandomScope random({.seed = static_cast<uint64_t>(config.seed)});
  std::unique_ptr<Model> model = weft::make_model(config.model, model_config(config, task.kind, task.shape));
  model->recompute_blocks = config.recompute;
  model->label_smoothing = config.label_smoothing;
  std::vector<std::string> frozen;
  for (const auto part : std::views::split(config.freeze, ','))
    if (!part.empty()) frozen.emplace_back(part.begin(), part.end());
  freeze(model->parameters(), frozen);
  return model;
}

std::string models_help() {
  std::string text = "Models, each with the tasks it takes:\n";
  for (const Row& row : rows()) {
    std::string line = str("  ", row.kind);
    line.resize(std::max<size_t>(line.size() + 2, 16), ' ');
    std::string tasks;
    for (const std::string& task : names_of_tasks())
      if (takes(row, kind_of_task(task))) tasks += str(tasks.empty() ? "" : ", ", task);
    text += str(line, tasks, "\n");
  }
  text += "Tasks:\n";
  for (const std::string& task : names_of_tasks()) {
    std::string line = str("  ", task);
    line.resize(std::max<size_t>(line.size() + 2, 16), ' ');
    text += str(line, meaning_of_task(task), "\n");
  }
  return text;
}

}  // namespace weft
