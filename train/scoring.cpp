#include "scoring.h"

#include <weft/autograd/ops/normalization.h>
#include <weft/data/scores/scores.h>
#include <weft/layers/models/decoding/generation.h>
#include <weft/layers/models/decoding/transcriber.h>
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
                         const std::vector<Ids>& prompts, int64_t beams) {
  const int64_t tokens = std::min(longest_answer(task, batch), model.context());
  if (beams == 0)
    return generate_batch(model, prompts,
                          {.tokens = tokens, .sampling = {.temperature = 0}, .end_ids = {task.end_id()}});
  std::vector<Ids> texts;
  for (const std::vector<Hypothesis>& found :
       beam_search(model, prompts, {.beams = beams, .tokens = tokens, .end_ids = {task.end_id()}}))
    texts.push_back(found.at(0).tokens);
  return texts;
}

const GenerativeModel* writer_of(const Model& model, const TaskDataset& task) {
  return task.asks() && task.kind() != TaskKind::transcripts ? as_writer(model) : nullptr;
}

/// What a model writes down of the sounds of a batch.
std::vector<std::string> transcripts_of(const Model& model, const TaskDataset& task, const Batch& batch,
                                        int64_t beams) {
  const auto* const transcriber = dynamic_cast<const Transcriber*>(&model);
  if (!transcriber) fail<ValueError>("task ", task.name(), ": the model writes nothing down (Transcriber)");
  std::vector<std::string> texts;
  for (const Transcript& one : transcriber->transcribe(
           batch, {.beams = std::max<int64_t>(1, beams), .tokens = longest_answer(task, batch)}))
    texts.push_back(task.answer_text(one.ids));
  return texts;
}

bool has_class_a_row(const TaskDataset& task) {
  return task.kind() == TaskKind::classification || task.kind() == TaskKind::pictures ||
         task.kind() == TaskKind::sounds;
}

/// A row of a batch with what was found in place of what is right reads as the answer.
std::string text_of_found(const TaskDataset& task, const Batch& batch, int64_t row,
                          std::span<const int64_t> found) {
  Batch said = batch;
  said.targets = batch.targets.copy();
  int64_t* const targets = said.targets.mutable_data<int64_t>();
  for (int64_t i = 0; i < said.targets.size(); ++i)
    if (targets[i] != Batch::ignored) targets[i] = found[static_cast<size_t>(i)];
  return task.target_text(said, row);
}

/// The probability of the likeliest class of each row of logits (..., V).
std::vector<double> highest_probabilities(const Array& logits) {
  const Array all = softmax(Tensor(logits.to(float64))).value();
  const auto values = all.values<double>();
  const auto width = static_cast<size_t>(logits.dim(-1));
  std::vector<double> found;
  for (size_t at = 0; at < values.size(); at += width)
    found.push_back(std::ranges::max(values.subspan(at, width)));
  return found;
}

/// Everything that the scores of a task are made from, batch after batch.
class Tally {
 public:
  Tally(const Model& model, const TaskDataset& task, const ScoringOptions& options)
      : model_(model), task_(task), options_(options) {
    if (const int64_t classes = task.classes(); classes > 0) confusion_.emplace(classes);
  }

