#include <weft/layers/models/decoding/decoded_texts_internal.h>

#include <algorithm>
#include <numeric>

namespace weft {
namespace {

/// The last counts[i] ids of each text, padded on the right: (B, T).
Array padded(const std::vector<std::span<const int64_t>>& texts) {
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

std::vector<int64_t> lengths_of(const std::vector<std::span<const int64_t>>& texts) {
  std::vector<int64_t> lengths;
  for (const auto& text : texts) lengths.push_back(static_cast<int64_t>(text.size()));
  const bool even = std::ranges::adjacent_find(lengths, std::not_equal_to()) == lengths.end();
  return even ? std::vector<int64_t>{} : lengths;
}

}  // namespace

DecodedTexts::DecodedTexts(const char* what, const GenerativeModel& model,
                           const std::vector<std::vector<int64_t>>& prompts)
    : model_(model), prompts_(prompts), prompt_of_(prompts.size()) {
  for (size_t i = 0; i < prompts.size(); ++i)
    if (prompts[i].empty())
      fail<ValueError>(what, ": the prompt", prompts.size() > 1 ? str(" of row ", i) : "", " is empty");
  std::iota(prompt_of_.begin(), prompt_of_.end(), size_t{0});
  texts_ = model.has_encoder() ? std::vector(prompts.size(), std::vector{model.start_id()}) : prompts;
  if (prompts.empty()) return;
  std::vector<int64_t> rows(prompts.size());
  std::iota(rows.begin(), rows.end(), 0);
  places_.resize(rows.size());
  start_group(std::move(rows), model.context());
}

void DecodedTexts::start_group(std::vector<int64_t> rows, int64_t most_tokens) {
  Group group;
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto row = static_cast<size_t>(rows[i]);
    group.unread.push_back(std::min(static_cast<int64_t>(texts_[row].size()), most_tokens));
    places_[row] = {groups_.size(), i};
  }
  if (model_.has_encoder()) {
    std::vector<std::span<const int64_t>> sources;
    for (const int64_t row : rows) sources.emplace_back(prompts_[prompt_of_[static_cast<size_t>(row)]]);
    group.state = model_.start(Batch{padded(sources), {}, lengths_of(sources)});
  } else {
    group.state = model_.start(static_cast<int64_t>(rows.size()));
  }
  group.rows = std::move(rows);
  groups_.push_back(std::move(group));
}

void DecodedTexts::read() {
  for (Group& group : groups_) {
    std::vector<std::span<const int64_t>> unread;
    for (size_t i = 0; i < group.rows.size(); ++i)
      unread.push_back(std::span(text(group.rows[i])).last(static_cast<size_t>(group.unread[i])));
    group.logits = model_.next(padded(unread), lengths_of(unread), *group.state).value().to(float32);
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
    if (groups_[group].state->length(static_cast<int64_t>(place)) < model_.context()) {
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
    for (size_t i = 0; i < named[g].size(); ++i)
      places_[static_cast<size_t>(named[g][i])] = {groups_.size(), i};
    groups_.push_back(
        {std::move(before[g].state), std::move(named[g]), std::vector<int64_t>(kept[g].size(), 1)});
  }
  if (!full.empty()) start_group(std::move(full), std::max<int64_t>(1, model_.context() / 2));
}

}  // namespace weft
