// Tasks by name are in registry.h. Some are made by generators of our own, so that samples never run out, what is right
// is known, and no sample of the validation split is ever trained on: which split a sample belongs to is a matter of what
// it says (split_of in data/draws.h), and sample number n of a split is a function of (seed, n), drawn again until it
// falls into that split. Others are the records of a user's files (table_task.h).
#pragma once

#include <weft/data/dataset.h>
#include <weft/data/generators/draws.h>
#include <weft/data/text/word_tokenizer.h>
#include <weft/data/tokenizers/marked_tokenizer.h>
#include <weft/lib/array/data_shape.h>
#include <weft/lib/settings/setting.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

struct TaskOptions {
  uint64_t seed = 1;
  Split split = Split::train;
  /// How many different samples there are: each epoch uses each once, in an order drawn from (seed, epoch).
  /// 0: no sample is repeated on purpose, and an epoch is but a name for TaskDataset::nominal_epoch of them.
  int64_t samples = 0;
  /// Symbols of a sequence (copy, reverse, sort), or tokens back (recall); 0: as the task has it.
  int64_t min_length = 0;
  int64_t max_length = 0;
  /// Of the tasks of masked words: the share of them that is to be found.
  double mask_share = 0.15;
  /// Of the tasks of words: the tokenizer of a checkpoint, say; it must know every word of the task. Null:
  /// the task's own.
  std::shared_ptr<const WordTokenizer> tokenizer = nullptr;
  SettingValues settings = {};  ///< all that were given, a user's own among them
};
/// The options that settings of a run are: samples, min_length, max_length, mask_share.
TaskOptions task_options(const SettingValues& settings);

/// A dataset that knows what it asks. Rows are padded on the right: inputs with pad_id(), targets with
/// Batch::ignored; Batch::lengths says how many tokens of each row of the inputs count.
class TaskDataset : public Dataset {
 public:
  static constexpr int64_t nominal_epoch = 1'000'000;

  const std::string& name() const { return name_; }
  const TaskOptions& options() const { return options_; }
  int64_t samples_per_epoch() const override {
    return options_.samples > 0 ? options_.samples : nominal_epoch;
  }

  virtual TaskKind kind() const = 0;
  virtual TaskSizes sizes() const = 0;
  /// Null for pictures.
  const std::shared_ptr<const Tokenizer>& tokenizer() const { return tokenizer_; }
  /// The tokenizer's; -1 for one that it does not have.
  const SpecialIds& special() const { return special_; }
  int64_t pad_id() const { return special_.pad; }
  int64_t start_id() const { return special_.start; }
  int64_t end_id() const { return special_.end; }
  /// By class; empty where tokens are the answer.
  const std::vector<std::string>& class_names() const { return class_names_; }
  int64_t classes() const { return static_cast<int64_t>(class_names_.size()); }

  /// What is worth reporting, the most telling first, by the names of data/scores.h: "accuracy", "f1",
  /// "exact_match", "bleu", "chrf", "iou", "wer", "cer"; "perplexity" where the loss is all there is.
  virtual std::vector<std::string> scores() const = 0;
  /// The accuracy (of pairs, the exact match) of the best model that there can be, exactly: 1 where every
  /// answer follows from its sample. NaN where it is not known: where words are to be guessed.
  virtual double best_accuracy() const { return 1.0; }

  /// Row `row` of a batch of this task, as a person reads it: the text, or the picture in letters.
  virtual std::string input_text(const Batch& batch, int64_t row) const;
  /// What is right for it: the text, the name of the class, the tokens asked for.
  virtual std::string target_text(const Batch& batch, int64_t row) const;
  /// Tokens that a model wrote, up to the first end, without special tokens; U+FFFD for bytes that are no character.
  std::string answer_text(std::span<const int64_t> ids) const;

  /// What a model is asked to write, and what is right.
  struct Prompt {
    std::vector<int64_t> ids;
    std::string answer;
  };
  /// Whether its answers are texts that a model writes.
  virtual bool asks() const { return kind() == TaskKind::pairs; }
  /// Those of row `row` of a batch, if it asks(): of pairs one, the row itself.
  virtual std::vector<Prompt> prompts(const Batch& batch, int64_t row) const;

 protected:
  /// Whether an id that a model wrote is part of what it says.
  virtual bool is_said(int64_t id) const { return !special_.contain(id); }
  /// ValueError when options.samples is negative.
  TaskDataset(std::string name, TaskOptions options, std::shared_ptr<const Tokenizer> tokenizer,
              std::vector<std::string> class_names = {});
  /// Which of the samples 0, 1, 2, ... of the split number n of the run is: n itself, or one of the first
  /// options().samples.
  virtual uint64_t sample_of(int64_t n) const;

 private:
  std::string name_;
  TaskOptions options_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  SpecialIds special_;
  std::vector<std::string> class_names_;
};

}  // namespace weft
