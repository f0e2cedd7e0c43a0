#include <weft/data/dataset.h>
#include <weft/lib/array/random.h>
#include <weft/lib/base/advice.h>

#include <algorithm>
#include <utility>

namespace weft {
namespace {

void check_window(const char* op, const TokenRange& tokens, int64_t block_size) {
  if (block_size < 1) fail<ValueError>(op, ": block_size must be at least 1, not ", block_size);
  if (tokens.size > block_size) return;
  Advice advice;
  if (tokens.size > 1) advice.settings = {str("block_size=", tokens.size - 1)};
  fail_with<ValueError>(std::move(advice), tokens.name, ": too short for one window: block_size ", block_size,
                        " needs at least ", block_size + 1, " tokens, found ", tokens.size,
                        "; give more text or a smaller block_size");
}

/// Rows of `length` inputs and the same shifted by one; begin_of(row) says where a row begins.
template <class BeginOf>
Batch rows_of(const TokenRange& tokens, int64_t rows, int64_t length, BeginOf begin_of) {
  Batch batch{Array({rows, length}, int64), Array({rows, length}, int64)};
  int64_t* inputs = batch.inputs.mutable_data<int64_t>();
  int64_t* targets = batch.targets.mutable_data<int64_t>();
  std::vector<int64_t> window(static_cast<size_t>(length) + 1);
  for (int64_t row = 0; row < rows; ++row) {
    tokens.read(begin_of(row), window);
    std::copy(window.begin(), window.end() - 1, inputs + row * length);
    std::copy(window.begin() + 1, window.end(), targets + row * length);
  }
  return batch;
}

int64_t rows_left(const char* op, int64_t first, int64_t count, int64_t size) {
  check_samples(op, first, count);
  if (first >= size) fail<ValueError>(op, ": window ", first, " of ", size);
  return std::min(count, size - first);
}

}  // namespace

void check_samples(const char* op, int64_t first, int64_t count) {
  if (first < 0 || count < 1 || first > INT64_MAX - count)
    fail<ValueError>(op, ": needs first at least 0, count at least 1 and their sum below 2^63, not ", first,
                     " and ", count);
}

std::vector<std::vector<SamplePlace>> places_of(const TokenRange& tokens, const std::vector<int64_t>& ends,
                                                const std::vector<size_t>& stretches) {
  std::vector<std::vector<SamplePlace>> all(stretches.size());
  if (!tokens.origin) return all;
  std::vector<int64_t> numbers;
  for (const int64_t end : ends) numbers.push_back(tokens.begin + end);
  const std::vector<TokenPlace> found = tokens.origin->places(numbers);
  size_t at = 0;
  for (size_t sample = 0; sample < stretches.size(); ++sample)
    for (size_t i = 0; i < stretches[sample]; ++i, at += 2) all[sample].push_back({found[at], found[at + 1]});
  return all;
}

TokenDataset::TokenDataset(TokenRange tokens, int64_t block_size, uint64_t seed)
    : tokens_(std::move(tokens)), block_size_(block_size), seed_(seed) {
  check_window("TokenDataset", tokens_, block_size);
  windows_ = std::max<int64_t>(1, tokens_.size / block_size - 1);
  offsets_ = std::min(block_size, tokens_.size - block_size);
}

int64_t TokenDataset::window_begin(int64_t sample) const {
  const auto epoch = static_cast<uint64_t>(sample / windows_);
  const auto index = static_cast<uint64_t>(sample % windows_);
  const RandomKey grid = random_key(seed_, stream_id("data.grid"), epoch);
  const RandomKey order = random_key(seed_, stream_id("data.order"), epoch);
  const auto offset = static_cast<int64_t>(integer_at(grid, 0, 0, static_cast<uint64_t>(offsets_)));
  const auto window = static_cast<int64_t>(permuted(order, index, static_cast<uint64_t>(windows_)));
  return offset + window * block_size_;
}

Batch TokenDataset::batch(int64_t first, int64_t count) const {
  check_samples("TokenDataset", first, count);
  return rows_of(tokens_, count, block_size_, [&](int64_t row) { return window_begin(first + row); });
}

std::vector<std::vector<SamplePlace>> TokenDataset::places(int64_t first, int64_t count) const {
  check_samples("TokenDataset", first, count);
  std::vector<int64_t> ends;
  for (int64_t n = first; n < first + count; ++n)
    ends.insert(ends.end(), {window_begin(n), window_begin(n) + block_size_});
  return places_of(tokens_, ends, std::vector<size_t>(static_cast<size_t>(count), 1));
}

EvalDataset::EvalDataset(TokenRange tokens, int64_t block_size, int64_t wanted)
    : tokens_(std::move(tokens)), block_size_(block_size) {
  check_window("EvalDataset", tokens_, block_size);
  if (wanted < 0) fail<ValueError>("EvalDataset: wanted must be at least 0, not ", wanted);
  windows_ = (tokens_.size - 1) / block_size;
  count_ = wanted == 0 ? windows_ : std::min(wanted, windows_);
}

int64_t EvalDataset::window_begin(int64_t index) const {
  // floor(index * windows / count), without overflow.
  const int64_t window = index * (windows_ / count_) + index * (windows_ % count_) / count_;
  return window * block_size_;
}

Batch EvalDataset::batch(int64_t first, int64_t count) const {
  const int64_t rows = rows_left("EvalDataset", first, count, count_);
  return rows_of(tokens_, rows, block_size_, [&](int64_t row) { return window_begin(first + row); });
}

ScoredWindows::ScoredWindows(TokenRange tokens, int64_t block_size, int64_t stride)
    : tokens_(std::move(tokens)), block_size_(block_size), stride_(stride == 0 ? block_size : stride) {
  if (block_size < 1) fail<ValueError>("ScoredWindows: block_size must be at least 1, not ", block_size);
  if (stride_ < 1 || stride_ > block_size)
    fail<ValueError>("ScoredWindows: stride must be from 1 to block_size ", block_size, ", not ", stride);
  if (tokens_.size < 2)
    fail<ValueError>(tokens_.name, ": needs at least 2 tokens to score one, found ", tokens_.size);
  const int64_t beyond = std::max<int64_t>(0, scored() - block_size);
  count_ = 1 + beyond / stride_ + (beyond % stride_ != 0 ? 1 : 0);
}

ScoredWindow ScoredWindows::operator[](int64_t index) const {
  const int64_t begin = index * stride_;
  return {.begin = begin,
          .length = std::min(block_size_, scored() - begin),
          .first_scored = index == 0 ? 0 : block_size_ - stride_};
}

Batch ScoredWindows::batch(int64_t first, int64_t count) const {
  const int64_t rows = rows_left("ScoredWindows", first, count, count_);
  const int64_t longest = (*this)[first].length;
  Batch batch{Array::zeros({rows, longest}, int64),
              Array::full({rows, longest}, double{Batch::ignored}, int64)};
  int64_t* inputs = batch.inputs.mutable_data<int64_t>();
  int64_t* targets = batch.targets.mutable_data<int64_t>();
  for (int64_t row = 0; row < rows; ++row) {
    const auto [begin, length, first_scored] = (*this)[first + row];
    std::vector<int64_t> window(static_cast<size_t>(length) + 1);
    tokens_.read(begin, window);
    std::copy(window.begin(), window.end() - 1, inputs + row * longest);
    std::copy(window.begin() + 1 + first_scored, window.end(), targets + row * longest + first_scored);
  }
  return batch;
}

}  // namespace weft
