#include <weft/lib/kernels/elementwise/elementwise.h>
#include <weft/optim/gradient_shards.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace weft {
namespace {

constexpr int64_t pack_size = int64_t{1} << 20;

void append(std::string& text, const void* from, size_t bytes) {
  text.append(static_cast<const char*>(from), bytes);
}

/// Adds up by the tree.
double tree_sum(const std::vector<double>& leaves) {
  struct Node {
    Subtree subtree;
    double sum;
  };
  std::vector<Node> stack;
  for (size_t i = 0; i < leaves.size(); ++i)
    push_node(stack, Node{{static_cast<int64_t>(i), 1}, leaves[i]},
              [](Node& lower, const Node& upper) { lower.sum += upper.sum; });
  return stack.front().sum;
}

}  // namespace

GradientShards::GradientShards(std::vector<NamedTensor> parameters, int64_t shards, Processes& processes)
    : parameters_(std::move(parameters)),
      shards_(shards),
      processes_(processes),
      mine_(processes.shards(shards)),
      partials_(parameters_.size()),
      done_(parameters_.size()) {
  for (size_t i = 0; i < parameters_.size(); ++i) numbers_.emplace(parameters_[i].tensor.state().get(), i);
  make_packs({});
  begin();
}

UpdateShare GradientShards::share(int64_t batches) const {
  return {.batches = batches, .shards = shards_, .mine = mine_};
}

void GradientShards::make_packs(const std::vector<size_t>& order) {
  packs_.clear();
  std::vector<bool> packed(parameters_.size());
  const auto pack_up = [&](size_t i) {
    const Tensor& tensor = parameters_[i].tensor;
    packed[i] = true;
    for (int64_t begin = 0; begin < tensor.size();) {
      if (packs_.empty() || packs_.back().count == pack_size || packs_.back().dtype != tensor.dtype())
        packs_.push_back({.dtype = tensor.dtype()});
      Pack& pack = packs_.back();
      const int64_t count = std::min(tensor.size() - begin, pack_size - pack.count);
      pack.segments.push_back({i, begin, count});
      pack.count += count;
      begin += count;
    }
  };
  for (const size_t i : order) pack_up(i);
  // Backward reaches the last parameters first.
  for (size_t i = parameters_.size(); i-- > 0;)
    if (!packed[i]) pack_up(i);
}

void GradientShards::begin() {
  for (std::vector<Partial>& partials : partials_) partials.clear();
  std::fill(done_.begin(), done_.end(), false);
  sent_ = 0;
  if (is_first_update_) order_.clear();
  next_ = mine_.begin;
  meter_ = {};
  losses_.clear();
}

Array GradientShards::taken(size_t parameter) {
  Tensor& tensor = parameters_[parameter].tensor;
  const Tensor grad = tensor.grad();
  if (!grad.defined()) return {};
  Array gradient = grad.value();
  tensor.zero_grad();
  return gradient;
}

void GradientShards::push(size_t parameter, int64_t shard, Array gradient) {
  const Tensor& tensor = parameters_[parameter].tensor;
  push_node(partials_[parameter], Partial{{shard, 1}, std::move(gradient)},
            [&](Partial& lower, Partial& upper) {
              if (!upper.sum.defined() && !lower.sum.defined()) return;
              // What is not there counts as zeros, as it does on the way between processes: -0 becomes 0.
              for (Array* const one : {&lower.sum, &upper.sum})
                if (!one->defined()) *one = Array::zeros(tensor.shape(), tensor.dtype());
              kernels::add_into(lower.sum, upper.sum);
            });
}

void GradientShards::end_shard(int64_t shard) {
  for (size_t i = 0; i < parameters_.size(); ++i)
    if (!done_[i]) push(i, shard, taken(i));
  losses_.push_back({meter_.sum(), meter_.count()});
  meter_ = {};
  next_ = shard + 1;
}

BackwardOptions GradientShards::backward_options(const UpdatePiece& piece) {
  if (processes_.size() == 1 || !piece.is_last || piece.shard != mine_.end - 1) return {};
  // Shards before it that have no sample.
  while (next_ < piece.shard) end_shard(next_);
  return {.leaf_done = [this, shard = piece.shard](const Tensor& leaf) {
    const auto found = numbers_.find(leaf.state().get());
    if (found == numbers_.end()) return;
    push(found->second, shard, taken(found->second));
    done_[found->second] = true;
    if (is_first_update_) order_.push_back(found->second);
    send_packs();
  }};
}

void GradientShards::end_piece(const UpdatePiece& piece, const Loss& loss) {
  while (next_ < piece.shard) end_shard(next_);
  meter_.add(loss);
  if (piece.ends_shard) end_shard(piece.shard);
}

void GradientShards::send_packs() {
  for (; sent_ < packs_.size(); ++sent_) {
    const Pack& pack = packs_[sent_];
    if (!std::ranges::all_of(pack.segments, [&](const Segment& s) { return done_[s.parameter]; })) return;
    send(pack);
  }
}

