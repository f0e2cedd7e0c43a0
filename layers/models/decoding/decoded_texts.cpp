#include <weft/layers/models/decoding/decoded_texts_internal.h>
#include <weft/lib/kernels/movement.h>

#include <algorithm>
#include <numeric>

namespace weft {
namespace {

/// The texts, padded on the right: (B, T).
template <class Text>
Array padded(const std::vector<Text>& texts) {
  size_t longest = 0;
  for (const auto& text : texts) longest = std::max(longest, text.size());
  Array ids = Array::zeros({static_cast<int64_t>(texts.size()), static_cast<int64_t>(longest)}, int64);
  int64_t* row = ids.mutable_data<int64_t>();
  for (const auto& text : texts) {
    std::copy(text.begin(), text.end(), row);
    row += longest;
  }
  return ids;
}

/// Of each text; empty when all are equal.
template <class Text>
std::vector<int64_t> lengths_of(const std::vector<Text>& texts) {
  std::vector<int64_t> lengths;
  for (const auto& text : texts) lengths.push_back(static_cast<int64_t>(text.size()));
  if (std::ranges::adjacent_find(lengths, std::not_equal_to()) == lengths.end()) lengths.clear();
  return lengths;
}

std::vector<std::vector<int64_t>> checked_prompts(const char* what,
                                                  const std::vector<std::vector<int64_t>>& prompts) {
  for (size_t i = 0; i < prompts.size(); ++i)
    if (prompts[i].empty())
      fail<ValueError>(what, ": the prompt", prompts.size() > 1 ? str(" of row ", i) : "", " is empty");
  return prompts;
}

/// So many answers that have begun.
std::vector<std::vector<int64_t>> begun(const GenerativeModel& model, size_t rows) {
  return std::vector(rows, std::vector{model.start_id()});
}

/// These rows of a batch, whatever its inputs are.
Batch rows_of(const Batch& source, std::span<const size_t> rows) {
  Batch some;
  Array ids({std::ssize(rows)}, int64);
  for (size_t i = 0; i < rows.size(); ++i) {
    ids.mutable_data<int64_t>()[i] = static_cast<int64_t>(rows[i]);
    if (!source.lengths.empty()) some.lengths.push_back(source.lengths[rows[i]]);
  }
  const int64_t B = source.inputs.dim(0);
  some.inputs = kernels::take_rows(source.inputs.reshape({B, source.inputs.size() / B}), ids)
                    .reshape(source.inputs.shape().with(0, std::ssize(rows)));
  return some;
}

}  // namespace

DecodedTexts::DecodedTexts(const char* what, const GenerativeModel& model,
                           const std::vector<std::vector<int64_t>>& prompts)
    : DecodedTexts(model,
                   model.has_encoder() ? begun(model, checked_prompts(what, prompts).size())
                                       : checked_prompts(what, prompts),
                   [&prompts](std::span<const size_t> rows) {
                     std::vector<std::span<const int64_t>> texts;
                     for (const size_t row : rows) texts.emplace_back(prompts[row]);
                     return Batch{padded(texts), {}, lengths_of(texts)};
                   }) {}

DecodedTexts::DecodedTexts(const char* what, const GenerativeModel& model, const Batch& source)
    : DecodedTexts(
          model,
          [&] {
            if (!model.has_encoder()) fail<ValueError>(what, ": a ", model.kind(), " answers no batch");
            return begun(model, static_cast<size_t>(source.inputs.dim(0)));
          }(),
          [&source](std::span<const size_t> rows) { return rows_of(source, rows); }) {}

DecodedTexts::DecodedTexts(const GenerativeModel& model, std::vector<std::vector<int64_t>> texts,
                           Sources sources)
    : model_(model),
      context_(model.context()),
      sources_(std::move(sources)),
      texts_(std::move(texts)),
      prompt_of_(texts_.size()) {
  std::iota(prompt_of_.begin(), prompt_of_.end(), size_t{0});
  if (texts_.empty()) return;
  std::vector<int64_t> rows(texts_.size());
  std::iota(rows.begin(), rows.end(), 0);
  places_.resize(rows.size());
  start_group(std::move(rows), context_);
}

void DecodedTexts::start_group(std::vector<int64_t> rows, int64_t most_tokens) {
  Group group;
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto row = static_cast<size_t>(rows[i]);
    const std::vector<int64_t>& text = texts_[row];
    const auto count = std::min(static_cast<int64_t>(text.size()), most_tokens);
    std::vector<int64_t>& unread = group.unread.emplace_back(text.end() - count, text.end());
    if (model_.has_encoder()) unread.front() = model_.start_id();
    places_[row] = {groups_.size(), i};
  }
  if (model_.has_encoder()) {
    std::vector<size_t> prompts;
    for (const int64_t row : rows) prompts.push_back(prompt_of_[static_cast<size_t>(row)]);
    group.state = model_.start(sources_(prompts));
  } else {
    group.state = model_.start(static_cast<int64_t>(rows.size()));
  }
  group.rows = std::move(rows);
  groups_.push_back(std::move(group));
}

void DecodedTexts::read() {
  for (Group& group : groups_) {
    const Array ids = padded(group.unread);
    group.logits = model_.next(ids, lengths_of(group.unread), *group.state).value().to(float32);
  }
}

std::span<const float> DecodedTexts::logits(int64_t row) const {
  const auto [group, place] = places_[static_cast<size_t>(row)];
  const auto V = static_cast<size_t>(groups_[group].logits.dim(1));
  return groups_[group].logits.values<float>().subspan(place * V, V);
}

void DecodedTexts::append(std::span<const int64_t> rows, std::span<const int64_t> tokens) {
  std::vector<std::vector<int64_t>> texts;
  std::vector<size_t> prompt_of;
  std::vector<std::vector<int64_t>> kept(groups_.size()), named(groups_.size());
  std::vector<int64_t> full, uses(texts_.size());
  for (const int64_t row : rows) ++uses[static_cast<size_t>(row)];
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto from = static_cast<size_t>(rows[i]);
    if (--uses[from] > 0) {
      texts.push_back(texts_[from]);
    } else {
      texts.push_back(std::move(texts_[from]));
    }
    texts.back().push_back(tokens[i]);
    prompt_of.push_back(prompt_of_[from]);
    const auto [group, place] = places_[from];
    if (groups_[group].state->length(static_cast<int64_t>(place)) < context_) {
      kept[group].push_back(static_cast<int64_t>(place));
      named[group].push_back(static_cast<int64_t>(i));
    } else {
      full.push_back(static_cast<int64_t>(i));
    }
  }
  texts_ = std::move(texts);
  prompt_of_ = std::move(prompt_of);
  places_.assign(texts_.size(), {});

  std::vector<Group> before = std::move(groups_);
  groups_.clear();
  for (size_t g = 0; g < before.size(); ++g) {
    if (kept[g].empty()) continue;
    std::vector<int64_t> all(before[g].rows.size());
    std::iota(all.begin(), all.end(), 0);
    if (kept[g] != all) before[g].state->select(kept[g]);
    Group group{std::move(before[g].state), std::move(named[g]), {}};
    for (size_t i = 0; i < group.rows.size(); ++i) {
      const auto row = static_cast<size_t>(group.rows[i]);
      places_[row] = {groups_.size(), i};
      group.unread.push_back({tokens[row]});
    }
    groups_.push_back(std::move(group));
  }
  if (!full.empty()) start_group(std::move(full), std::max<int64_t>(1, context_ / 2));
}

}  // namespace weft
