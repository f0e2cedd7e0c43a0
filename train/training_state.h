// What a checkpoint of a run holds, and its way into the file and out:
//
//   kind, numerics, step         what it is, the version of our numerics, updates made
//   config/                      the keys that fix what is computed (config.h)
//   model_kind  model_config/    what make_model (layers/models/registry.h) builds again
//   model/                       weights by path
//   optimizer/                   step, and the optimizer's arrays by path
//   ema/                         the averages of the weights, if they are kept
//   loader/                      samples consumed
//   tokenizer/  content_hash     the vocabulary, if there is one; a digest of the data
//   history/                     step, train_loss and val_loss of every evaluation
//
// No path, thread count, instruction set, clock or trace of a stop: equal states are equal files.
#pragma once

#include <weft/data/loader.h>
#include <weft/data/text/tokenizer.h>
#include <weft/layers/models/registry.h>
#include <weft/optim/optimizer.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config.h"

namespace weft {

/// Changes when the same program text would compute other bits.
inline constexpr int64_t numerics_version = 2;

struct Evaluation {
  int64_t step = 0;
  double train_loss = 0;
  double val_loss = 0;
};

/// All evaluations of a run, in order.
struct History {
  std::vector<Evaluation> evaluations;

  /// The first with the smallest validation loss; nullptr when there is none.
  const Evaluation* best() const;
  /// Whether the one at that step has been made.
  bool evaluated(int64_t step) const { return !evaluations.empty() && evaluations.back().step == step; }
  /// Evaluations made since the best.
  int64_t since_best() const;
};

struct Checkpoint {
  int64_t step = 0;
  int64_t numerics = numerics_version;
  Config config;
  std::string model_kind;
  StateDict model_config;
  std::shared_ptr<const Tokenizer> tokenizer;  ///< none of a model of pictures or of bare ids
  std::string content_hash;                    ///< names the data
  History history;
  StateDict model, optimizer;
  StateDict ema;  ///< empty where no averages are kept
  StateDict loader;

  /// The ids that end what the model writes: config.end_id, else the one of a tokenizer of words; or none.
  std::vector<int64_t> end_ids() const;

  StateDict state() const;
  /// FileError when the file is damaged, foreign or not of a run.
  static Checkpoint read(const std::string& path);

  /// The weights that the model is used with: the averages where they are kept, else those of the last
  /// update.
  StateDict weights() const;
  /// The model with these weights, in evaluation.
  std::unique_ptr<Model> build_model() const;
};

}  // namespace weft
