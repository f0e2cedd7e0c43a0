#include <weft/exchange/hugging_face.h>
#include <weft/lib/base/error.h>
#include <weft/lib/files/safetensors.h>
#include <weft/train/console.h>
#include <weft/train/model_file.h>

#include <filesystem>
#include <memory>

#include "commands.h"

namespace weft::tools {
namespace {

namespace fs = std::filesystem;

/// Weights under our own names; the model's kind and configuration travel as metadata.
std::map<std::string, std::string> metadata_of(const Checkpoint& checkpoint) {
  std::map<std::string, std::string> metadata = {{"format", "pt"}, {"model", checkpoint.model_kind}};
  for (const auto& [name, value] : checkpoint.model_config.entries()) {
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

}  // namespace

Work prepare_export(const ExportArguments& arguments) {
  const bool hugging_face = arguments.format == "hf";
  if (!hugging_face && arguments.format != "safetensors")
    fail<ValueError>("--format: '", arguments.format, "' is neither hf nor safetensors");
  std::error_code error;
  for (const char* file : {"config.json", "model.safetensors", "model.safetensors.index.json"})
    if (const fs::path path = fs::path(arguments.out) / file; fs::exists(path, error))
      fail<FileError>(path.string(), ": is there already; choose another folder");
  const auto console = std::make_shared<Console>();
  const auto file = std::make_shared<ModelFile>(
      open_model(arguments.model, arguments.last, [&](std::string_view line) { console->print(line); }));
  const Checkpoint& checkpoint = file->checkpoint;
  const auto theirs = std::make_shared<HuggingFaceModel>();
  if (hugging_face) {
    *theirs = to_hugging_face({.kind = checkpoint.model_kind,
                               .config = checkpoint.model_config,
                               .weights = checkpoint.weights(),
                               .end_id = checkpoint.config.end_id});
  }
  return [=, out = arguments.out] {
    if (hugging_face) {
      write_hugging_face(out, *theirs);
    } else {
      make_folders(out);
      write_safetensors(out + "/model.safetensors", arrays_of(file->checkpoint.weights()),
                        metadata_of(file->checkpoint));
    }
    console->print(str(out, ": ", file->path, " as ", hugging_face ? "transformers has it" : "safetensors",
                       file->checkpoint.tokenizer ? "; the tokenizer is not exported" : ""));
    return 0;
  };
}

}  // namespace weft::tools
