#include <weft/lib/base/error.h>
#include <weft/train/endings.h>
#include <weft/train/evaluate.h>

#include <algorithm>
#include <span>

namespace weft {
namespace {

constexpr size_t together = 32;

using Ids = std::vector<int64_t>;

Batch batch_of(const GenerativeModel& model, std::span<const Ending> endings) {
  std::vector<Ids> inputs, targets;
  Batch batch;
  const auto context = static_cast<size_t>(std::min<int64_t>(model.context(), INT32_MAX));
  for (const Ending& one : endings) {
    if (one.context.empty() || one.ids.empty())
      fail<ValueError>("score_endings: a context or an ending is empty");
    if (one.ids.size() > context)
      fail<ValueError>("an ending has ", one.ids.size(), " tokens, and the context of the model ", context);
    Ids input = one.context, target = one.ids;
    if (!model.has_encoder()) {
      input.insert(input.end(), one.ids.begin(), one.ids.end() - 1);
      target.insert(target.begin(), one.context.size() - 1, Batch::ignored);
    }
    if (input.size() > context) {
      const auto over = static_cast<std::ptrdiff_t>(input.size() - context);
      input.erase(input.begin(), input.begin() + over);
      if (!model.has_encoder()) target.erase(target.begin(), target.begin() + over);
    }
    batch.lengths.push_back(std::ssize(input));
    inputs.push_back(std::move(input));
    targets.push_back(std::move(target));
  }
  batch.inputs = padded_rows(inputs, 0);
  batch.targets = padded_rows(targets, Batch::ignored);
  return batch;
}

}  // namespace

std::vector<EndingScore> score_endings(GenerativeModel& model, const std::vector<Ending>& endings) {
  const Evaluating evaluating(model);
  std::vector<EndingScore> scores;
  for (size_t first = 0; first < endings.size(); first += together) {
    const Batch batch =
        batch_of(model, std::span(endings).subspan(first, std::min(together, endings.size() - first)));
    const Array losses = cross_entropy(model.logits(batch), batch.targets).rows.to(float64);
    const auto values = losses.values<double>();
    const auto targets = batch.targets.values<int64_t>();
    const auto width = static_cast<size_t>(batch.targets.dim(1));
    for (size_t row = 0; row < targets.size() / width; ++row) {
      EndingScore one;
      for (size_t i = row * width; i < (row + 1) * width; ++i) {
        if (targets[i] == Batch::ignored) continue;
        one.log_probability -= values[i];
        ++one.tokens;
      }
      scores.push_back(one);
    }
  }
  return scores;
}

}  // namespace weft
