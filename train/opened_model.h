// RUN|FILE.h5 on a command line: which file is meant.
#pragma once

#include <weft/train/run_checkpoint.h>
#include <weft/train/run_folder.h>

#include <optional>
#include <string>

namespace weft {

struct OpenedModel {
  std::string path;
  RunCheckpoint checkpoint;
  std::optional<RunFolder> run = {};  ///< the run it belongs to, if that can be told
};

/// Of a run: best.h5, or with `last` the newest good checkpoint; of a folder with a model.h5, that; else the file.
/// FileError when there is none; `last` with a file is a ValueError.
OpenedModel open_model(const std::string& run_or_file, bool last, const Say& say);

/// The newest good checkpoint of a run; for each damaged one `say` is told why it is skipped. None when there is not a
/// single good one.
std::optional<OpenedModel> newest_checkpoint(const RunFolder& run, const Say& say);

/// The text with which a model of this tokenizer begins to write unless told: a newline, a space, or the first id.
std::string default_prompt(const Tokenizer& tokenizer);

}  // namespace weft
