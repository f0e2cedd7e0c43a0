// What a checkpoint of a run holds: the model part of model_file.h, complete alone, and beside it
//
//   training/numerics, step      the version of our numerics, updates made
//   training/tokens              targets learned from so far, where that is known
//   training/config/             the keys that fix what is computed (run_config.h), or what a program of its own keeps
//   training/weights/            those of the last update, where the model part holds averages
//   training/ema                 how many updates the averages are of, likewise
//   training/optimizer/          step, and the optimizer's arrays by path
//   training/loader/             samples consumed
//   training/content_hash        a digest of the data
//   training/history/            step, train_loss and val_loss of every evaluation
//   training/parent              of a run that goes on from another: which file, and its step
//
// No path of a run's own, thread count, instruction set, clock or trace of a stop: equal states are equal files.
#pragma once

#include <weft/train/files/history.h>
#include <weft/train/files/model_file.h>

#include <cstdint>
#include <optional>
#include <string>

namespace weft {

/// Changes when the same program text would compute other bits.
inline constexpr int64_t numerics_version = 2;

struct TrainingState {
  int64_t numerics = numerics_version;
  int64_t step = 0;
  std::optional<int64_t> tokens = {};  ///< targets learned from; none where nobody counted
  StateDict config = {};
  StateDict weights = {};    ///< those of the last update, where they are not the model part's; else empty
  int64_t ema_updates = -1;  ///< -1: no averages are kept
  StateDict optimizer = {}, loader = {};
  std::string content_hash = {};  ///< names the data
  History history = {};
  std::string parent = {};  ///< "runs/a/best.h5, step 2000"; empty: the run began by itself
};

struct RunCheckpoint {
  ModelFile model;
  std::optional<TrainingState> training = {};  ///< none in a file that holds the model alone

  StateDict state() const;
  /// Out of the tree of any file. StateError with what is wrong.
  static RunCheckpoint from_state(const StateDict& state, const Say& say);
  /// FileError, beginning with the path, when the file is damaged, foreign or holds no model.
  static RunCheckpoint read(const std::string& path, const Say& say);

  /// The weights of the last update.
  const StateDict& trained_weights() const;
  /// The averages of these parameters, as EMA::load_state_dict takes them.
  StateDict ema_state(const std::vector<NamedTensor>& parameters) const;
};

}  // namespace weft
