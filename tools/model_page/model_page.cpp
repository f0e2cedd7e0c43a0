#include "model_page.h"

#include <weft/data/tasks/table_task.h>
#include <weft/data/tokenizers/marked_tokenizer.h>
#include <weft/layers/models/gpt.h>
#include <weft/layers/models/llama.h>
#include <weft/lib/base/bfloat16.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/float16.h>
#include <weft/lib/base/values.h>
#include <weft/lib/machine/dry_run.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "../attention_page/attention_page_texts.h"
#include "../base64.h"
#include "../page/page.h"
#include "model_page_texts.h"
#include "page_tokenizer.h"

namespace weft::tools {
namespace {

using nlohmann::ordered_json;

static_assert(numerics_version == 2,
              "engine/ computes the bits of this version; a new one is to be written there too");

const char* name_of(PageType type) {
  return type == PageType::float32 ? "float32" : type == PageType::float16 ? "float16" : "bfloat16";
}

int64_t bytes_of(PageType type) { return type == PageType::float32 ? 4 : 2; }

/// The weights as the page keeps them, little-endian.
std::string kept(const std::string& name, std::span<const float> weights, PageType type) {
  if (type == PageType::float32)
    return base64(std::span(reinterpret_cast<const uint8_t*>(weights.data()), 4 * weights.size()));
  std::string bytes(2 * weights.size(), '\0');
  for (size_t i = 0; i < weights.size(); ++i) {
    const uint16_t bits = type == PageType::float16 ? float16_of(weights[i]) : bfloat16_of(weights[i]);
    if (!std::isfinite(type == PageType::float16 ? float_of_float16(bits) : float_of_bfloat16(bits)))
      fail<ValueError>("--dtype ", name_of(type), ": '", name, "' has a weight of ", weights[i],
                       ", beyond the largest ", name_of(type), "; --dtype float32 holds it",
                       type == PageType::float16 ? ", and bfloat16 nearly" : "");
    std::memcpy(bytes.data() + 2 * i, &bits, 2);
  }
  return base64(bytes);
}

ordered_json json_of(const StateDict& settings) {
  ordered_json all = ordered_json::object();
  for (const auto& entry : settings.entries())
    std::visit(
        [&]<class T>(const T& value) {
          if constexpr (!std::is_same_v<T, Array> && !std::is_same_v<T, std::shared_ptr<StateDict>>)
            all[entry.first] = value;
        },
        entry.second);
  return all;
}

/// What the evaluation of these weights found.
const Evaluation* evaluation_of(const TrainingState& training) {
  const auto found = std::ranges::find(training.history.evaluations, training.step, &Evaluation::step);
  return found == training.history.evaluations.end() ? nullptr : &*found;
}

/// Settings that the engine computes by, sees by what weights there are, or that do not matter to a model that writes.
constexpr std::string_view computed =
    " vocab_size block_size n_layer n_head n_kv_head n_embd head_width n_inner n_class bias dropout "
    "gelu_tanh window "
    "window_pattern rope_base rope_scaling rope_factor rope_low_freq_factor rope_high_freq_factor "
    "rope_original_context rms_norm_eps tie_embeddings activation qk_norm logit_softcap value_embeddings "
    "embedding_norm residual_mix zero_init ";

/// Of the model's settings, all of them, and what follows from them.
void describe_model(ordered_json& data, const ModelFile& file) {
  const bool gpt = file.kind == "gpt2";
  if (!gpt && file.kind != "llama" && file.kind != "best")
    fail<ValueError>("--format html: a model of the kind '", file.kind,
                     "' is not computed by the page; gpt2, llama and best are");
  if (file.settings.contains("n_class") && file.settings.integer("n_class") > 0)
    fail<ValueError>("--format html: this ", file.kind, " tells classes and writes nothing");
  for (const Setting& s : models().at(file.kind).settings)
    if (computed.find(str(" ", s.name, " ")) == std::string_view::npos &&
        taken(file.settings, s) != s.value_before())
      fail<ValueError>("--format html: the page does not compute by the setting ", s.name);
  data["family"] = gpt ? "gpt2" : "llama";
  if (gpt) {
    data["settings"] = json_of(GPTConfig::from_state(file.settings).state());
    return;
  }
  const std::unique_ptr<Model> built = [&] {
    const NoInit no_init;
    const DryRun dry;
    return make_model(file.kind, file.settings);
  }();
  const auto& llama = dynamic_cast<const Llama&>(*built);
  data["settings"] = json_of(llama.config.state());
  const MultiHeadAttention& attention = llama.blocks[0].attention;
  data["frequencies"] = attention.options.rotary->of(attention.head_width);
}

}  // namespace

PageType page_type(std::string_view name) {
  for (const PageType type : {PageType::float32, PageType::float16, PageType::bfloat16})
    if (name == name_of(type)) return type;
  fail<ValueError>("--dtype: '", name, "' is none of float32, float16 and bfloat16");
}

std::string ModelPage::html(const OpenedModel& opened) const {
  opened.check();
  const ModelFile& file = opened.checkpoint.model;
  ordered_json data{{"title", printable(title)}, {"kind", file.kind}, {"dtype", name_of(type)}};
  describe_model(data, file);
  if (!file.tokenizer)
    fail<ValueError>("--format html: the model has no tokenizer, and a page reads and writes text");
  data["tokenizer"] = ordered_json::parse(page_tokenizer(*file.tokenizer));
  data["tokenizer_kind"] = bare(*file.tokenizer).kind();

  int64_t parameters = 0;
  ordered_json weights = ordered_json::array();
  for (const auto& [name, value] : file.weights.entries()) {
    const Array& array = std::get<Array>(value);
    parameters += array.size();
    weights.push_back(
        {{"name", name}, {"shape", std::vector<int64_t>(array.shape().begin(), array.shape().end())}});
  }
  if (parameters * bytes_of(type) > most_bytes)
    fail<ValueError>("--format html: ", grouped(parameters), " weights in ", name_of(type), " are ",
                     grouped(parameters * bytes_of(type)), " bytes, and a page holds ", grouped(most_bytes),
                     type == PageType::float32 ? "; --dtype bfloat16 takes half" : "");
  data["parameters"] = parameters;
  if (const auto& training = opened.checkpoint.training) {
    data["step"] = training->step;
    if (const Evaluation* const found = evaluation_of(*training)) {
      data["train_loss"] = found->train_loss;
      data["val_loss"] = found->val_loss;
    }
  }
  data["newlines"] = file.trained_on.newlines;
  data["default_prompt"] = default_prompt(*file.tokenizer);
  data["end_ids"] = file.end_ids;
  if (has_turns(*file.tokenizer)) {
    const auto marks = file.tokenizer->special_tokens();
    data["marks"] = {{"user", marks.at("<|user|>")},
                     {"assistant", marks.at("<|assistant|>")},
                     {"end", SpecialIds::of(*file.tokenizer).end},
                     {"unsaid", special_ids(*file.tokenizer)}};
  }
  data["weights"] = weights;

  const std::string engine =
      str(base64_js, numbers_js, doubles_js, random_js, layers_js, block_js, decoder_js, gpt2_js, llama_js,
          words_js, tokenizer_js, sampling_js, writer_js, chat_js, model_file_js);
  const std::string script = str(data_js, colour_js, text_js, overview_js, matrix_js, picture_js, view_js,
                                 settings_js, trace_js, written_js, model_main_js);
  std::string page = filled(model_page_html, {{"page.css", str(base_css, page_css)},
                                              {"model_page.css", model_page_css},
                                              {"attention.html", attention_html},
                                              {"data", script_json(data.dump(-1, ' ', true))},
                                              {"engine", engine},
                                              {"script", script}});
  // Weights are put in one by one: there may be half a gigabyte of them.
  constexpr std::string_view place = "@weights@";
  const size_t at = page.find(place);
  const std::string behind = page.substr(at + place.size());
  page.resize(at);
  page.reserve(page.size() + static_cast<size_t>(parameters * bytes_of(type)) / 3 * 4 + 128 * weights.size() +
               behind.size());
  for (const auto& [name, value] : file.weights.entries()) {
    const Array values = std::get<Array>(value).to(float32);
    page += "<script type=\"text/plain\" class=\"weights\">";
    page += kept(name, values.values<float>(), type);
    page += "</script>\n";
  }
  return page += behind;
}

}  // namespace weft::tools
