#include <weft/exchange/hugging_face.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/values.h>
#include <weft/lib/files/checkpoint.h>
#include <weft/train/console.h>
#include <weft/train/run_folder.h>
#include <weft/train/training_state.h>

#include <memory>

#include "commands.h"

namespace weft::tools {
namespace {

/// A run that has made no update and has no tokenizer.
Checkpoint checkpoint_of(const BareModel& model) {
  Checkpoint checkpoint;
  checkpoint.model_kind = checkpoint.config.model = model.kind;
  checkpoint.model_config = model.config;
  checkpoint.model = model.weights;
  if (model.end_id >= 0) checkpoint.config.end_id = model.end_id;
  for (const Key& key : config_keys()) {
    const auto entry = model.config.entries().find(key.name);
    if (entry == model.config.entries().end()) continue;
    const auto* const whole = std::get_if<int64_t>(&entry->second);
    const bool is_bool = std::holds_alternative<BoolKey>(key.kind);
    apply_setting(checkpoint.config, is_bool ? str(key.name, "=", whole && *whole != 0)
                                     : whole ? str(key.name, "=", *whole)
                                             : str(key.name, "=", model.config.number(key.name)));
  }
  resolve(checkpoint.config);
  return checkpoint;
}

}  // namespace

Work prepare_import(const ImportArguments& arguments) {
  const BareModel model = from_hugging_face(read_hugging_face(arguments.folder), arguments.folder);
  const auto claim = std::make_shared<RunClaim>(RunClaim::create(arguments.out, false));
  const auto checkpoint = std::make_shared<Checkpoint>(checkpoint_of(model));
  int64_t parameters = 0;
  for (const auto& [name, value] : model.weights.entries()) parameters += std::get<Array>(value).size();
  const std::string summary = str(claim->folder().best(), ": a ", model.kind, " of ", grouped(parameters),
                                  " parameters from ", arguments.folder);
  return [claim, checkpoint, summary, notes = model.notes] {
    write_checkpoint(claim->folder().best(), checkpoint->state());
    claim->keep();
    Console console;
    console.print(summary);
    for (const std::string& note : notes) console.print("  " + note);
    return 0;
  };
}

}  // namespace weft::tools
