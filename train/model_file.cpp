#include "model_file.h"

#include <weft/lib/base/error.h>

#include <filesystem>

namespace weft {

namespace fs = std::filesystem;

std::optional<ModelFile> newest_checkpoint(const RunFolder& run, const Say& say) {
  const std::vector<int64_t> steps = run.steps();
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    const std::string path = run.checkpoint(*step);
    try {
      return ModelFile{path, Checkpoint::read(path), run};
    } catch (const FileError& error) {
      say(str("skipped: ", error.what()));
    }
  }
  return std::nullopt;
}

ModelFile open_model(const std::string& run_or_file, bool last, const Say& say) {
  std::error_code error;
  if (!fs::is_directory(run_or_file, error)) {
    if (last) fail<ValueError>("--last: is for a run's folder; ", run_or_file, " is not one");
    return {run_or_file, Checkpoint::read(run_or_file), run_of(run_or_file)};
  }
  const RunFolder run{run_or_file};
  if (!run.holds_run())
    fail<FileError>(run_or_file, ": holds no run: it has no config.toml and no checkpoint");
  if (!last && fs::exists(run.best(), error)) {
    try {
      return {run.best(), Checkpoint::read(run.best()), run};
    } catch (const FileError& damage) {
      fail<FileError>(damage.what(), "; --last takes the newest checkpoint instead");
    }
  }
  if (auto newest = newest_checkpoint(run, say)) {
    if (!last) say(str(run.best(), " is not there; ", newest->path, " is used"));
    return std::move(*newest);
  }
  fail<FileError>(run_or_file, ": holds no checkpoint that can be used; weft train --resume ", run_or_file,
                  " goes on with it");
}

std::string default_prompt(const Tokenizer& tokenizer) {
  for (const char* prompt : {"\n", " "}) {
    std::vector<int64_t> ids;
    if (tokenizer.append_ids(prompt, ids) == 1) return prompt;
  }
  return tokenizer.decode(0);
}

}  // namespace weft
