#include <weft/data/tasks/masking.h>
#include <weft/data/tasks/table_task.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <limits>

namespace weft {

std::vector<int64_t> special_ids(const Tokenizer& tokenizer) {
  std::vector<int64_t> ids;
  for (const auto& [name, id] : tokenizer.special_tokens()) ids.push_back(id);
  std::ranges::sort(ids);
  return ids;
}

bool has_turns(const Tokenizer& tokenizer) {
  const std::map<std::string, int64_t> special = tokenizer.special_tokens();
  return SpecialIds::of(tokenizer).end >= 0 &&
         std::ranges::all_of(table_form("chat").special, [&](const std::string& name) {
           return !name.starts_with("<|") || special.contains(name);
         });
}

namespace {

/// Of targets that lie side by side.
int64_t longest_asked(std::span<const int64_t> targets) {
  int64_t longest = 0, now = 0;
  for (const int64_t target : targets) {
    now = target == Batch::ignored ? 0 : now + 1;
    longest = std::max(longest, now);
  }
  return longest;
}

TaskOptions of_split(TaskOptions options, Split split) {
  options.split = split;
  options.samples = 0;
  return options;
}

}  // namespace

TableTask::TableTask(const TableForm& form, TaskOptions options, std::shared_ptr<const Tokenizer> tokenizer,
                     std::vector<Sample> samples, Origin origin, std::vector<std::string> class_names)
    : TokenTask(form.name, std::move(options), std::move(tokenizer), std::move(class_names)),
      form_(form),
      unhidden_(special_ids(*this->tokenizer())) {
  auto store = std::make_shared<Store>();
  store->origin = std::move(origin);
  TaskSizes& sizes = store->sizes;
  for (const Sample& one : samples) {
    for (const std::vector<int64_t>* const ids : {&one.input, &one.target}) {
      for (const int64_t id : *ids) store->ids.push_back(static_cast<int32_t>(id));
      store->ends.push_back(store->ids.size());
    }
    sizes.longest_input = std::max<int64_t>(sizes.longest_input, std::ssize(one.input));
    if (form.has_turns) sizes.longest_target = std::max(sizes.longest_target, longest_asked(one.target));
    if (form.kind == TaskKind::pairs)
      sizes.longest_target = std::max<int64_t>(sizes.longest_target, std::ssize(one.target));
  }
  store_ = std::move(store);
}

TableTask::TableTask(const TableTask& other, Split split)
    : TokenTask(other.name(), of_split(other.options(), split), other.tokenizer(), other.class_names()),
      form_(other.form_),
      store_(other.store_),
      unhidden_(other.unhidden_) {}

double TableTask::best_accuracy() const { return std::numeric_limits<double>::quiet_NaN(); }

TokenTask::Sample TableTask::stored(uint64_t index) const {
  if (index >= static_cast<uint64_t>(size()))
    fail<ValueError>(name(), ": no sample ", index, " among ", size());
  const auto ids = [&](size_t i) {
    const std::vector<uint64_t>& ends = store_->ends;
    return std::vector<int64_t>(store_->ids.begin() + static_cast<std::ptrdiff_t>(i == 0 ? 0 : ends[i - 1]),
                                store_->ids.begin() + static_cast<std::ptrdiff_t>(ends[i]));
  };
  return {ids(2 * index), ids(2 * index + 1)};
}

TokenTask::Sample TableTask::sample(uint64_t index) const {
  Sample one = stored(index);
  if (form_.kind != TaskKind::masked || options().split == Split::train) return one;
  Draws draws(random_key(options().seed, stream_id("data.masks")), index);
  one.target = mask_tokens(one.input,
                           {.mask_id = special().mask,
                            .first_word = 0,
                            .vocab_size = tokenizer()->vocab_size(),
                            .share = options().mask_share,
                            .special = unhidden_},
                           draws);
  return one;
}

uint64_t TableTask::sample_of(int64_t n) const {
  return options().samples > 0 ? TokenTask::sample_of(n) : static_cast<uint64_t>(n % size());
}

TokenTask::Lengths TableTask::lengths(uint64_t index) const {
  const std::vector<uint64_t>& ends = store_->ends;
  const size_t i = 2 * index;
  const uint64_t begin = i == 0 ? 0 : ends.at(i - 1);
  const auto target = static_cast<int64_t>(ends.at(i + 1) - ends.at(i));
  return {static_cast<int64_t>(ends.at(i) - begin), form_.kind == TaskKind::pairs ? target : 0};
}

std::vector<SamplePlace> TableTask::places_at(uint64_t index) const {
  const Origin& from = origin();
  if (!from.table) return {};
  const Place& record = from.table->place(from.records.at(index));
  std::vector<SamplePlace> all;
  for (size_t side = 0; side < from.table->side_by_side(); ++side) {
    const TokenPlace one{from.table->files().at(record.file + side), record.line};
    all.push_back({one, one});
  }
  return all;
}

std::vector<TaskDataset::Prompt> TableTask::prompts(const Batch& batch, int64_t row) const {
  if (form_.kind == TaskKind::pairs) return TokenTask::prompts(batch, row);
  const int64_t width = batch.inputs.dim(1);
  const auto ids = batch.inputs.values<int64_t>().subspan(static_cast<size_t>(row * width));
  const auto wanted = batch.targets.values<int64_t>().subspan(static_cast<size_t>(row * width));
  std::vector<Prompt> all;
  for (int64_t at = 0; at < width; ++at) {
    if (wanted[static_cast<size_t>(at)] == Batch::ignored) continue;
    int64_t end = at;
    while (end < width && wanted[static_cast<size_t>(end)] != Batch::ignored) ++end;
    all.push_back({{ids.begin(), ids.begin() + at + 1},
                   answer_text(wanted.subspan(static_cast<size_t>(at), static_cast<size_t>(end - at)))});
    at = end;
  }
  return all;
}

std::string TableTask::target_text(const Batch& batch, int64_t row) const {
  if (!form_.has_turns) return TokenTask::target_text(batch, row);
  std::string text;
  for (const Prompt& prompt : prompts(batch, row)) text += str(text.empty() ? "" : "\n", prompt.answer);
  return text;
}

}  // namespace weft
