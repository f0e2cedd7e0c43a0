#include "scoring.h"

#include <weft/data/scores/scores.h>
#include <weft/layers/models/decoding/generation.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/math.h>

#include <algorithm>
#include <optional>
#include <span>

#include "evaluate.h"

namespace weft {
namespace {

using Ids = std::vector<int64_t>;

/// The likeliest class of each row of logits (..., V); of equal ones the first.
Ids likeliest(const Array& logits) {
  const Array narrow = logits.to(float32);
  const auto values = narrow.values<float>();
  const auto width = static_cast<size_t>(logits.dim(-1));
  Ids classes;
  for (size_t at = 0; at < values.size(); at += width) {
    const auto row = values.subspan(at, width);
    classes.push_back(std::ranges::max_element(row) - row.begin());
  }
  return classes;
}

/// What a model writes to prompts, each up to an end.
std::vector<Ids> answers(const GenerativeModel& model, const TaskDataset& task, const Batch& batch,
                         const std::vector<Ids>& prompts) {
  return generate_batch(model, prompts,
                        {.tokens = std::min(longest_answer(task, batch), model.context()),
                         .sampling = {.temperature = 0},
                         .end_ids = {task.end_id()}});
}

const GenerativeModel* writer_of(const Model& model, const TaskDataset& task) {
  return task.asks() ? dynamic_cast<const GenerativeModel*>(&model) : nullptr;
}

/// Everything that the scores of a task are made from, batch after batch.
class Tally {
 public:
  Tally(const Model& model, const TaskDataset& task) : model_(model), task_(task) {
    if (const int64_t classes = task.classes(); classes > 0) confusion_.emplace(classes);
  }

  void add(const Batch& batch) {
    const Tensor logits = model_.logits(batch);
    loss_.add(cross_entropy(logits, batch.targets));
    const auto targets = batch.targets.values<int64_t>();
    const Ids found = likeliest(logits.value());
    for (size_t i = 0; i < targets.size(); ++i) {
      if (targets[i] == Batch::ignored) continue;
      ++places_;
      right_ += found[i] == targets[i];
    }
    if (confusion_) confusion_->add(found, targets);
    const GenerativeModel* const writer = writer_of(model_, task_);
    if (!writer) return;
    std::vector<Ids> prompts;
    for (int64_t row = 0; row < batch.inputs.dim(0); ++row)
      for (TaskDataset::Prompt& question : task_.prompts(batch, row)) {
        prompts.push_back(std::move(question.ids));
        references_.push_back(std::move(question.answer));
      }
    for (const Ids& written : answers(*writer, task_, batch, prompts))
      texts_.push_back(task_.answer_text(written));
  }

  std::vector<Score> scores() const {
    std::vector<Score> all{{"loss", loss_.mean()}};
    for (const std::string& name : task_.scores()) all.push_back({name, value_of(name)});
    if (std::ranges::count(task_.scores(), "accuracy") > 0 && task_.best_accuracy() < 1)
      all.push_back({"best_accuracy", task_.best_accuracy()});
    return all;
  }

 private:
  double value_of(const std::string& name) const {
    if (name == "perplexity") return math::exp(loss_.mean());
    if (name == "accuracy")
      return static_cast<double>(right_) / static_cast<double>(std::max<int64_t>(1, places_));
    if (name == "exact_match") return exact_match(texts_, references_);
    if (name == "bleu") return bleu(texts_, references_);
    if (name == "chrf") return chrf(texts_, references_);
    if (name == "f1" && confusion_)
      return confusion_->classes() == 2 ? confusion_->f1() : confusion_->macro_f1();
    if (name == "iou" && confusion_) return confusion_->mean_iou();
    fail<ValueError>("task ", task_.name(), ": has no score '", name, "'");
  }

  const Model& model_;
  const TaskDataset& task_;
  LossMeter loss_;
  int64_t places_ = 0, right_ = 0;
  std::optional<Confusion> confusion_;
  std::vector<std::string> texts_, references_;
};

}  // namespace

int64_t longest_answer(const TaskDataset& task, const Batch& batch) {
  return std::max(task.sizes().longest_target, batch.targets.dim(1)) * 3 /
         2;  // half as much again as a right one
}

std::vector<Score> score(Model& model, const TaskDataset& task, int64_t samples, int64_t batch_size,
                         const std::function<void(int64_t done)>& each) {
  const Evaluating evaluating(model);
  Tally tally(model, task);
  for (int64_t first = 0; first < samples; first += batch_size) {
    each(first);
    tally.add(task.batch(first, std::min(batch_size, samples - first)));
  }
  return tally.scores();
}

std::string answer_of(Model& model, const TaskDataset& task, const Batch& batch, int64_t row) {
  const Evaluating evaluating(model);
  if (const GenerativeModel* const writer = writer_of(model, task)) {
    std::vector<Ids> prompts;
    for (TaskDataset::Prompt& question : task.prompts(batch, row))
      prompts.push_back(std::move(question.ids));
    std::string text;
    for (const Ids& written : answers(*writer, task, batch, prompts))
      text += str(text.empty() ? "" : "\n", task.answer_text(written));
    return text;
  }
  const Ids found = likeliest(model.logits(batch).value());
  if (task.kind() == TaskKind::classification || task.kind() == TaskKind::pictures)
    return task.class_names()[static_cast<size_t>(found[static_cast<size_t>(row)])];
  // The same batch with what was found in place of what is right reads as the answer.
  Batch said = batch;
  said.targets = batch.targets.copy();
  int64_t* const targets = said.targets.mutable_data<int64_t>();
  for (int64_t i = 0; i < said.targets.size(); ++i)
    if (targets[i] != Batch::ignored) targets[i] = found[static_cast<size_t>(i)];
  return task.target_text(said, row);
}

}  // namespace weft
