#include "peft.h"

#include <weft/lib/base/file.h>
#include <weft/lib/files/safetensors.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "hugging_face_tensors_internal.h"
#include "peft_names_internal.h"

namespace weft {
namespace {

constexpr std::string_view weight = ".weight";

std::string without_end(const std::string& name, std::string_view end) {
  return name.substr(0, name.size() - end.size());
}

/// An adapter of theirs.
struct LowRank {
  Array A, B;
};

/// What an adapter's config says of scales.
class Scales {
 public:
  /// Of a config, and its text: of several patterns that fit the first counts, as it stands there.
  Scales(const HuggingFaceConfig& config, const std::string& text)
      : alpha_(config.number("lora_alpha", 8.0)), by_root_(config.boolean("use_rslora", false)) {
    const HuggingFaceConfig patterns = config.object("alpha_pattern");
    if (!config.has("alpha_pattern")) return;
    const nlohmann::ordered_json in_order = nlohmann::ordered_json::parse(text).at("alpha_pattern");
    for (const auto& [key, value] : in_order.items()) {
      if (key.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.") !=
          std::string::npos)
        fail<FileError>(config.path(), ": alpha_pattern has \"", key,
                        "\"; weft reads names of modules there, and no expressions");
      patterns_.emplace_back(key, patterns.number(key));
    }
  }
  /// What ours is to be, so that alpha / rank is their scale.
  double alpha(const std::string& module, int64_t rank) const {
    double alpha = alpha_;
    for (const auto& [key, value] : patterns_)
      if (module == key || module.ends_with("." + key)) {
        alpha = value;
        break;
      }
    return by_root_ ? alpha * std::sqrt(static_cast<double>(rank)) : alpha;
  }

 private:
  double alpha_;
  bool by_root_;
  std::vector<std::pair<std::string, double>> patterns_;
};

const HuggingFaceConfig& checked(const HuggingFaceConfig& config) {
  config.allow("peft_type", {"LORA"});
  config.allow("bias", {"none"});
  for (const char* option : {"use_dora", "lora_bias", "use_qalora"}) config.allow(option, {false});
  for (const char* option : {"trainable_token_indices", "layer_replication", "target_parameters",
                             "alora_invocation_tokens", "megatron_config"})
    config.allow(option, {nullptr, nlohmann::json::array(), nlohmann::json::object()});
  config.allow("init_lora_weights", {true, false, "gaussian", "eva", "orthogonal"});
  return config;
}

/// The columns of B that are not zeros, and the rows of A that they belong to.
LowRank narrowed(const LowRank& pair) {
  const int64_t out = pair.B.dim(0), rank = pair.B.dim(1), in = pair.A.dim(1);
  std::vector<int64_t> used;
  for (int64_t r = 0; r < rank; ++r)
    for (int64_t o = 0; o < out; ++o)
      if (pair.B.data<float>()[o * rank + r] != 0) {
        used.push_back(r);
        break;
      }
  const auto kept = std::ssize(used);
  if (kept == rank) return pair;
  std::vector<float> A, B;
  for (const int64_t r : used)
    A.insert(A.end(), pair.A.data<float>() + r * in, pair.A.data<float>() + (r + 1) * in);
  for (int64_t o = 0; o < out; ++o)
    for (const int64_t r : used) B.push_back(pair.B.data<float>()[o * rank + r]);
  return {Array::from(A, {kept, in}), Array::from(B, {out, kept})};
}

class PeftReader {
 public:
  PeftReader(const PeftAdapters& theirs, const BareModel& base, const std::string& path)
      : path_(path),
        config_(theirs.config, path + "/adapter_config.json"),
        scales_(checked(config_), theirs.config) {
    found_.config = base.config;
    found_.dropout = config_.number("lora_dropout", 0.0);
    sort(theirs.tensors);
    const Family& family = family_for(base.kind, base.config);
    take_classes();
    names_ = family.names(found_.config);
    for (const Mapping& mapping : names_.mappings) known_.insert(mapping.theirs);
    for (const auto& [second, first] : names_.ties) known_.insert(second);
    for (const auto& [module, pair] : pairs_) take(whole_name(module, family), pair);
    drop_ties();
    for (const auto& [name, array] : full_) take_full(whole_name(name, family), array, family);
  }
  BareAdapters found() && { return std::move(found_); }

 private:
  /// Pairs, and what is trained in full.
  void sort(const std::map<std::string, Array>& tensors) {
    for (const auto& [given, array] : tensors) {
      if (!given.starts_with(peft::prefix)) refuse(given, "is no tensor of an adapter");
      const std::string name = given.substr(peft::prefix.size());
      const bool is_A = name.ends_with(peft::A_end);
      if (is_A || name.ends_with(peft::B_end)) {
        if (array.rank() != 2 || !is_floating(array.dtype()))
          refuse(given, str("is ", array.shape(), " ", array.dtype(), ", not a matrix of floating numbers"));
        LowRank& pair = pairs_[without_end(name, is_A ? peft::A_end : peft::B_end)];
        (is_A ? pair.A : pair.B) = array.to(float32);
      } else if (name.find(".lora_") != std::string::npos) {
        refuse(given,
               "is of an adapter of an embedding, or of another kind; weft has adapters of linear layers");
      } else {
        full_.emplace(name, array);
      }
    }
    if (pairs_.empty()) fail<FileError>(path_, ": holds no adapters");
    for (const auto& [module, pair] : pairs_) {
      if (!pair.A.defined() || !pair.B.defined())
        refuse(module, pair.A.defined() ? "has no lora_B" : "has no lora_A");
      if (pair.A.dim(0) != pair.B.dim(1) || pair.A.dim(0) < 1)
        refuse(module,
               str("has lora_A ", pair.A.shape(), " and lora_B ", pair.B.shape(), ", of different ranks"));
    }
  }

