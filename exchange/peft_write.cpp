#include <algorithm>
#include <map>
#include <set>

#include "hugging_face_tensors_internal.h"
#include "peft.h"
#include "peft_names_internal.h"

namespace weft {
namespace {

using nlohmann::ordered_json;

/// "a.b" of "a.b.weight" and "a.b.bias"; empty for what is neither.
std::string module_of(const std::string& tensor) {
  for (const std::string end : {".weight", ".bias"})
    if (tensor.ends_with(end)) return tensor.substr(0, tensor.size() - end.size());
  return "";
}

std::string last_part(const std::string& module) { return module.substr(module.rfind('.') + 1); }

/// One of theirs.
struct Adapter {
  Array A, B;
  double alpha = 0;
  int64_t rank() const { return A.dim(0); }
};

/// The A's on top of each other, the B's as blocks on the diagonal of one, with `outputs` rows each, zeros where there is no
/// adapter.
Adapter joined(const std::vector<Array>& A, const std::vector<Array>& B, const std::vector<int64_t>& outputs,
               double alpha) {
  std::vector<float> rows;
  int64_t rank = 0, inputs = 0, height = 0;
  for (const Array& one : A) {
    if (!one.defined()) continue;
    rank += one.dim(0);
    inputs = one.dim(1);
    rows.insert(rows.end(), one.data<float>(), one.data<float>() + one.size());
  }
  for (const int64_t count : outputs) height += count;
  std::vector<float> values(static_cast<size_t>(height * rank));
  int64_t row = 0, column = 0;
  for (size_t i = 0; i < B.size(); row += outputs[i++]) {
    if (!B[i].defined()) continue;
    const int64_t width = B[i].dim(1);
    for (int64_t r = 0; r < outputs[i]; ++r)
      std::copy_n(B[i].data<float>() + r * width, width, values.begin() + (row + r) * rank + column);
    column += width;
  }
  return {Array::from(rows, {rank, inputs}), Array::from(values, {height, rank}), alpha};
}

/// Whole numbers without a point.
ordered_json number(double value) {
  const auto whole = static_cast<int64_t>(value);
  return static_cast<double>(whole) == value ? ordered_json(whole) : ordered_json(value);
}

class Writer {
 public:
  Writer(const BareModel& whole, const BareAdapters& ours)
      : whole_(whole),
        ours_(ours),
        family_(family_for(whole.kind, whole.config)),
        names_(family_.names(whole.config)) {
    for (const Mapping& mapping : names_.mappings) add_adapter(mapping);
    for (const auto& [layer, alpha] : ours.alphas)
      if (!used_.contains(layer))
        fail<ValueError>("transformers has no layer for the adapter of '", layer, "'");
    for (const std::string& name : ours.weights.keys())
      if (adapted_layer(name).empty()) add_full(name);
  }

  PeftAdapters made() const {
    std::map<std::string, Array> tensors = full_;
    for (const auto& [module, adapter] : adapters_) {
      tensors.emplace(str(peft::prefix, module, peft::A_end), adapter.A);
      tensors.emplace(str(peft::prefix, module, peft::B_end), adapter.B);
    }
    return {config().dump(2) + "\n", tensors};
  }

 private:
  bool has_adapter(const std::string& weight) const {
    return weight.ends_with(".weight") && ours_.alphas.contains(module_of(weight));
  }

  void add_adapter(const Mapping& mapping) {
    if (std::ranges::none_of(mapping.ours, [&](const std::string& name) { return has_adapter(name); }))
      return;
    std::vector<Array> A, B;
    std::vector<int64_t> outputs;
    double alpha = 0, scale = 0;
    for (const std::string& name : mapping.ours) {
      const std::string layer = module_of(name);
      outputs.push_back(whole_.weights.array(name).dim(0));
      A.push_back(has_adapter(name) ? ours_.weights.array(layer + ".lora_A") : Array());
      B.push_back(has_adapter(name) ? ours_.weights.array(layer + ".lora_B") : Array());
      if (!has_adapter(name)) continue;
      const double own = ours_.alphas.at(layer) / static_cast<double>(A.back().dim(0));
      if (alpha != 0 && own != scale)
        fail<ValueError>("peft keeps the adapters of '", layer, "' and others as one, but alpha / rank is ",
                         own, " here and ", scale, " there");
      scale = own;
      alpha += ours_.alphas.at(layer);
      used_.insert(layer);
    }
    const bool one_A = std::ranges::all_of(
        A, [&](const Array& other) { return other.defined() && A[0].defined() && other.identical(A[0]); });
    turned_ = turned_ || mapping.turn == Turn::transposed;
    adapters_.emplace(module_of(mapping.theirs),
                      one_A ? Adapter{A[0], concatenated(B), ours_.alphas.at(module_of(mapping.ours[0]))}
                            : joined(A, B, outputs, alpha));
  }

