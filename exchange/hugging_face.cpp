#include "hugging_face.h"

#include <weft/layers/models/registry.h>
#include <weft/lib/base/file.h>
#include <weft/lib/files/safetensors.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "hugging_face_family_internal.h"
#include "hugging_face_tensors_internal.h"

namespace weft {
namespace {

using Tensors = std::map<std::string, Array>;

const std::vector<Family>& families() {
  static const std::vector<Family> all = {gpt2_family(), llama_family(), qwen3_family(),
                                          bert_family(), t5_family(),    vit_family()};
  return all;
}

/// "a, b, c and 7 more".
std::string listed(const std::vector<std::string>& names) {
  constexpr size_t most = 8;
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), most); ++i) text += str(i > 0 ? ", " : "", names[i]);
  return names.size() > most ? str(text, " and ", names.size() - most, " more") : text;
}

const Family& family_of(const HuggingFaceConfig& config) {
  const std::vector<std::string> given = config.texts("architectures");
  const std::string type = config.text("model_type", "");
  std::vector<std::string> known;
  for (const Family& family : families()) {
    known.insert(known.end(), family.architectures.begin(), family.architectures.end());
    const bool fits = given.empty()
                          ? type == family.model_type
                          : given.size() == 1 && std::ranges::count(family.architectures, given[0]) > 0;
    if (fits && (type.empty() || type == family.model_type)) return family;
  }
  fail<FileError>(config.path(), ": its architecture is ", given.empty() ? "not named" : listed(given),
                  ", model_type '", type, "'; weft reads ", listed(known));
}

/// As transformers calls weights now: LayerNorm's were gamma and beta, and the body's may lack its prefix.
std::string modern(std::string name, const Family& family, const std::set<std::string>& known) {
  for (const auto& [old, now] : {std::pair(".gamma", ".weight"), std::pair(".beta", ".bias")})
    if (name.ends_with(old)) name = name.substr(0, name.size() - std::string_view(old).size()) + now;
  return known.contains(name) || name.starts_with(family.prefix) || !known.contains(family.prefix + name)
             ? name
             : family.prefix + name;
}

/// Whether `name` is `pattern`, in which * is any number.
bool matches(std::string_view name, std::string_view pattern) {
  const size_t star = pattern.find('*');
  if (star == std::string_view::npos) return name == pattern;
  if (!name.starts_with(pattern.substr(0, star))) return false;
  name.remove_prefix(star);
  const size_t end = std::min(name.find_first_not_of("0123456789"), name.size());
  return end > 0 && matches(name.substr(end), pattern.substr(star + 1));
}

Tensors renamed(const Tensors& tensors, const Family& family, const Names& names, const std::string& path) {
  std::set<std::string> known;
  for (const Mapping& mapping : names.mappings) known.insert(mapping.theirs);
  for (const auto& [second, first] : names.ties) known.insert(second);
  Tensors found;
  for (const auto& [name, array] : tensors)
    if (!found.emplace(modern(name, family, known), array).second)
      fail<FileError>(path, ": holds tensor ", name, " under an old and a new name");
  return found;
}

StateDict weights_of(Tensors tensors, const Family& family, const Names& names, const std::string& path,
                     std::vector<std::string>& notes) {
  const auto who = [&](const std::string& name) { return str(path, ": tensor ", name, ": "); };
  for (const auto& [second, first] : names.ties) {
    const auto copy = tensors.find(second), original = tensors.find(first);
    if (copy == tensors.end()) continue;
    if (original == tensors.end()) {
      tensors.emplace(first, copy->second);
    } else if (!copy->second.identical(original->second)) {
      fail<FileError>(who(second), "differs from ", first, ", with which weft's ", family.kind, " shares it");
    }
    tensors.erase(second);
  }
  StateDict weights;
  std::vector<std::string> missing;
  for (const Mapping& mapping : names.mappings) {
    const auto found = tensors.find(mapping.theirs);
    if (found == tensors.end()) {
      missing.push_back(mapping.theirs);
      continue;
    }
    if (found->second.dtype() == float64)
      notes.push_back(mapping.theirs + " is rounded from float64 to float32");
    const std::vector<Array> parts =
        split(ours_of(found->second, mapping, who(mapping.theirs)), mapping.ours.size(), who(mapping.theirs));
    for (size_t i = 0; i < parts.size(); ++i) weights.set(mapping.ours[i], parts[i]);
    tensors.erase(found);
  }
  if (!missing.empty()) fail<FileError>(path, ": lacks ", listed(missing));
  std::vector<std::string> ignored, unknown;
  for (const auto& [name, array] : tensors)
    (is_ignored(name, family, names) ? ignored : unknown).push_back(name);
  if (!unknown.empty())
    fail<FileError>(path, ": holds ", listed(unknown), ", which weft's ", family.kind, " does not have");
  if (!ignored.empty()) notes.push_back("not used: " + listed(ignored));
  return weights;
}

