#include <weft/layers/models/decoding/decoded_texts_internal.h>
#include <weft/lib/kernels/movement.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

namespace weft {
namespace {

/// The texts, padded on the right: (B, T).
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

/// Of each text; empty when all are equal.
std::vector<int64_t> lengths_of(const std::vector<std::span<const int64_t>>& texts) {
  std::vector<int64_t> lengths;
  for (const auto& text : texts) lengths.push_back(static_cast<int64_t>(text.size()));
  if (std::ranges::adjacent_find(lengths, std::not_equal_to()) == lengths.end()) lengths.clear();
  return lengths;
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

/// A row of a group that stays: its place there, and which row it becomes.
struct Kept {
  int64_t place;
  size_t row;
};

/// In an order in which as few as possible change their place.
std::vector<Kept> settled(const std::vector<Kept>& kept) {
  std::vector<Kept> order(kept.size(), {-1, 0}), rest;
  for (const Kept& one : kept) {
    const auto place = static_cast<size_t>(one.place);
    if (place < order.size() && order[place].place < 0)
      order[place] = one;
    else
      rest.push_back(one);
  }
  auto next = rest.begin();
  for (Kept& one : order)
    if (one.place < 0) one = *next++;
  return order;
}

}  // namespace

DecodedTexts::DecodedTexts(const char* what, const GenerativeModel& model,
                           const std::vector<std::vector<int64_t>>& prompts)
    : what_(what), model_(model), context_(model.context()), batch_(nullptr) {
  add(prompts);
}

DecodedTexts::DecodedTexts(const char* what, const GenerativeModel& model, const Batch& source)
    : what_(what), model_(model), context_(model.context()), batch_(&source) {
  if (!model.has_encoder()) fail<ValueError>(what, ": a ", model.kind(), " answers no batch");
  for (int64_t row = 0; row < source.inputs.dim(0); ++row) {
    Source one{{}, static_cast<size_t>(row)};
    rows_.push_back({{model.start_id()}, {}, std::make_shared<const Source>(std::move(one))});
    begin(rows_.back(), context_);
  }
}

void DecodedTexts::add(const std::vector<std::vector<int64_t>>& prompts) {
  for (size_t i = 0; i < prompts.size(); ++i)
    if (prompts[i].empty())
      fail<ValueError>(what_, ": the prompt", prompts.size() > 1 ? str(" of row ", i) : "", " is empty");
  for (const std::vector<int64_t>& prompt : prompts) {
    if (model_.has_encoder())
      rows_.push_back({{model_.start_id()}, {}, std::make_shared<const Source>(Source{prompt})});
    else
      rows_.push_back({prompt, {}, nullptr});
    begin(rows_.back(), context_);
  }
}

/// Nothing of it was read: the last tokens are to be.
void DecodedTexts::begin(Row& row, int64_t most_tokens) const {
  const auto count = std::min(std::ssize(row.text), most_tokens);
  row.unread.assign(row.text.end() - count, row.text.end());
  if (model_.has_encoder()) row.unread.front() = model_.start_id();
  row.place.reset();
}

int64_t DecodedTexts::cost_of(const Row& row) const {
  const int64_t source = row.source && !row.place ? std::ssize(row.source->ids) : 0;
  return std::max(source, std::ssize(row.unread));
}

int64_t DecodedTexts::cost_of(const Group& group) const {
  int64_t longest = 0;
  for (const size_t row : group.rows) longest = std::max(longest, std::ssize(rows_[row].unread));
  return longest * std::ssize(group.rows);
}

void DecodedTexts::read(int64_t most) {
  for (Group& group : groups_) {
    const int64_t cost = cost_of(group);
    if (cost <= std::ssize(group.rows)) {
      read_group(group, 1);
    } else if (most > 0) {
      read_group(group, most);
      most -= std::min(most, cost);
    }
  }
  while (most > 0) {
    const std::vector<size_t> rows = next_to_start(most);
    if (rows.empty()) break;
    int64_t longest = 0;
    for (const size_t row : rows) longest = std::max(longest, cost_of(rows_[row]));
    start_group(rows);
    read_group(groups_.back(), most);
    most -= std::min(most, longest * std::ssize(rows));
  }
}

/// Up to `most` tokens of a row; rows of which more are to be read stand alone in their group.
void DecodedTexts::read_group(Group& group, int64_t most) {
  std::vector<std::span<const int64_t>> texts;
  for (const size_t row : group.rows) {
    const std::vector<int64_t>& unread = rows_[row].unread;
    texts.emplace_back(unread.data(), static_cast<size_t>(std::min(std::ssize(unread), most)));
  }
  group.logits = model_.next(padded(texts), lengths_of(texts), *group.state).value().to(float32);
  for (size_t i = 0; i < texts.size(); ++i) {
    std::vector<int64_t>& unread = rows_[group.rows[i]].unread;
    unread.erase(unread.begin(), unread.begin() + std::ssize(texts[i]));
  }
}

/// The first row that was not begun, and others that are about as long; all of them where there is no limit.
std::vector<size_t> DecodedTexts::next_to_start(int64_t most) const {
  std::vector<size_t> chosen;
  int64_t longest = 0;
  for (size_t row = 0; row < rows_.size(); ++row) {
    if (rows_[row].place) continue;
    const int64_t cost = cost_of(rows_[row]), with = std::max(longest, cost);
    const bool fits = with <= most / (std::ssize(chosen) + 1) && with <= 2 * std::min(longest, cost);
    if (!chosen.empty() && most < unlimited && !fits) continue;
    chosen.push_back(row);
    longest = with;
  }
  return chosen;
}

void DecodedTexts::start_group(const std::vector<size_t>& rows) {
  Group group{model_.has_encoder() ? model_.start(sources_of(rows)) : model_.start(std::ssize(rows)), rows};
  for (size_t i = 0; i < rows.size(); ++i) rows_[rows[i]].place = {groups_.size(), static_cast<int64_t>(i)};
  groups_.push_back(std::move(group));
}

Batch DecodedTexts::sources_of(const std::vector<size_t>& rows) const {
  std::vector<size_t> of_batch;
  std::vector<std::span<const int64_t>> texts;
  for (const size_t row : rows) {
    of_batch.push_back(rows_[row].source->row);
    texts.emplace_back(rows_[row].source->ids);
  }
  return batch_ ? rows_of(*batch_, of_batch) : Batch{padded(texts), {}, lengths_of(texts)};
}

std::span<const float> DecodedTexts::logits(int64_t row) const {
  const auto [group, place] = *rows_[static_cast<size_t>(row)].place;
  const auto V = static_cast<size_t>(groups_[group].logits.dim(1));
  return groups_[group].logits.values<float>().subspan(static_cast<size_t>(place) * V, V);
}

void DecodedTexts::append(std::span<const int64_t> rows, std::span<const int64_t> tokens) {
  std::vector<Row> next;
  std::vector<std::vector<Kept>> kept(groups_.size());
  std::vector<int64_t> uses(rows_.size());
  for (const int64_t row : rows) ++uses[static_cast<size_t>(row)];
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto from = static_cast<size_t>(rows[i]);
    Row& row = next.emplace_back(--uses[from] > 0 ? rows_[from] : std::move(rows_[from]));
    if (tokens[i] != none) {
      row.text.push_back(tokens[i]);
      row.unread = {tokens[i]};
      const auto [group, place] = *row.place;
      if (groups_[group].state->length(place) >= context_) begin(row, std::max<int64_t>(1, context_ / 2));
    }
    if (row.place) kept[row.place->first].push_back({row.place->second, i});
  }
  rows_ = std::move(next);