  void add_full(const std::string& name) {
    const auto has = [&](const Mapping& mapping) { return std::ranges::count(mapping.ours, name) > 0; };
    const auto found = std::ranges::find_if(names_.mappings, has);
    if (found == names_.mappings.end()) fail<ValueError>("transformers has no place for '", name, "'");
    const auto refuse = [&](const std::string& why) {
      fail<ValueError>("'", name, "' is trained in full, and peft cannot keep that: ", found->theirs, " ",
                       why, ". As a whole model it can go: --format hf");
    };
    for (const auto& [second, first] : names_.ties)
      if (first == found->theirs) refuse(str("is ", second, " too"));
    const std::string module = module_of(found->theirs);
    if (module.empty()) refuse("is no module of its own");
    if (adapters_.contains(module)) refuse("is of a layer that has an adapter");
    modules_.insert(module);
    for (const Mapping& mapping : names_.mappings)
      if (module_of(mapping.theirs) == module)
        full_.emplace(str(peft::prefix, mapping.theirs), tensor_for(mapping, whole_.weights));
  }

  /// By their last parts, where all that end so have an adapter, else by their whole names.
  std::vector<std::string> targets() const {
    std::set<std::string> all, partly;
    std::vector<std::string> named = names_.ignored;
    for (const Mapping& mapping : names_.mappings) named.push_back(mapping.theirs);
    for (const auto& [second, first] : names_.ties) named.push_back(second);
    for (const std::string& tensor : named)
      if (const std::string module = module_of(tensor); !adapters_.contains(module))
        partly.insert(last_part(module));
    for (const auto& [module, adapter] : adapters_)
      all.insert(partly.contains(last_part(module)) ? module : last_part(module));
    return {all.begin(), all.end()};
  }

  std::string task_type() const {
    const std::string architecture = family_.config_for(whole_.config)["architectures"][0].get<std::string>();
    if (architecture.ends_with("ForSequenceClassification")) return "SEQ_CLS";
    if (architecture.ends_with("ForConditionalGeneration")) return "SEQ_2_SEQ_LM";
    return architecture.ends_with("ForCausalLM") || architecture.ends_with("LMHeadModel") ? "CAUSAL_LM" : "";
  }

  ordered_json config() const {
    const Adapter& usual = adapters_.begin()->second;
    ordered_json ranks = ordered_json::object(), alphas = ordered_json::object();
    for (const auto& [module, adapter] : adapters_) {
      if (adapter.rank() != usual.rank()) ranks[module] = adapter.rank();
      if (adapter.alpha != usual.alpha) alphas[module] = number(adapter.alpha);
    }
    const std::string task = task_type();
    return {{"peft_type", "LORA"},
            {"task_type", task.empty() ? ordered_json() : ordered_json(task)},
            {"base_model_name_or_path", nullptr},
            {"inference_mode", true},
            {"r", usual.rank()},
            {"lora_alpha", number(usual.alpha)},
            {"lora_dropout", ours_.dropout},
            {"target_modules", targets()},
            {"rank_pattern", ranks},
            {"alpha_pattern", alphas},
            {"fan_in_fan_out", turned_},
            {"bias", "none"},
            {"modules_to_save", modules_.empty() ? ordered_json() : ordered_json(modules_)},
            {"init_lora_weights", true}};
  }

  const BareModel& whole_;
  const BareAdapters& ours_;
  const Family& family_;
  const Names names_;
  std::map<std::string, Adapter> adapters_;  ///< by their module
  std::map<std::string, Array> full_;
  std::set<std::string> used_, modules_;
  bool turned_ = false;
};

}  // namespace

PeftAdapters to_peft(const BareModel& whole, const BareAdapters& adapters) {
  if (adapters.alphas.empty()) fail<ValueError>("there are no adapters to be written");
  return Writer(whole, adapters).made();
}

}  // namespace weft
