#include "model_use.h"

#include <weft/layers/models/registry.h>
#include <weft/lib/base/values.h>
#include <weft/lib/machine/dry_run.h>
#include <weft/train/show/console.h>

#include <memory>

namespace weft::tools {

Advice use_of(const OpenedModel& opened, const std::string& typed) {
  const ModelFile& file = opened.checkpoint.model;
  const auto by = [&](const char* command, const char* what) {
    return Advice{.lines = {str(program_name(), " ", command, " ", quoted(typed), what)}};
  };
  if (models().at(file.kind).takes(TaskKind::transcripts) && file.tokenizer)
    return by("transcribe", " SOUND");
  if (!file.class_names.empty()) return by("classify", file.tokenizer ? " TEXT" : " FILE");
  const NoInit no_init;
  const DryRun dry;  // a command may have taken the weights (built_model.h)
  const std::unique_ptr<Model> model = make_model(file.kind, file.settings);
  const GenerativeModel* const writer = as_writer(*model);
  if (writer == nullptr) return by("eval", "");
  if (file.trained_on.task == "chat") return by("chat", "");
  if (!file.tokenizer) return by("generate", " --ids 1");
  return by("generate", writer->has_encoder() ? " --interactive" : "");
}

}  // namespace weft::tools
