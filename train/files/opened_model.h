// RUN|FILE.h5 on a command line: which file is meant.
#pragma once

#include <weft/train/files/resume_choice.h>
#include <weft/train/files/run_checkpoint.h>
#include <weft/train/files/run_folder.h>

#include <optional>
#include <string>

namespace weft {

/// What a file of adapters held, of a model that is whole now.
struct OpenedAdapters {
  LoraPart lora;
  StateDict weights;  ///< the adapters, and what else is not the base's
  std::string base;   ///< its file
};

struct OpenedModel {
  std::string path;
  RunCheckpoint checkpoint = {};
  std::optional<RunFolder> run = {};            ///< the run it belongs to, if that can be told
  std::optional<OpenedAdapters> adapters = {};  ///< of a model that was put together (adapters.h)

  /// ModelFile's, whose errors become FileErrors that begin with the path.
  void check() const;
  std::unique_ptr<Model> build() const;
};

/// Of a run: best.h5, or with `last` the newest good checkpoint; of a folder with a model.h5, that; else the file.
/// FileError when there is none; `last` with a file is a ValueError. Adapters become a whole model with their base, which
/// `base` names where they do not (adapters.h); ValueError for a base of a model that is whole by itself.
OpenedModel open_model(const std::string& run_or_file, bool last, const Say& say,
                       const std::string& base = {});
/// What that is called unless told: the name of the folder, or of the file without its ending.
std::string name_of_model(const std::string& run_or_file);
/// The same file as it is: adapters stay alone.
OpenedModel open_file(const std::string& run_or_file, bool last, const Say& say);

/// What a run's folder has saved, as far as it can be read.
struct SavedState {
  std::optional<OpenedModel> newest;
  std::optional<OpenedModel>
      best;  ///< without its weights and the optimizer's state, so that one of both is in memory
  FoundCheckpoints found;  ///< for choose_resume_point
  std::string reasons;     ///< why the others cannot be read, a line each
};
/// Reads the newest good checkpoint and best.h5; `say` is told what is skipped. `checkpoint_interval` tells whether the
/// log speaks of a checkpoint that must have been there. Half-written files of a process that was killed are removed.
SavedState read_saved(const RunFolder& run, int64_t checkpoint_interval, const Say& say);

/// All of best.h5 again, to go on from it. FileError when it cannot be read.
OpenedModel whole_best(const RunFolder& run);

/// best.h5 is written before the checkpoint that knows of it, so it is missing, damaged or another file only when
/// something else touched it: what is there goes into RUN/before-N, and it is made again from the checkpoint of its step,
/// if that is there.
void restore_best(const HeldFolder& held, const RunFolder& run, const History& history,
                  std::optional<int64_t> best_step, const Say& say);
/// Checkpoints behind `step`, which could not be read, go into RUN/before-N: they are not written over.
void set_aside_after(const HeldFolder& held, const RunFolder& run, int64_t step, const Say& say);
/// All that was saved goes there, so that the run may begin again.
void set_aside(const HeldFolder& held, const RunFolder& run, const Say& say);

/// The newest good checkpoint of a run; for each damaged one `say` is told why it is skipped. None when there is not a
/// single good one.
std::optional<OpenedModel> newest_checkpoint(const RunFolder& run, const Say& say);

/// The text with which a model of this tokenizer begins to write unless told: a newline, a space, or the first id.
std::string default_prompt(const Tokenizer& tokenizer);

}  // namespace weft
