#include <weft/lib/base/error.h>
#include <weft/train/opened_model.h>

#include <filesystem>

namespace weft {

namespace fs = std::filesystem;

std::optional<OpenedModel> newest_checkpoint(const RunFolder& run, const Say& say) {
  const std::vector<int64_t> steps = run.steps();
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    const std::string path = run.checkpoint(*step);
    try {
      OpenedModel opened{path, RunCheckpoint::read(path, say), run};
      if (!opened.checkpoint.training) fail<FileError>(path, ": holds a model alone, and nothing to go on with");
      if (const int64_t found = opened.checkpoint.training->step; found != *step)
        fail<FileError>(path, ": holds step ", found, ", not the step that its name says");
      return opened;
    } catch (const FileError& error) {
      say(str("skipped: ", error.what()));
    }
  }
  return std::nullopt;
}

OpenedModel open_model(const std::string& run_or_file, bool last, const Say& say) {
  std::error_code error;
  if (!fs::is_directory(run_or_file, error)) {
    if (last) fail<ValueError>("--last: is for a run's folder; ", run_or_file, " is not one");
    return {run_or_file, RunCheckpoint::read(run_or_file, say), run_of(run_or_file)};
  }
  const RunFolder run{run_or_file};
  if (const std::string alone = run_or_file + "/model.h5"; !run.holds_run() && fs::exists(alone, error)) {
    if (last) fail<ValueError>("--last: is for a run's folder; ", run_or_file, " holds a model alone");
    return {alone, RunCheckpoint::read(alone, say)};
  }
  if (!run.holds_run())
    fail<FileError>(run_or_file, ": holds no run: it has no config.toml and no checkpoint");
  if (!last && fs::exists(run.best(), error)) {
    try {
      return {run.best(), RunCheckpoint::read(run.best(), say), run};
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