  void add(int64_t first, const Batch& batch) {
    if (task_.kind() == TaskKind::transcripts) return add_transcripts(first, batch);
    const Tensor logits = model_.logits(batch);
    const Loss loss = cross_entropy(logits, batch.targets);
    loss_.add(loss);
    const auto targets = batch.targets.values<int64_t>();
    const Ids found = likeliest(logits.value());
    for (size_t i = 0; i < targets.size(); ++i) {
      if (targets[i] == Batch::ignored) continue;
      ++places_;
      right_ += found[i] == targets[i];
    }
    if (confusion_) confusion_->add(found, targets);
    const std::vector<std::string> written = write(batch);
    if (!options_.row) return;
    const std::vector<double> probabilities =
        has_class_a_row(task_) ? highest_probabilities(logits.value()) : std::vector<double>();
    const Array losses = loss.rows.to(float64);
    const auto values = losses.values<double>();
    const int64_t rows = batch.inputs.dim(0), width = batch.targets.size() / rows;
    for (int64_t row = 0; row < rows; ++row) {
      RowScore one;
      one.target = task_.target_text(batch, row);
      for (int64_t i = row * width; i < (row + 1) * width; ++i) {
        if (targets[static_cast<size_t>(i)] == Batch::ignored) continue;
        one.loss += values[static_cast<size_t>(i)];
        ++one.tokens;
      }
      one.answer =
          written.empty() ? text_of_found(task_, batch, row, found) : written[static_cast<size_t>(row)];
      if (!probabilities.empty()) one.probability = probabilities[static_cast<size_t>(row)];
      options_.row(first + row, one);
    }
  }

  TaskScores scores() const {
    std::vector<Score> all{{"loss", loss_.mean()}};
    for (const std::string& name : task_.scores()) all.push_back({name, value_of(name)});
    if (std::ranges::count(task_.scores(), "accuracy") > 0 && task_.best_accuracy() < 1)
      all.push_back({"best_accuracy", task_.best_accuracy()});
    return {std::move(all), confusion_, places_};
  }

 private:
  void add_transcripts(int64_t first, const Batch& batch) {
    const Loss loss = model_.loss(batch);
    loss_.add(loss);
    const std::vector<std::string> written = transcripts_of(model_, task_, batch, options_.beams);
    const Array losses = loss.rows.to(float64);
    const int64_t rows = batch.inputs.dim(0), width = batch.targets.dim(1), each = losses.size() / rows;
    for (int64_t row = 0; row < rows; ++row) {
      RowScore one{.target = task_.prompts(batch, row).at(0).answer,
                   .answer = written[static_cast<size_t>(row)]};
      const auto targets = batch.targets.values<int64_t>().subspan(static_cast<size_t>(row * width),
                                                                   static_cast<size_t>(width));
      one.tokens = width - std::ranges::count(targets, Batch::ignored);
      places_ += one.tokens;
      for (int64_t i = row * each; i < (row + 1) * each; ++i) one.loss += losses.data<double>()[i];
      texts_.push_back(one.answer);
      references_.push_back(one.target);
      if (options_.row) options_.row(first + row, one);
    }
  }

  /// Of each row, where answers are written.
  std::vector<std::string> write(const Batch& batch) {
    const GenerativeModel* const writer = writer_of(model_, task_);
    if (!writer) return {};
    std::vector<Ids> prompts;
    std::vector<size_t> rows;
    for (int64_t row = 0; row < batch.inputs.dim(0); ++row)
      for (TaskDataset::Prompt& prompt : task_.prompts(batch, row)) {
        prompts.push_back(std::move(prompt.ids));
        references_.push_back(std::move(prompt.answer));
        rows.push_back(static_cast<size_t>(row));
      }
    std::vector<std::string> written(static_cast<size_t>(batch.inputs.dim(0)));
    size_t number = 0;
    for (const Ids& ids : answers(*writer, task_, batch, prompts, options_.beams)) {
      texts_.push_back(task_.answer_text(ids));
      const bool first = number == 0 || rows[number] != rows[number - 1];
      written[rows[number++]] += str(first ? "" : "\n", texts_.back());
    }
    return written;
  }

  double value_of(const std::string& name) const {
    if (name == "perplexity") return math::exp(loss_.mean());
    if (name == "accuracy")
      return static_cast<double>(right_) / static_cast<double>(std::max<int64_t>(1, places_));
    if (name == "exact_match") return exact_match(texts_, references_);
    if (name == "bleu") return bleu(texts_, references_);
    if (name == "chrf") return chrf(texts_, references_);
    if (name == "f1" && confusion_)
      return confusion_->classes() == 2 ? confusion_->f1() : confusion_->macro_f1();
    if (name == "wer") return word_error_rate(texts_, references_);
    if (name == "cer") return character_error_rate(texts_, references_);
    if (name == "iou" && confusion_) return confusion_->mean_iou();
    fail<ValueError>("task ", task_.name(), ": has no score '", name, "'");
  }

