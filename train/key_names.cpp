#include <weft/data/tasks/registry.h>
#include <weft/data/text/tokenizer_registry.h>
#include <weft/layers/models/registry.h>
#include <weft/optim/make_optimizer.h>
#include <weft/optim/schedule.h>
#include <weft/train/key_names.h>
#include <weft/train/run_config.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace weft {
namespace {

/// What PyTorch, transformers and others call a key, where nothing near says it.
struct OtherNames {
  const char* ours;
  std::vector<std::string> theirs;
};

const std::vector<OtherNames>& other_names() {
  static const std::vector<OtherNames> all = {
      {"learning_rate", {"lr"}},
      {"weight_decay", {"wd"}},
      {"max_iters", {"steps", "max_steps", "num_steps", "iters", "iterations"}},
      {"warmup_iters", {"warmup", "warmup_steps", "num_warmup_steps"}},
      {"batch_size", {"bs", "per_device_train_batch_size"}},
      {"grad_clip", {"clip", "max_grad_norm", "gradient_clip_val"}},
      {"gradient_accumulation_steps", {"grad_accum", "accumulate_grad_batches"}},
      {"recompute", {"gradient_checkpointing"}},
      {"schedule", {"scheduler", "lr_scheduler_type"}},
      {"optimizer", {"optim"}},
      {"eval_interval", {"eval_steps"}},
      {"log_interval", {"logging_steps"}},
      {"checkpoint_interval", {"save_steps"}},
      {"keep_checkpoints", {"save_total_limit"}},
      {"n_layer", {"layers", "num_layers", "num_hidden_layers", "depth"}},
      {"n_head", {"heads", "num_heads", "nhead", "num_attention_heads"}},
      {"n_kv_head", {"num_key_value_heads"}},
      {"n_embd", {"dim", "d_model", "embed_dim", "hidden_size"}},
      {"block_size",
       {"context", "context_length", "seq_len", "seq_length", "max_length", "max_seq_length",
        "max_position_embeddings"}}};
  return all;
}

template <class Entry>
void add_names(std::vector<std::string>& to, const Registry<Entry>& all) {
  for (const Entry* const entry : all.entries())
    for (const Setting& s : entry->settings)
      if (!s.from_data) to.push_back(s.name);
}

std::vector<std::string> all_names() {
  std::vector<std::string> all;
  for (const Setting& s : RunConfig::settings().list()) all.push_back(s.name);
  add_names(all, models());
  add_names(all, tasks());
  add_names(all, optimizers());
  add_names(all, schedules());
  add_names(all, tokenizers());
  // lr is what an optimizer by itself calls learning_rate.
  std::erase(all, "lr");
  return all;
}

std::string without_hyphens(std::string typed) {
  std::ranges::replace(typed, '-', '_');
  return typed;
}

}  // namespace

bool is_name_of(const std::string& key, const std::string& typed) {
  const std::string name = without_hyphens(typed);
  return key == name || std::ranges::any_of(other_names(), [&](const OtherNames& one) {
           return one.ours == key && std::ranges::count(one.theirs, name) > 0;
         });
}

std::string meant_key(const std::string& typed) {
  const std::string name = without_hyphens(typed);
  const std::vector<std::string> all = all_names();
  const auto own = std::ranges::find_if(all, [&](const std::string& key) { return is_name_of(key, name); });
  return own != all.end() ? *own : nearest(name, all.data(), all.data() + all.size());
}

std::string near_choice(const Setting& key, const std::string& text) {
  return nearest(text, key.choices.data(), key.choices.data() + key.choices.size());
}

std::string meant_value(const Setting& key, std::string text) {
  std::erase(text, ' ');
  if (const std::string near = near_choice(key, text); !near.empty()) return near;
  if (std::holds_alternative<bool>(key.value)) {
    for (const char* yes : {"1", "True", "TRUE", "yes", "on"})
      if (text == yes) return "true";
    for (const char* no : {"0", "False", "FALSE", "no", "off"})
      if (text == no) return "false";
    return text_of(key.value);
  }
  std::ranges::replace(text, ',', '.');
  if (parsed(key, text)) return text;
  if (std::holds_alternative<int64_t>(key.value)) {
    const Setting number{.name = key.name, .value = 0.0};
    const std::optional<SettingValue> found = parsed(number, text);
    const double given = found ? std::get<double>(*found) : 0.0;
    if (std::abs(given) < 1e15)
      if (const auto whole = str(static_cast<int64_t>(given)); parsed(key, whole)) return whole;
  }
  return text_of(key.value);
}

}  // namespace weft