void GradientShards::send(const Pack& pack) {
  struct Stretch {
    int64_t begin, count;               ///< in the pack
    std::vector<const char*> partials;  ///< null: zeros
    char* sum;
  };
  std::vector<Stretch> stretches;
  const auto bytes = static_cast<int64_t>(size_of(pack.dtype));
  int64_t at = 0;
  for (const Segment& segment : pack.segments) {
    std::vector<Partial>& partials = partials_[segment.parameter];
    Array& sum = partials[0].sum;
    if (!sum.defined()) {
      const Tensor& tensor = parameters_[segment.parameter].tensor;
      sum = Array::zeros(tensor.shape(), tensor.dtype());
    }
    Stretch stretch{at, segment.count, {}, static_cast<char*>(sum.mutable_bytes()) + segment.begin * bytes};
    for (const Partial& partial : partials) {
      const char* const from = static_cast<const char*>(partial.sum.bytes());
      stretch.partials.push_back(from == nullptr ? nullptr : from + segment.begin * bytes);
    }
    at += segment.count;
    stretches.push_back(std::move(stretch));
  }
  // Of [begin, end) what lies in each stretch.
  const auto each = [stretches = std::move(stretches)](int64_t begin, int64_t end, const auto& take) {
    for (const Stretch& s : stretches) {
      const int64_t from = std::max(begin, s.begin), to = std::min(end, s.begin + s.count);
      if (from < to) take(s, from - s.begin, from - begin, to - from);
    }
  };
  processes_.start_sum(
      {.dtype = pack.dtype,
       .count = pack.count,
       .shards = shards_,
       .read =
           [each, bytes](size_t subtree, int64_t begin, int64_t end, void* to) {
             each(begin, end, [&](const Stretch& s, int64_t from, int64_t place, int64_t count) {
               char* const target = static_cast<char*>(to) + place * bytes;
               if (const char* const partial = s.partials[subtree])
                 std::memcpy(target, partial + from * bytes, static_cast<size_t>(count * bytes));
               else
                 std::memset(target, 0, static_cast<size_t>(count * bytes));
             });
           },
       .write =
           [each, bytes](int64_t begin, int64_t end, const void* from) {
             each(begin, end, [&](const Stretch& s, int64_t to, int64_t place, int64_t count) {
               std::memcpy(s.sum + to * bytes, static_cast<const char*>(from) + place * bytes,
                           static_cast<size_t>(count * bytes));
             });
           }});
}

GradientShards::Total GradientShards::finish(const std::string& note) {
  while (next_ < mine_.end) end_shard(next_);
  std::string mine(parameters_.size(), '0');
  for (size_t i = 0; i < parameters_.size(); ++i)
    if (std::ranges::any_of(partials_[i], [](const Partial& p) { return p.sum.defined(); })) mine[i] = '1';
  if (processes_.size() > 1) {
    std::fill(done_.begin(), done_.end(), true);
    send_packs();
  }
  append(mine, losses_.data(), losses_.size() * sizeof(ShardLoss));
  if (is_first_update_) {
    order_.insert(order_.begin(), order_.size());
    append(mine, order_.data(), order_.size() * sizeof(size_t));
  }
  mine += note;

  Total total;
  std::vector<double> sums;
  std::string given(parameters_.size(), '0');
  const std::vector<std::string> all = processes_.gather(mine);
  for (size_t r = 0; r < all.size(); ++r) {
    const NumberRange theirs = part_of(shards_, processes_.size(), static_cast<int64_t>(r));
    const char* at = all[r].data();
    for (char& flag : given) flag = std::max(flag, *at++);
    for (int64_t shard = theirs.begin; shard < theirs.end; ++shard, at += sizeof(ShardLoss)) {
      ShardLoss loss;
      std::memcpy(&loss, at, sizeof loss);
      sums.push_back(loss.sum);
      total.rows += loss.rows;
    }
    if (is_first_update_) {
      size_t count = 0;
      std::memcpy(&count, at, sizeof count);
      if (r == 0) {
        order_.resize(count);
        std::memcpy(order_.data(), at + sizeof count, count * sizeof(size_t));
      }
      at += (1 + count) * sizeof(size_t);
    }
    total.notes.emplace_back(at, all[r].data() + all[r].size());
  }
  total.loss = tree_sum(sums);
  processes_.finish_sums();
  if (is_first_update_) make_packs(order_);
  is_first_update_ = false;
  for (size_t i = 0; i < parameters_.size(); ++i)
    if (given[i] == '1') parameters_[i].tensor.set_grad(std::move(partials_[i][0].sum));
  begin();
  return total;
}

int64_t GradientShards::staging_bytes() const {
  if (processes_.size() == 1 || packs_.empty()) return 0;
  int64_t largest = 0;
  for (const Pack& pack : packs_)
    largest = std::max(largest, pack.count * static_cast<int64_t>(size_of(pack.dtype)));
  // Three sums at once: what is given, taken and made of each.
  const auto subtrees = static_cast<int64_t>(subtrees_of(mine_).size());
  return 3 * largest * (2 * subtrees + 2);
}

}  // namespace weft
