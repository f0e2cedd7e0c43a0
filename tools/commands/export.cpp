#include <weft/data/tokenizers/marked_tokenizer.h>
#include <weft/exchange/gguf.h>
#include <weft/exchange/hugging_face.h>
#include <weft/exchange/peft.h>
#include <weft/exchange/tokenizers.h>
#include <weft/lib/base/advice.h>
#include <weft/lib/files/safetensors.h>
#include <weft/train/files/opened_model.h>
#include <weft/train/show/console.h>

#include <cstring>
#include <filesystem>
#include <memory>

#include "../model_page/model_page.h"
#include "commands.h"

namespace weft::tools {
namespace {

namespace fs = std::filesystem;

/// Weights under our own names; the model's kind and configuration travel as metadata.
std::map<std::string, std::string> metadata_of(const ModelFile& model) {
  std::map<std::string, std::string> metadata = {{"format", "pt"}, {"model", model.kind}};
  for (const auto& [name, value] : model.settings.entries()) {
    if (name == "must_know") continue;
    if (const auto* whole = std::get_if<int64_t>(&value)) metadata[name] = str(*whole);
    if (const auto* number = std::get_if<double>(&value)) metadata[name] = str(*number);
    if (const auto* text = std::get_if<std::string>(&value)) metadata[name] = *text;
  }
  return metadata;
}

std::map<std::string, Array> arrays_of(const StateDict& weights) {
  std::map<std::string, Array> arrays;
  for (const auto& [name, value] : weights.entries()) arrays.emplace(name, std::get<Array>(value));
  return arrays;
}

void refuse_existing(const std::string& path) {
  if (is_there(path)) fail<FileError>(path, ": is there already; choose another");
}

/// What of the adapters' file peft has to hold: not a table that was but cut to a shorter context.
BareAdapters adapters_of(const OpenedModel& opened, const Say& say) {
  const StateDict base = open_model(opened.adapters->base, false, say).checkpoint.model.weights;
  BareAdapters all{.alphas = opened.adapters->lora.alphas};
  const StateDict& own = opened.adapters->weights;
  for (const std::string& name : own.keys()) {
    const Array& array = own.array(name);
    if (adapted_layer(name).empty() && base.contains(name)) {
      const Array& before = base.array(name);
      const bool cut = before.dtype() == array.dtype() && before.rank() > 0 && before.dim(0) > array.dim(0) &&
                       before.shape().with(0, array.dim(0)) == array.shape();
      if (cut && std::memcmp(before.bytes(), array.bytes(), array.nbytes()) == 0) continue;
      if (before.identical(array)) continue;
    }
    all.weights.set(name, array);
  }
  if (const auto& training = opened.checkpoint.training;
      training && training->config.contains("lora_dropout"))
    all.dropout = training->config.number("lora_dropout");
  return all;
}

Work prepare_peft_export(const std::shared_ptr<OpenedModel>& opened, const std::string& out,
                         const std::shared_ptr<Console>& console) {
  if (!opened->adapters)
    fail<ValueError>("--format peft: ", opened->path,
                     " holds no adapters (lora_rank), but a whole model; --format hf");
  const ModelFile& model = opened->checkpoint.model;
  const auto theirs = std::make_shared<PeftAdapters>(
      to_peft({.kind = model.kind, .config = model.settings, .weights = model.weights},
              adapters_of(*opened, [&](std::string_view line) { console->print(line); })));
  return [=] {
    write_peft(out, *theirs);
    console->print(
        str(out, ": the adapters of ", opened->path, " as peft has them, of ", opened->adapters->base));
    return 0;
  };
}

/// Whether there is a tokenizer of a kind that transformers has.
bool has_json(const std::shared_ptr<const Tokenizer>& tokenizer) {
  if (!tokenizer) return false;
  try {
    tokenizer_json(*tokenizer);
    return true;
  } catch (const ValueError&) {
    return false;
  }
}

/// What is nearest; of what is none of it, onnx say, what most others read.
std::string near_format(const std::string& typed) {
  const std::vector<std::string> formats = {"hf", "safetensors", "gguf", "html", "weft", "peft"};
  const std::string near = nearest(typed, formats.data(), formats.data() + formats.size());
  return near.empty() ? "safetensors" : near;
}

}  // namespace

Work prepare_export(const ExportArguments& arguments) {
  const std::string& format = arguments.format;
  if (format != "hf" && format != "safetensors" && format != "gguf" && format != "html" && format != "weft" &&
      format != "peft")
    fail_with<ValueError>({.typed = {format}, .meant = {near_format(format)}}, "--format: '", format,
                          "' is none of hf, safetensors, gguf, html, weft and peft");
  GgufOptions gguf;
  ModelPage page;
  if (format == "gguf" && !arguments.dtype.empty()) gguf.type = gguf_type(arguments.dtype);
  const bool whole_or_half = format == "weft" || format == "hf" || format == "safetensors";
  if (whole_or_half && !arguments.dtype.empty() && arguments.dtype != "float32" &&
      arguments.dtype != "bfloat16")
    fail<ValueError>("--dtype: '", arguments.dtype, "' is neither float32 nor bfloat16");
  const bool half = whole_or_half && arguments.dtype == "bfloat16";
  if (format == "html" && !arguments.dtype.empty()) page.type = page_type(arguments.dtype);
  if (!arguments.dtype.empty() && format == "peft")
    fail<ValueError>("--dtype: adapters are written as they are, in float32");
  if (format == "weft" || format == "gguf" || format == "html") {
    check_output(arguments.out);
    refuse_existing(arguments.out);
  } else {
    for (const char* file : {"config.json", "model.safetensors", "model.safetensors.index.json",
                             "adapter_config.json", "adapter_model.safetensors"})
      refuse_existing((fs::path(arguments.out) / file).string());
  }
  const auto console = std::make_shared<Console>();
  const auto opened = std::make_shared<OpenedModel>(open_model(
      arguments.model, arguments.last, [&](std::string_view line) { console->print(line); }, arguments.base));
  const ModelFile& model = opened->checkpoint.model;
  if (models().find(model.kind)) opened->check();
  if (format == "peft") return prepare_peft_export(opened, arguments.out, console);
  const bool tokenizes = format == "hf" && has_json(model.tokenizer);
  if (tokenizes)
    for (const std::string& file : tokenizer_files(*model.tokenizer))
      refuse_existing((fs::path(arguments.out) / file).string());
  const auto theirs = std::make_shared<HuggingFaceModel>();
  if (format == "hf" || format == "gguf")
    *theirs = to_hugging_face({.kind = model.kind,
                               .config = model.settings,
                               .weights = model.weights,
                               .end_id = model.end_ids.empty() ? -1 : model.end_ids[0],
                               .pad_id = model.tokenizer ? SpecialIds::of(*model.tokenizer).pad : -1,
                               .class_names = model.class_names},
                              half ? bfloat16 : float32);
  const auto whole = std::make_shared<std::string>();
  const std::string name = name_of_model(opened->run ? opened->run->path : arguments.model);
  if (format == "html") {
    page.title = name;
    *whole = page.html(*opened);
  }
  if (format == "gguf") {
    gguf.name = name;
    gguf.end_id = model.end_ids.empty() ? -1 : model.end_ids[0];
    if (has_json(model.tokenizer)) gguf.tokenizer = tokenizer_json(*model.tokenizer);
    *whole = gguf_bytes(*theirs, gguf);
  }
  return [=, out = arguments.out] {
    const ModelFile& ours = opened->checkpoint.model;
    std::string as;
    if (format == "hf") {
      write_hugging_face(out, *theirs);
      if (tokenizes) write_tokenizer(out, *ours.tokenizer, ours.end_ids.empty() ? -1 : ours.end_ids[0]);
      as = half ? "as transformers has it, in bfloat16" : "as transformers has it";
    } else if (format == "gguf") {
      write_file(out, *whole);
      as = gguf.tokenizer.empty() ? "as GGUF" : "as GGUF, with its tokenizer";
    } else if (format == "html") {
      write_file(out, *whole);
      as = "as a page, with its tokenizer";
    } else if (format == "safetensors") {
      make_folders(out);
      std::map<std::string, Array> weights = arrays_of(ours.weights);
      for (auto& [key, array] : weights)
        if (half && array.dtype() == float32) array = array.to(bfloat16);
      write_safetensors(out + "/model.safetensors", weights, metadata_of(ours));
      as = half ? "as safetensors, in bfloat16" : "as safetensors";
    } else {
      ours.write(out, {.bfloat16 = half});
      as = half ? "as a model alone, in bfloat16" : "as a model alone";
    }
    console->print(str(out, ": ", opened->path, " ", as,
                       tokenizes ? ", with its tokenizer"
                       : ours.tokenizer && format != "weft" && format != "html" && gguf.tokenizer.empty()
                           ? "; the tokenizer is not exported"
                           : ""));
    return 0;
  };
}

}  // namespace weft::tools