  std::vector<Group> before = std::move(groups_);
  groups_.clear();
  for (size_t g = 0; g < before.size(); ++g) {
    if (kept[g].empty()) continue;
    Group& group = before[g];
    std::vector<int64_t> places, all(group.rows.size());
    std::iota(all.begin(), all.end(), 0);
    group.rows.clear();
    for (const Kept& one : settled(kept[g])) {
      rows_[one.row].place = {groups_.size(), std::ssize(places)};
      places.push_back(one.place);
      group.rows.push_back(one.row);
    }
    if (places != all) group.state->select(places);
    group.logits = {};
    groups_.push_back(std::move(group));
  }
  join_groups();
}

/// Those that go on by a token each, where their states can be joined.
void DecodedTexts::join_groups() {
  std::vector<Group> before = std::move(groups_);
  groups_.clear();
  Group* main = nullptr;
  groups_.reserve(before.size());
  for (Group& group : before) {
    const bool goes_on = cost_of(group) == std::ssize(group.rows);
    if (!goes_on || main == nullptr || !main->state->join(*group.state)) {
      groups_.push_back(std::move(group));
      if (goes_on && main == nullptr) main = &groups_.back();
    } else {
      main->rows.insert(main->rows.end(), group.rows.begin(), group.rows.end());
    }
  }
  for (size_t g = 0; g < groups_.size(); ++g)
    for (size_t i = 0; i < groups_[g].rows.size(); ++i)
      rows_[groups_[g].rows[i]].place = {g, static_cast<int64_t>(i)};
}

}  // namespace weft