  const Model& model_;
  const TaskDataset& task_;
  const ScoringOptions& options_;
  LossMeter loss_;
  int64_t places_ = 0, right_ = 0;
  std::optional<Confusion> confusion_;
  std::vector<std::string> texts_, references_;
};

}  // namespace

int64_t longest_answer(const TaskDataset& task, const Batch& batch) {
  // Half as much again as a right one: of any row where the task knows, so that no batch matters.
  const int64_t longest = task.sizes().longest_target;
  return (longest > 0 ? longest : batch.targets.dim(1)) * 3 / 2;
}

TaskScores score(Model& model, const TaskDataset& task, int64_t samples, const ScoringOptions& options) {
  const Evaluating evaluating(model);
  Tally tally(model, task, options);
  for (int64_t first = 0; first < samples; first += options.batch_size) {
    if (options.each) options.each(first);
    tally.add(first, task.batch(first, std::min(options.batch_size, samples - first)));
  }
  return tally.scores();
}

double pseudo_perplexity(Model& model, const TaskDataset& task, int64_t samples,
                         const std::function<void(int64_t done)>& each) {
  constexpr int64_t together = 64;
  const Evaluating evaluating(model);
  LossMeter meter;
  for (int64_t sample = 0; sample < samples; ++sample) {
    if (each) each(sample);
    const Batch masked = task.batch(sample, 1);
    // What was hidden is put back: its targets say it.
    Ids ids;
    for (int64_t i = 0; i < masked.inputs.size(); ++i) {
      const int64_t target = masked.targets.values<int64_t>()[static_cast<size_t>(i)];
      ids.push_back(target != Batch::ignored ? target
                                             : masked.inputs.values<int64_t>()[static_cast<size_t>(i)]);
    }
    std::vector<size_t> places;
    for (size_t i = 0; i < ids.size(); ++i)
      if (!task.special().contain(ids[i])) places.push_back(i);
    const auto width = std::ssize(ids);
    for (size_t begin = 0; begin < places.size(); begin += together) {
      const auto rows = std::min<int64_t>(together, std::ssize(places) - static_cast<int64_t>(begin));
      Batch one{Array({rows, width}, int64), Array::full({rows, width}, double{Batch::ignored}, int64)};
      for (int64_t row = 0; row < rows; ++row) {
        const auto place = static_cast<int64_t>(places[begin + static_cast<size_t>(row)]);
        std::ranges::copy(ids, one.inputs.mutable_data<int64_t>() + row * width);
        one.inputs.mutable_data<int64_t>()[row * width + place] = task.special().mask;
        one.targets.mutable_data<int64_t>()[row * width + place] = ids[static_cast<size_t>(place)];
      }
      meter.add(model.loss(one));
    }
  }
  return math::exp(meter.mean());
}

std::string answer_of(Model& model, const TaskDataset& task, const Batch& batch, int64_t row) {
  const Evaluating evaluating(model);
  if (task.kind() == TaskKind::transcripts)
    return transcripts_of(model, task, batch, 0).at(static_cast<size_t>(row));
  if (const GenerativeModel* const writer = writer_of(model, task)) {
    std::vector<Ids> prompts;
    for (TaskDataset::Prompt& prompt : task.prompts(batch, row)) prompts.push_back(std::move(prompt.ids));
    std::string text;
    for (const Ids& written : answers(*writer, task, batch, prompts, 0))
      text += str(text.empty() ? "" : "\n", task.answer_text(written));
    return text;
  }
  const Ids found = likeliest(model.logits(batch).value());
  if (has_class_a_row(task)) return task.class_names()[static_cast<size_t>(found[static_cast<size_t>(row)])];
  return text_of_found(task, batch, row, found);
}

}  // namespace weft
