// RUN|FILE.h5 on a command line: which checkpoint is meant.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "run_folder.h"
#include "training_state.h"

namespace weft {

struct ModelFile {
  std::string path;
  Checkpoint checkpoint;
  std::optional<RunFolder> run;  ///< the run it belongs to, if that can be told
};
using Say = std::function<void(std::string_view line)>;

/// Of a run: best.h5, or with `last` the newest good checkpoint. FileError when there is none; `last` with a
/// file is a ValueError.
ModelFile open_model(const std::string& run_or_file, bool last, const Say& say);

/// The newest good checkpoint of a run; for each damaged one `say` is told why it is skipped. None when there
/// is not a single good one.
std::optional<ModelFile> newest_checkpoint(const RunFolder& run, const Say& say);

/// What generation begins with unless told: a newline, or a space, or the first character there is.
std::string default_prompt(const Tokenizer& tokenizer);

}  // namespace weft
