#include <weft/lib/base/error.h>
#include <weft/lib/base/values.h>
#include <weft/train/files/adapters.h>
#include <weft/train/files/run_paths.h>
#include <weft/train/session.h>
#include <weft/train/source.h>
#include <weft/train/transfer.h>

#include <filesystem>
#include <utility>

namespace weft {

namespace fs = std::filesystem;

Source::Source(OpenedModel from, std::string what) : opened(std::move(from)), carries(std::move(what)) {
  std::optional<TrainingState>& training = opened.checkpoint.training;
  if (training && carries == "weights") training->optimizer = training->weights = {};  // memory for nothing
}

void check_adapters(const RunConfig& config, const std::optional<Source>& source, const Say& say) {
  const RunConfig usual;
  const bool of_use = config.lora_rank > 0;
  if (!of_use && (config.lora_alpha != usual.lora_alpha || config.lora_dropout != usual.lora_dropout ||
                  config.lora_layers != usual.lora_layers || config.lora_full != usual.lora_full))
    say("warning: lora_rank is 0, so that all weights are trained, and other keys of lora say nothing");
  if (of_use && !source)
    fail<ValueError>(
        "lora_rank = ", config.lora_rank,
        ": adapters are trained beside what a model has learned: --init-from RUN|FILE.h5 names it");
  if (!source) return;
  const std::string from = weft::quoted(source->opened.path);
  if (of_use && source->carries == "optimizer")
    fail<ValueError>(
        "--with-optimizer: the optimizer's state is of the weights, which adapters leave as they are; ",
        "leave it out");
  const ModelFile& model = source->opened.checkpoint.model;
  const auto refuse = [&](const std::string& why) {
    fail<ValueError>("--continue: ", why, "; --init-from ", from, " begins with its weights");
  };
  if (of_use && source->carries == "all" && !model.lora)
    refuse("the run that is to go on has no adapters (lora_rank)");
  if (!model.lora) return;
  if (!of_use) refuse("the run that is to go on trains adapters alone (lora_rank)");
  for (const auto& [layer, alpha] : model.lora->alphas)
    if (const int64_t rank = model.weights.array(layer + ".lora_A").dim(0); rank != config.lora_rank)
      refuse(str("lora_rank is ", config.lora_rank,
                 ", but the adapters of the run that is to go on are of rank ", rank));
}

Source open_source(const std::string& from, const std::string& carries, const Say& say) {
  std::error_code error;
  if (carries != "all") return {open_model(from, false, say), carries};
  return {open_file(from, fs::is_directory(from, error), say), carries};
}

std::optional<OpenedModel> take_base(RunConfig& config, std::optional<Source>& source, const Say& say) {
  if (config.lora_rank == 0) return {};
  ModelFile& model = source->opened.checkpoint.model;
  if (!model.lora) return source->opened;
  OpenedModel base = open_base(source->opened, config.lora_base, say);
  config.lora_base = absolute_path(base.path);
  model.weights = joined_weights(model, base.checkpoint.model);
  return base;
}

void take_over(Session& s, const Source& source) {
  const Say say = [&](std::string_view line) { s.notes.emplace_back(line); };
  const Transfer transfer(source.opened, *s.model, s.task);
  transfer.take_weights(*s.model, say);
  if (source.carries == "weights") return;
  transfer.take_optimizer(*s.optimizer, say);
  const TrainingState& t = *source.opened.checkpoint.training;
  if (source.carries != "all") return;
  transfer.take_last_weights(*s.model);
  if (s.ema && t.ema_updates > 0 && !transfer.take_averages(*s.ema, s.optimizer->parameters()))
    say("  averages begin anew: the parameters are others");
  if (t.content_hash == s.task.content_hash) {
    s.loader->load_state_dict(t.loader);
    say(str("  data go on behind ", grouped(s.loader->consumed()), " samples"));
  } else {
    say("  data begin anew: they are others");
  }
}

std::string parent_of(const Source& source) {
  std::string path = absolute_path(source.opened.run ? source.opened.run->path : source.opened.path);
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  const std::string name = fs::path(path).filename().string();
  return source.opened.checkpoint.training ? str(name, ", step ", source.opened.checkpoint.training->step)
                                           : name;
}

}  // namespace weft
