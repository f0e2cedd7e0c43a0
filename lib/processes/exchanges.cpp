#include <weft/lib/machine/parallel.h>
#include <weft/lib/processes/courier_internal.h>

#include <algorithm>
#include <limits>

namespace weft::detail {

size_t Shares::place() {
  int64_t all = 0;
  for (size_t r = 0; r < bytes.size(); ++r) {
    at[r] = static_cast<int>(all);
    all += bytes[r];
    if (all > std::numeric_limits<int>::max())
      fail<ProcessError>("processes: more than 2 GB would go between them at once");
  }
  return static_cast<size_t>(all);
}

bool Gather::advance(Link& link) {
  const auto size = static_cast<size_t>(link.size());
  if (stage_ == 0) {
    length_ = std::ssize(mine_);
    lengths_.resize(size);
    shares_ = std::make_unique<Shares>(size);
    std::ranges::fill(shares_->bytes, static_cast<int>(sizeof(int64_t)));
    shares_->place();
    request_ = link.all_gather(weft_mpi_gathers, &length_, sizeof length_, lengths_.data(), *shares_);
    stage_ = 1;
  }
  if (!link.is_done(request_)) return false;
  if (stage_ == 1) {
    for (size_t r = 0; r < size; ++r) {
      if (lengths_[r] > std::numeric_limits<int>::max())
        fail<ProcessError>("processes: more than 2 GB would go between them at once");
      shares_->bytes[r] = static_cast<int>(lengths_[r]);
    }
    taken_.resize(shares_->place());
    request_ = link.all_gather(weft_mpi_gathers, mine_.data(),
                               shares_->bytes[static_cast<size_t>(link.rank())], taken_.data(), *shares_);
    stage_ = 2;
    if (!link.is_done(request_)) return false;
  }
  for (size_t r = 0; r < size; ++r)
    all.emplace_back(taken_, static_cast<size_t>(shares_->at[r]), static_cast<size_t>(shares_->bytes[r]));
  return true;
}

namespace {

/// Numbers that processes share go in lines of the cache.
constexpr int64_t line = 16;
constexpr int64_t tile = int64_t{1} << 14;

template <class T>
void add_numbers(char* to, const char* a, const char* b, int64_t count) {
  T* const sum = reinterpret_cast<T*>(to);
  const T* const lower = reinterpret_cast<const T*>(a);
  const T* const upper = reinterpret_cast<const T*>(b);
  parallel_for(count, tile, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) sum[i] = lower[i] + upper[i];
  });
}

}  // namespace

Summing::Summing(ShardSum sum, int rank, int size)
    : sum_(std::move(sum)),
      rank_(rank),
      size_(size),
      bytes_(static_cast<int>(size_of(sum_.dtype))),
      out_(static_cast<size_t>(size)),
      in_(static_cast<size_t>(size)),
      whole_(static_cast<size_t>(size)) {
  for (int r = 0; r < size; ++r) subtrees_.push_back(subtrees_of(part_of(sum_.shards, size, r)));
}

NumberRange Summing::part(int r) const {
  const NumberRange lines = part_of((sum_.count + line - 1) / line, size_, r);
  return {std::min(lines.begin * line, sum_.count), std::min(lines.end * line, sum_.count)};
}

void Summing::pack() {
  const auto me = static_cast<size_t>(rank_);
  const auto bytes_of = [&](const NumberRange& numbers) {
    return static_cast<int>(numbers.end - numbers.begin) * bytes_;
  };
  for (int r = 0; r < size_; ++r) {
    const auto at = static_cast<size_t>(r);
    whole_.bytes[at] = bytes_of(part(r));
    if (r == rank_) continue;  // what is added here stays here
    out_.bytes[at] = whole_.bytes[at] * static_cast<int>(subtrees_[me].size());
    in_.bytes[at] = bytes_of(part(rank_)) * static_cast<int>(subtrees_[at].size());
  }
  given_.resize(out_.place());
  taken_.resize(in_.place());
  own_.resize(static_cast<size_t>(whole_.bytes[me]) * subtrees_[me].size());
  result_.resize(whole_.place());
  for (int r = 0; r < size_; ++r) {
    const NumberRange numbers = part(r);
    char* to = r == rank_ ? own_.data() : given_.data() + out_.at[static_cast<size_t>(r)];
    for (size_t i = 0; i < subtrees_[me].size(); ++i) {
      sum_.read(i, numbers.begin, numbers.end, to);
      to += whole_.bytes[static_cast<size_t>(r)];
    }
  }
}

/// The tree, as far as it spans processes, on the part of this one; the last addition goes to its place in result_.
void Summing::add() {
  struct Partial {
    Subtree subtree;
    const char* numbers;
    char* room;  ///< where a sum with it may stand
  };
  const auto me = static_cast<size_t>(rank_);
  const NumberRange mine = part(rank_);
  const int64_t count = mine.end - mine.begin;
  const int bytes = whole_.bytes[me];
  char* const result = result_.data() + whole_.at[me];
  std::vector<Partial> stack;
  for (size_t r = 0; r < subtrees_.size(); ++r) {
    char* numbers = r == me ? own_.data() : taken_.data() + in_.at[r];
    for (const Subtree& subtree : subtrees_[r]) {
      push_node(stack, Partial{subtree, numbers, numbers}, [&](Partial& lower, const Partial& upper) {
        char* const to = lower.subtree.width == sum_.shards ? result : lower.room;
        if (sum_.dtype == DType::float32)
          add_numbers<float>(to, lower.numbers, upper.numbers, count);
        else
          add_numbers<double>(to, lower.numbers, upper.numbers, count);
        lower.numbers = to;
      });
      numbers += bytes;
    }
  }
}

bool Summing::advance(Link& link, bool turn) {
  if (stage_ == 0) {
    pack();
    request_ = link.all_to_all(weft_mpi_parts, given_.data(), out_, taken_.data(), in_);
    stage_ = 1;
  }
  if (stage_ == 1) {
    // All begin to give sums in one order.
    if (!turn || !link.is_done(request_)) return false;
    add();
    request_ = link.all_gather_in_place(weft_mpi_sums, result_.data(), whole_);
    stage_ = 2;
  }
  if (!link.is_done(request_)) return false;
  for (int r = 0; r < size_; ++r) {
    const NumberRange numbers = part(r);
    if (numbers.begin < numbers.end)
      sum_.write(numbers.begin, numbers.end, result_.data() + whole_.at[static_cast<size_t>(r)]);
  }
  return true;
}

}  // namespace weft::detail
