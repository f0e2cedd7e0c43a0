#include <weft/data/mixture.h>
#include <weft/lib/array/random.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

namespace weft {
namespace {

constexpr double most_whole = 4096;
constexpr int64_t usual_round = 1000;

std::vector<int64_t> shares_of(const std::vector<double>& weights) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<int64_t> shares;
  if (sum <= most_whole && std::ranges::all_of(weights, [](double w) { return w == std::trunc(w); })) {
    int64_t divisor = 0;
    for (const double weight : weights) divisor = std::gcd(divisor, static_cast<int64_t>(weight));
    for (const double weight : weights) shares.push_back(static_cast<int64_t>(weight) / divisor);
    return shares;
  }
  std::vector<std::pair<double, size_t>> remainders;  // negative, so that the largest come first
  int64_t left = usual_round;
  for (size_t i = 0; i < weights.size(); ++i) {
    const double share = weights[i] / sum * static_cast<double>(usual_round);
    shares.push_back(std::max<int64_t>(1, static_cast<int64_t>(share)));
    remainders.emplace_back(static_cast<double>(shares.back()) - share, i);
    left -= shares.back();
  }
  std::ranges::sort(remainders);
  for (size_t i = 0; left > 0; ++i, --left) ++shares[remainders[i % remainders.size()].second];
  return shares;
}

/// Rows of `from` (b, t, ...) into `to` (B, T, ...) from `row` on.
void copy_rows(const Array& from, Array& to, int64_t row) {
  const int64_t rows = from.dim(0), bytes = static_cast<int64_t>(from.nbytes()) / std::max<int64_t>(1, rows),
                width = static_cast<int64_t>(to.nbytes()) / to.dim(0);
  auto* const out = static_cast<char*>(to.mutable_bytes());
  const auto* const in = static_cast<const char*>(from.bytes());
  for (int64_t i = 0; i < rows; ++i)
    std::memcpy(out + (row + i) * width, in + i * bytes, static_cast<size_t>(bytes));
}

Array stacked_arrays(const std::vector<const Array*>& all, double padding) {
  Shape shape = all[0]->shape().with(0, 0);
  for (const Array* one : all) {
    const Shape& other = one->shape();
    const bool ragged = shape.rank() == 2 && other.rank() == 2;
    if (one->dtype() != all[0]->dtype() || (!ragged && other.with(0, shape[0]) != shape))
      fail<ValueError>("stacked: batches of ", all[0]->shape(), " and ", other, " do not fit");
    shape = shape.with(0, shape[0] + other[0]);
    if (ragged) shape = shape.with(1, std::max(shape[1], other[1]));
  }
  Array to = Array::full(shape, padding, all[0]->dtype());
  int64_t row = 0;
  for (const Array* one : all) {
    copy_rows(*one, to, row);
    row += one->dim(0);
  }
  return to;
}

}  // namespace

Batch stacked(const std::vector<Batch>& batches, int64_t pad_id) {
  if (batches.empty()) fail<ValueError>("stacked: no batches");
  if (batches.size() == 1) return batches[0];
  std::vector<const Array*> inputs, targets;
  bool ragged = false, documents = false;
  for (const Batch& one : batches) {
    inputs.push_back(&one.inputs);
    targets.push_back(&one.targets);
    ragged = ragged || !one.lengths.empty() ||
             (one.inputs.rank() == 2 && batches[0].inputs.rank() == 2 &&
              one.inputs.dim(1) != batches[0].inputs.dim(1));
    documents = documents || !one.documents.empty();
  }
  Batch all{stacked_arrays(inputs, static_cast<double>(pad_id)),
            stacked_arrays(targets, double{Batch::ignored})};
  for (const Batch& one : batches) {
    const auto rows = static_cast<size_t>(one.inputs.dim(0));
    if (ragged && one.lengths.empty()) all.lengths.insert(all.lengths.end(), rows, one.inputs.dim(1));
    all.lengths.insert(all.lengths.end(), one.lengths.begin(), one.lengths.end());
    if (documents && one.documents.empty())
      all.documents.insert(all.documents.end(), rows, std::vector<int64_t>{0});
    all.documents.insert(all.documents.end(), one.documents.begin(), one.documents.end());
  }
  return all;
}

MixtureDataset::MixtureDataset(std::vector<Part> parts, uint64_t seed, int64_t pad_id)
    : parts_(std::move(parts)), seed_(seed), pad_id_(pad_id) {
  if (parts_.empty() || parts_.size() > static_cast<size_t>(usual_round))
    fail<ValueError>("MixtureDataset: ", parts_.size(), " parts, not 1 to ", usual_round);
  std::vector<double> weights;
  for (const Part& part : parts_) {
    if (!part.dataset) fail<ValueError>("MixtureDataset: part ", weights.size(), " is null");
    if (!std::isfinite(part.weight) || part.weight <= 0)
      fail<ValueError>("MixtureDataset: the weight of part ", weights.size(), " must be above 0, not ",
                       part.weight);
    weights.push_back(part.weight);
  }
  in_round_ = shares_of(weights);
  round_ = std::accumulate(in_round_.begin(), in_round_.end(), int64_t{0});
}

int64_t MixtureDataset::samples_per_epoch() const {
  int64_t all = 0;
  for (const Part& part : parts_) all += part.dataset->samples_per_epoch();
  return all;
}

MixtureDataset::Choice MixtureDataset::choice(int64_t sample) const {
  const int64_t round = sample / round_;
  const RandomKey key = random_key(seed_, stream_id("data.mixture"), static_cast<uint64_t>(round));
  auto place = static_cast<int64_t>(
      permuted(key, static_cast<uint64_t>(sample % round_), static_cast<uint64_t>(round_)));
  size_t part = 0;
  for (; place >= in_round_[part]; ++part) place -= in_round_[part];
  return {part, round * in_round_[part] + place};
}

Batch MixtureDataset::batch(int64_t first, int64_t count) const {
  check_samples("MixtureDataset", first, count);
  std::vector<Batch> rows;
  for (int64_t n = first; n < first + count; ++n) {
    const Choice chosen = choice(n);
    rows.push_back(parts_[chosen.part].dataset->batch(chosen.sample, 1));
  }
  return stacked(rows, pad_id_);
}

std::vector<std::vector<SamplePlace>> MixtureDataset::places(int64_t first, int64_t count) const {
  check_samples("MixtureDataset", first, count);
  std::vector<std::vector<SamplePlace>> all;
  for (int64_t n = first; n < first + count; ++n) {
    const Choice chosen = choice(n);
    all.push_back(parts_[chosen.part].dataset->places(chosen.sample, 1)[0]);
  }
  return all;
}

}  // namespace weft