void check_weights(const BareModel& model, const std::string& path) {
  const LoadReport report = compare_weights(model.kind, model.config, model.weights);
  if (!report.ok()) fail<FileError>(path, ": the weights do not fit config.json:\n", report.message());
}

}  // namespace

bool is_ignored(const std::string& name, const Family& family, const Names& names) {
  return std::ranges::any_of(names.ignored, [&](const std::string& pattern) {
    return matches(name, pattern) || matches(family.prefix + name, pattern);
  });
}

const Family& family_for(const std::string& kind, const StateDict& config) {
  std::vector<std::string> known;
  for (const Family& family : families()) {
    if (kind == family.kind && (!family.holds || family.holds(config))) return family;
    if (std::ranges::count(known, family.kind) == 0) known.emplace_back(family.kind);
  }
  fail<ValueError>("transformers has no model for weft's ", kind, "; there are ", listed(known));
}

void add_blocks(Mappings& to, int64_t count, const Mappings& block) {
  for (int64_t i = 0; i < count; ++i) {
    const auto numbered = [&](std::string name) {
      return name.replace(name.find('*'), 1, std::to_string(i));
    };
    for (Mapping mapping : block) {
      mapping.theirs = numbered(mapping.theirs);
      for (std::string& ours : mapping.ours) ours = numbered(ours);
      to.push_back(std::move(mapping));
    }
  }
}

void note_dropout(const HuggingFaceConfig& theirs, const std::vector<std::string>& keys, double fallback,
                  double ours, std::vector<std::string>& notes) {
  for (const std::string& key : keys)
    if (const double dropout = theirs.number(key, fallback); dropout != ours)
      notes.push_back(str(key, " is ", dropout, "; weft has one dropout everywhere, ", ours));
}

bool tells_classes(const HuggingFaceConfig& theirs, const char* architecture) {
  if (theirs.texts("architectures") != std::vector<std::string>{architecture}) return false;
  theirs.allow("problem_type", {"single_label_classification"});
  return true;
}

int64_t class_count(const HuggingFaceConfig& theirs) {
  return theirs.entries("id2label", theirs.integer("num_labels", 2));
}

BareModel from_hugging_face(const HuggingFaceModel& model, const std::string& path) {
  const HuggingFaceConfig config(model.config, path);
  const Family& family = family_of(config);
  try {
    BareModel ours;
    ours.kind = family.kind;
    ours.config = family.config_of(config, model.tensors, ours.notes);
    const std::vector<int64_t> ends = config.integers("eos_token_id");
    if (!ends.empty() && ends[0] >= 0 && ends[0] < ours.config.integer("vocab_size")) ours.end_id = ends[0];
    if (ends.size() > 1)
      ours.notes.push_back(str("of ", ends.size(), " eos_token_id only ", ends[0], " ends a text"));
    const Names names = family.names(ours.config);
    ours.weights = weights_of(renamed(model.tensors, family, names, path), family, names, path, ours.notes);
    check_weights(ours, path);
    const int64_t classes = ours.config.contains("n_class") ? ours.config.integer("n_class") : 0;
    if (std::vector<std::string> labels = config.label_names(); classes > 0 && std::ssize(labels) == classes)
      ours.class_names = std::move(labels);
    if (classes > 0) ours.pad_id = config.integer("pad_token_id", -1);
    return ours;
  } catch (const ValueError& error) {
    fail<FileError>(path, ": ", error.what());
  }
}

HuggingFaceModel to_hugging_face(const BareModel& model, DType dtype) {
  const Family& family = family_for(model.kind, model.config);
  nlohmann::ordered_json config = family.config_for(model.config);
  config["model_type"] = family.model_type;
  config["dtype"] = name_of(dtype);
  const int64_t classes = model.config.contains("n_class") ? model.config.integer("n_class") : 0;
  for (int64_t i = 0; i < classes; ++i) {
    const std::string name =
        model.class_names.empty() ? str("LABEL_", i) : model.class_names[static_cast<size_t>(i)];
    config["id2label"][std::to_string(i)] = name;
    config["label2id"][name] = i;
  }
  // Their decoders look for the last token that is none of padding.
  if (classes > 0 && model.pad_id >= 0) config["pad_token_id"] = model.pad_id;
  config["eos_token_id"] = model.end_id < 0 ? nlohmann::ordered_json() : nlohmann::ordered_json(model.end_id);
  HuggingFaceModel theirs{config.dump(2) + "\n", {}};
  for (const Mapping& mapping : family.names(model.config).mappings)
    theirs.tensors.emplace(mapping.theirs, tensor_for(mapping, model.weights).to(dtype));
  return theirs;
}

HuggingFaceModel read_hugging_face(const std::string& folder) {
  return {read_text(folder + "/config.json"), read_safetensors_folder(folder)};
}

void make_folders(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) fail<FileError>(folder, ": the folder cannot be made: ", error.message());
}

void write_hugging_face(const std::string& folder, const HuggingFaceModel& model) {
  make_folders(folder);
  write_safetensors(folder + "/model.safetensors", model.tensors, {{"format", "pt"}});
  write_file(folder + "/config.json", model.config);
}

}  // namespace weft
