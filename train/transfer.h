// Fine-tuning and going on: a new run that begins from what another one has learned.
//
//   const Transfer transfer(source, model->kind(), model->config_state(), task);
//   transfer.take_weights(*model, say);
//
// What fits by name and shape is taken. Where the vocabulary is another, what belongs to it (vocabulary_axes.h) follows
// the tokens: the entry of a token that both have is the same, bit for bit, and a new token begins as the mean of those. Where the
// context is another, places that both have are taken.
#pragma once

#include <weft/data/tasks/task_data.h>
#include <weft/layers/models/model.h>
#include <weft/optim/ema.h>
#include <weft/optim/optimizer.h>
#include <weft/train/files/opened_model.h>
#include <weft/train/vocabulary_change.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace weft {

/// What a new model must share with the one whose weights it takes, unless told otherwise: the kind, its settings, the
/// tokenizer, and how the text is read.
std::vector<Assignment> shape_of(const OpenedModel& source);

/// The source's tokenizer when it has an id for all that the run reads: each character of the text, each word of a task
/// that makes its own samples; else none. Of records, which are refused by line where it has not, unless the run names
/// another kind of tokenizer.
std::shared_ptr<const Tokenizer> tokenizer_for(const OpenedModel& source, const RunConfig& config);

class Transfer {
 public:
  /// From a source, which must outlive it, to `model`, which learns `task`.
  Transfer(const OpenedModel& source, const Model& model, const TaskData& task);

  /// The parameters and buffers of the model that will not be the source's, by their shapes and the ids alone.
  struct Differences {
    std::vector<std::string> fresh;    ///< begin, in part or whole, with values of their own
    std::vector<std::string> changed;  ///< a selection of the source's
  };
  Differences differences(const Model& model) const;
  /// Gives the model the weights that fit; says what was taken, what followed its tokens, what is new and what was left.
  /// ValueError when nothing fits.
  void take_weights(Model& model, const Say& say) const;
  /// Those of the source's last update, where its model part holds averages.
  void take_last_weights(Model& model) const;
  /// Gives the optimizer the state of the parameters that fit, and says what moved, is new, was dropped; of a new token
  /// the state is zeros. ValueError for a source without a training part, or of another optimizer.
  void take_optimizer(Optimizer& optimizer, const Say& say) const;
  /// Gives `averages`, of `parameters`, the source's, a new token the mean; false where they do not fit.
  bool take_averages(EMA& averages, const std::vector<NamedTensor>& parameters) const;

 private:
  /// What the ids of both vocabularies have to do with each other.
  enum class Ids {
    same,     ///< everything
    move,     ///< what change_ says
    unknown,  ///< the source comes without a tokenizer
    none,     ///< nothing
  };
  StateDict fitting(const StateDict& weights) const;
  std::optional<Array> moved(const std::string& name, const Array& array, int rank,
                             VocabularyChange::Fresh fresh) const;
  void find_places(const Model& model);
  /// Tables of places as long as the model's: what is taken, and behind it the model's own first values.
  StateDict lengthened(StateDict weights, const Model& model) const;
  void say_vocabulary(const StateDict& taken, const Say& say) const;

  const OpenedModel& source_;
  std::map<std::string, int> axes_;    ///< of what both models have of a vocabulary
  std::map<std::string, int> places_;  ///< of what both models have of a context, where that is another
  std::shared_ptr<const Tokenizer> now_;
  Ids ids_ = Ids::same;
  std::optional<VocabularyChange> change_;
};

}  // namespace weft
