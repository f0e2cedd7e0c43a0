#include <weft/data/text/text.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>
#include <weft/lib/base/values.h>

#include <filesystem>

#include "init_from.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

std::string absolute(const std::string& path) { return fs::absolute(path).lexically_normal().string(); }

/// Defaults, then what the weights' source says of their shape, then --config, then --set.
std::optional<ModelFile> read_config(Session& session, const TrainArguments& arguments) {
  Config probe;
  if (!arguments.config.empty()) apply_file(probe, arguments.config);
  const std::string from = arguments.init_from.empty() ? probe.init_from : arguments.init_from;

  Config& config = session.config;
  std::optional<ModelFile> source;
  if (!from.empty()) {
    source = open_model(from, false, [&](std::string_view line) { session.notes.emplace_back(line); });
    take_shape(config, source->checkpoint.config);
  }
  if (!arguments.config.empty()) apply_file(config, arguments.config);
  if (!arguments.model.empty()) apply_setting(config, "model=" + arguments.model);
  if (!arguments.task.empty()) apply_setting(config, "task=" + arguments.task);
  for (const std::string& setting : arguments.set) apply_setting(config, setting);
  check(config);
  resolve(config);
  config.init_from = source ? absolute(source->path) : "";
  if (config.min_lr > config.learning_rate)
    session.notes.push_back(str("warning: min_lr ", config.min_lr, " is above learning_rate ",
                                config.learning_rate, ": the rate will rise, not fall"));

  if (!arguments.data.empty()) config.data = arguments.data;
  if (config.data.empty() && config.task == text_task_name)
    fail<ValueError>(
        "no text to train on: give --data FILE, or a --config that names it, or a --task that "
        "makes its own samples; weft train --help lists them");
  for (std::string& path : config.data) path = absolute(path);
  return source;
}

}  // namespace

std::shared_ptr<Session> new_session(const TrainArguments& arguments) {
  if (arguments.overwrite && arguments.out.empty())
    fail<ValueError>("--overwrite: needs --out RUN, the run to replace");
  auto session = std::make_shared<Session>();
  const auto source = read_config(*session, arguments);
  const Config& config = session->config;
  const std::string toml = to_toml(config);
  if (!config.data.empty()) const TextReader readable(config.data, {.utf8 = config.tokenizer == "char"});

  session->claim.emplace(arguments.out.empty()
                             ? RunClaim::create_free(config.data.empty()
                                                         ? config.model + "-" + config.task
                                                         : fs::path(config.data[0]).stem().string())
                             : RunClaim::create(arguments.out, arguments.overwrite));
  RunClaim& claim = *session->claim;
  try {
    // As soon as it is there, a run that is killed while it is made can be resumed.
    if (!claim.overwrites()) write_file(claim.folder().config(), toml);
    prepare_task(*session, tokenizer_of(source, config));
    build_model(*session);
    if (source) take_weights(*session, *source);
  } catch (const Stopped&) {
    claim.keep();
    throw;
  }
  if (claim.overwrites()) {
    claim.clear();
    write_file(claim.folder().config(), toml);
  }
  fs::create_directory(claim.folder().checkpoints());
  session->metrics.emplace(claim.folder().metrics(), 0, History());
  claim.keep();
  return session;
}

}  // namespace weft