  /// A head that comes with the adapters tells how many classes there are.
  void take_classes() {
    if (!found_.config.contains("n_class")) return;
    for (const char* head : {"score.weight", "classifier.weight"})
      if (const auto found = full_.find(head); found != full_.end() && found->second.rank() == 2)
        found_.config.set("n_class", found->second.dim(0));
  }

  /// The body may lack its prefix; and ViT's modules have had other names than its tensors since transformers 5.
  std::string whole_name(std::string name, const Family& family) const {
    constexpr std::pair<std::string_view, std::string_view> of_vit[] = {
        {"layers.", "encoder.layer."},
        {".attention.q_proj", ".attention.attention.query"},
        {".attention.k_proj", ".attention.attention.key"},
        {".attention.v_proj", ".attention.attention.value"},
        {".attention.o_proj", ".attention.output.dense"},
        {".mlp.fc1", ".intermediate.dense"},
        {".mlp.fc2", ".output.dense"}};
    if (std::string_view(family.kind) == "vit")
      for (const auto& [now, before] : of_vit)
        if (const size_t at = name.find(now); at != std::string::npos) name.replace(at, now.size(), before);
    const auto knows = [&](const std::string& one) {
      return known_.contains(one) || known_.contains(str(one, weight));
    };
    return knows(name) || !knows(family.prefix + name) ? name : family.prefix + name;
  }

  const Mapping* mapping_of(const std::string& name) const {
    const auto found = std::ranges::find(names_.mappings, name, &Mapping::theirs);
    return found == names_.mappings.end() ? nullptr : &*found;
  }

  void take(const std::string& module, const LowRank& pair) {
    const Mapping* const mapping = mapping_of(str(module, weight));
    if (!mapping) refuse(module, "has an adapter, but weft's model has no such layer of its own");
    const double alpha = scales_.alpha(module, pair.A.dim(0));
    const std::vector<Array> parts =
        split(pair.B, mapping->ours.size(), str(path_, ": lora_B of ", module, ": "));
    std::vector<LowRank> all;
    for (const Array& part : parts)
      all.push_back(parts.size() > 1 ? narrowed({pair.A, part}) : LowRank{pair.A, part});
    // One that was never trained is zeros everywhere, and none of its parts is left out.
    const bool untrained = std::ranges::all_of(all, [](const LowRank& part) { return part.A.dim(0) == 0; });
    for (size_t i = 0; i < all.size(); ++i) {
      const LowRank& part = untrained ? LowRank{pair.A, parts[i]} : all[i];
      const int64_t rank = part.A.dim(0);
      if (rank == 0) continue;
      const std::string layer = without_end(mapping->ours[i], weight);
      found_.weights.set(layer + ".lora_A", part.A);
      found_.weights.set(layer + ".lora_B", part.B);
      found_.alphas[layer] = alpha * static_cast<double>(rank) / static_cast<double>(pair.A.dim(0));
    }
  }

  void drop_ties() {
    for (const auto& [second, first] : names_.ties) {
      const auto copy = full_.find(second), original = full_.find(first);
      if (copy == full_.end()) continue;
      if (original == full_.end() || !copy->second.identical(original->second))
        refuse(second, str("is trained apart from ", first, ", with which weft's model shares it"));
      full_.erase(copy);
    }
  }

  void take_full(const std::string& name, const Array& array, const Family& family) {
    const Mapping* const mapping = mapping_of(name);
    if (!mapping && is_ignored(name, family, names_)) {
      found_.notes.push_back("not used: " + name);
      return;
    }
    if (!mapping) refuse(name, "is nothing that weft's model has");
    const std::string who = str(path_, ": tensor ", name, ": ");
    const std::vector<Array> parts = split(ours_of(array, *mapping, who), mapping->ours.size(), who);
    for (size_t i = 0; i < parts.size(); ++i) found_.weights.set(mapping->ours[i], parts[i]);
  }

  [[noreturn]] void refuse(const std::string& name, const std::string& why) const {
    fail<FileError>(path_, ": ", name, " ", why);
  }

  const std::string path_;
  const HuggingFaceConfig config_;
  const Scales scales_;
  std::map<std::string, LowRank> pairs_;
  std::map<std::string, Array> full_;
  Names names_;
  std::set<std::string> known_;
  BareAdapters found_;
};

}  // namespace

BareAdapters from_peft(const PeftAdapters& adapters, const BareModel& base, const std::string& path) {
  try {
    return PeftReader(adapters, base, path).found();
  } catch (const ValueError& error) {
    fail<FileError>(path, ": ", error.what());
  }
}

bool is_peft(const std::string& folder) { return is_there(folder + "/adapter_config.json"); }

PeftAdapters read_peft(const std::string& folder) {
  const std::string tensors = folder + "/adapter_model.safetensors";
  if (!is_there(tensors) && is_there(folder + "/adapter_model.bin"))
    fail<FileError>(folder,
                    ": holds adapter_model.bin, which is read by running it; load it with peft and save it "
                    "anew, as adapter_model.safetensors");
  return {read_text(folder + "/adapter_config.json"), read_safetensors(tensors)};
}

void write_peft(const std::string& folder, const PeftAdapters& adapters) {
  make_folders(folder);
  write_safetensors(folder + "/adapter_model.safetensors", adapters.tensors, {{"format", "pt"}});
  write_file(folder + "/adapter_config.json", adapters.config);
}

}  // namespace weft
