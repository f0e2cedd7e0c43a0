#include <weft/layers/models/decoding/prefix_state_internal.h>
#include <weft/lib/kernels/movement.h>

#include <algorithm>
#include <functional>

namespace weft {

PrefixState::PrefixState(int64_t rows) {
  if (rows < 0) fail<ValueError>("DecoderState: ", rows, " rows");
  read_.resize(static_cast<size_t>(rows));
}

PrefixState::PrefixState(const Batch& source) : source_{source.inputs, {}, source.lengths} {
  if (!source.inputs.defined() || source.inputs.rank() < 1)
    fail<ShapeError>("DecoderState: the source to answer is ",
                     source.inputs.defined() ? str(source.inputs.shape()) : "missing", ": needs (B, ...)");
  read_.resize(static_cast<size_t>(source.inputs.dim(0)));
}

int64_t PrefixState::length(int64_t row) const {
  if (row < 0 || row >= rows()) fail<ValueError>("DecoderState: there is no row ", row, " among ", rows());
  return static_cast<int64_t>(read_[static_cast<size_t>(row)].size());
}

void PrefixState::select(std::span<const int64_t> rows) {
  std::vector<std::vector<int64_t>> read;
  std::vector<int64_t> lengths;
  for (const int64_t row : rows) {
    length(row);
    read.push_back(read_[static_cast<size_t>(row)]);
    if (!source_.lengths.empty()) lengths.push_back(source_.lengths[static_cast<size_t>(row)]);
  }
  if (answers()) {
    const Array ids = Array::from(rows, {static_cast<int64_t>(rows.size())});
    source_ = {kernels::take_rows(source_.inputs, ids), {}, std::move(lengths)};
  }
  read_ = std::move(read);
}

namespace {

/// Zeros behind the tokens of each row.
Array lengthened(const Array& x, int64_t tokens) {
  return x.dim(1) == tokens ? x : kernels::unslice(x, x.shape().with(1, tokens), 1, 0);
}

/// The source of both, one below the other; false where they do not go together.
bool join_sources(Batch& source, const Batch& other) {
  const Shape &a = source.inputs.shape(), &b = other.inputs.shape();
  if (a.rank() != b.rank() || source.inputs.dtype() != other.inputs.dtype()) return false;
  const bool ragged =
      a.rank() > 1 && (!source.lengths.empty() || !other.lengths.empty() || a.dim(1) != b.dim(1));
  if (!ragged) {
    if (!(a.with(0, 0) == b.with(0, 0))) return false;
    source.inputs = kernels::cat({source.inputs, other.inputs}, 0);
    return true;
  }
  const int64_t tokens = std::max(a.dim(1), b.dim(1));
  if (!(a.with(0, 0).with(1, 0) == b.with(0, 0).with(1, 0))) return false;
  if (source.lengths.empty()) source.lengths.assign(static_cast<size_t>(a.dim(0)), a.dim(1));
  const std::vector<int64_t> all(static_cast<size_t>(b.dim(0)), b.dim(1));
  const std::vector<int64_t>& more = other.lengths.empty() ? all : other.lengths;
  source.lengths.insert(source.lengths.end(), more.begin(), more.end());
  source.inputs = kernels::cat({lengthened(source.inputs, tokens), lengthened(other.inputs, tokens)}, 0);
  return true;
}

}  // namespace

bool PrefixState::join(DecoderState& of) {
  auto* const other = dynamic_cast<PrefixState*>(&of);
  if (!other || other == this || other->answers() != answers()) return false;
  if (answers() && !join_sources(source_, other->source_)) return false;
  read_.insert(read_.end(), other->read_.begin(), other->read_.end());
  other->select({});
  return true;
}

void PrefixState::append(const Array& ids, std::span<const int64_t> lengths) {
  const Array whole = ids.to(int64);
  const int64_t T = ids.dim(1);
  const int64_t* row = whole.data<int64_t>();
  for (size_t b = 0; b < read_.size(); ++b, row += T)
    read_[b].insert(read_[b].end(), row, row + (lengths.empty() ? T : lengths[b]));
}

void PrefixState::take_back(const Array& ids, std::span<const int64_t> lengths) {
  for (size_t b = 0; b < read_.size(); ++b)
    read_[b].resize(read_[b].size() - static_cast<size_t>(lengths.empty() ? ids.dim(1) : lengths[b]));
}

Batch PrefixState::batch() const {
  size_t longest = 0;
  for (const std::vector<int64_t>& row : read_) longest = std::max(longest, row.size());
  const auto B = static_cast<int64_t>(read_.size()), T = static_cast<int64_t>(longest);
  Array ids = Array::full({B, T}, answers() ? static_cast<double>(Batch::ignored) : 0.0, int64);
  std::vector<int64_t> lengths;
  int64_t* to = ids.mutable_data<int64_t>();
  for (const std::vector<int64_t>& row : read_) {
    std::copy(row.begin() + (answers() ? 1 : 0), row.end(), to);
    to += T;
    lengths.push_back(static_cast<int64_t>(row.size()));
  }
  if (answers()) return {source_.inputs, ids, source_.lengths};
  if (std::ranges::adjacent_find(lengths, std::not_equal_to()) == lengths.end()) lengths.clear();
  return {ids, {}, std::move(lengths)};
}

void PrefixState::check_start(const std::string& model, int64_t start_id) const {
  for (size_t b = 0; b < read_.size(); ++b)
    if (read_[b].front() != start_id)
      fail<ValueError>(model, ": row ", b, " begins with ", read_[b].front(), ", not with the start_id ",
                       start_id);
}

}  // namespace weft
