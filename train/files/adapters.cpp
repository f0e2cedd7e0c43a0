#include <weft/layers/models/registry.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>
#include <weft/lib/base/values.h>
#include <weft/lib/machine/dry_run.h>
#include <weft/train/files/adapters.h>
#include <weft/train/show/console.h>

#include <filesystem>

namespace weft {
namespace {

/// More models on top of each other are a circle.
constexpr int most_deep = 32;
thread_local int depth = 0;

/// "give --base FILE, ...".
std::string advice(const OpenedModel& adapted) {
  return str("--base FILE names it, or ", program_name(), " merge ", weft::quoted(adapted.path),
             " --base FILE --out FILE.h5 makes one file of both");
}

/// Where the base is said to be; empty when nobody says.
std::string named_base(const OpenedModel& adapted) {
  const std::string beside = (std::filesystem::path(adapted.path).parent_path() / "base.toml").string();
  const std::string from = adapted.run ? adapted.run->config() : beside;
  if (!is_there(from)) return "";
  const ConfigFile file = read_config(from);
  return file.lora_base.empty() ? file.init_from : file.lora_base;
}

}  // namespace

OpenedModel open_base(const OpenedModel& adapted, const std::string& named, const Say& say) {
  const LoraPart& lora = *adapted.checkpoint.model.lora;
  const std::string path = named.empty() ? named_base(adapted) : named;
  if (path.empty())
    fail<FileError>(adapted.path,
                    ": holds adapters alone (lora_rank), and nothing says of which model: ", advice(adapted));
  if (!is_there(path))
    fail<FileError>(adapted.path,
                    ": holds adapters alone, and the model that they are of is not where it was, ", path,
                    "; put it back, or: ", advice(adapted));
  struct Deeper {
    Deeper() { ++depth; }
    ~Deeper() { --depth; }
  } const deeper;
  if (depth > most_deep)
    fail<FileError>(adapted.path, ": holds adapters of adapters of adapters, without an end");
  OpenedModel base = open_model(path, false, say);
  if (const std::string found = weights_digest(base.checkpoint.model.weights); found != lora.base)
    fail<FileError>(
        adapted.path, ": its adapters are of a model with the digest ", lora.base, ", but ", base.path,
        " has ", found,
        ": it is another, or was trained on since. Put back the one that it was, or: ", advice(adapted));
  return base;
}

StateDict joined_weights(const ModelFile& adapted, const ModelFile& base) {
  StateDict all = adapted.weights;
  const NoInit no_init;
  const DryRun dry;
  const StateDict wanted = make_model(adapted.kind, adapted.settings)->shared_state_dict();
  for (const std::string& name : wanted.keys()) {
    if (all.contains(name)) continue;
    if (!base.weights.contains(name))
      fail<StateError>("neither the adapters nor the model that they are of have '", name, "'");
    all.set(name, base.weights.array(name));
  }
  return all;
}

void complete(OpenedModel& adapted, const std::string& base, const Say& say) {
  ModelFile& model = adapted.checkpoint.model;
  adapted.check();
  const OpenedModel below = open_base(adapted, base, say);
  try {
    StateDict whole = without_lora(joined_weights(model, below.checkpoint.model), model.lora->alphas);
    adapted.adapters = {*model.lora, model.weights, below.path};
    model.weights = std::move(whole);
    model.lora.reset();
  } catch (const StateError& error) {
    fail<FileError>(adapted.path, ": ", error.what());
  }
}

}  // namespace weft
