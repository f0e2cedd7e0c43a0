#include <weft/lib/kernels/products/product_internal.h>
#include <weft/lib/kernels/products/tuning.h>
#include <weft/lib/kernels/scratch.h>
#include <weft/lib/machine/memory.h>
#include <weft/lib/machine/parallel.h>
#include <weft/lib/machine/subnormals.h>

#include <algorithm>
#include <memory>
#include <optional>

namespace weft::kernels {
namespace {

/// A large product, cut for the caches. One operand, the shared one, is packed first, by all threads; blocks
/// of the other are packed by the thread that multiplies them, into memory that stays in its second cache. k
/// goes in steps of `depth`.
class PackedProduct {
 public:
  explicit PackedProduct(const Product& product)
      : x_(product),
        by_rows_(x_.m >= x_.n || x_.m > cut_.shared_rows),
        reads_in_place_(!x_.pairs && by_rows_ && x_.a.column == 1 && x_.a.row % same_set != 0),
        depth_(round_up(up(x_.k, up(x_.k, deepest())), 16)),
        block_(by_rows_ ? row_block() : column_block()),
        height_(even_height(by_rows_ ? block_ : x_.m)),
        streamed_(by_rows_ ? Axis{x_.m, height_, x_.stride()} : Axis{x_.n, x_.columns(), x_.columns()}),
        shared_(by_rows_ ? Axis{x_.n, x_.columns(), x_.columns()} : Axis{x_.m, height_, x_.stride()}),
        k_(std::min(x_.k, by_rows_ ? 8 * depth_ : depth_)),
        shared_size_(std::max<int64_t>(1, std::min(up(shared_.size, shared_.panel),
                                                   cut_.shared_floats / (k_ * shared_.packed))) *
                     shared_.panel),
        far_(x_.m * x_.k + x_.k * x_.n + x_.m * x_.n > cut_.cached_floats),
        streams_(streams()),
        packed_(
            allocate(static_cast<size_t>(shared_size_ / shared_.panel * shared_.packed * packed_depth(k_)) *
                     sizeof(float))),
        c_(x_.c) {}

  void run() {
    const bool several = k_ < x_.k;  // blocks of k, over which sums go on in floats
    const std::shared_ptr<Buffer> sums =
        x_.narrow && several ? allocate(static_cast<size_t>(x_.m * x_.c_row) * sizeof(float)) : nullptr;
    if (sums) c_ = static_cast<float*>(sums->data);
    for (int64_t p = 0; p < x_.k; p += k_)
      for (int64_t j = 0; j < shared_.size; j += shared_size_) {
        const Range part{j, std::min(shared_.size, j + shared_size_)}, ks{p, std::min(x_.k, p + k_)};
        pack_shared(part, ks);
        multiply(part, ks);
      }
    if (sums)
      parallel_for(x_.m, up(tile_work / 8, x_.n), [&](int64_t begin, int64_t end) {
        round({begin, end}, {0, x_.n}, c_ + begin * x_.c_row, x_.c_row);
      });
  }

 private:
  struct Range {
    int64_t begin, end;
    int64_t size() const { return end - begin; }
  };
  /// An axis of the result: its size, the rows or columns of a panel, and their floats in it for each k.
  struct Axis {
    int64_t size, panel, packed;
    int64_t panels(Range range) const { return up(range.size(), panel); }
  };
  /// Floats between rows that would all lie in one set of the first cache: such are packed, others read in
  /// place.
  static constexpr int64_t same_set = 1024;

  void pack(bool is_a, Range range, Range ks, float* out) const {
    if (is_a) {
      const Factor a = x_.a.part(range.begin, ks.begin);
      x_.pairs ? x_.in_pairs.pack_a(range.size(), ks.size(), height_, a.in_pairs(), out)
               : x_.functions.pack_a(range.size(), ks.size(), height_, a.floats(), out);
    } else {
      const Factor b = x_.b.part(ks.begin, range.begin);
      x_.pairs ? x_.in_pairs.pack_b(ks.size(), range.size(), b.in_pairs(), out)
               : x_.functions.pack_b(ks.size(), range.size(), b.floats(), out);
    }
  }

  /// Where what pack() reads of the operand lies.
  isa::Region region(bool is_a, Range range, Range ks) const {
    return is_a ? x_.a.part(range.begin, ks.begin).region(range.size(), ks.size())
                : x_.b.part(ks.begin, range.begin).region(ks.size(), range.size());
  }

  /// What is read of the streamed operand after these, most likely; nothing where the caches have it anyway.
  isa::Region read_after(Range range, Range depth, Range ks) const {
    if (reads_in_place_ && !far_) return {};
    if (depth.end < ks.end) return region(by_rows_, range, depth_at(ks, depth.end));
    const Range following{range.end, std::min(range.end + block_, streamed_.size)};
    return region(by_rows_, following, depth_at(ks, ks.begin));
  }

  /// The most of k at a time. Where A is shared, all of it for as much of k stays in the second cache.
  int64_t deepest() const {
    return by_rows_ ? cut_.depth
                    : std::min(std::max(cut_.near_floats / (up(x_.m, x_.rows()) * x_.stride()), int64_t{128}),
                               cut_.depth);
  }
  /// Of a block of the streamed operand.
  int64_t most_panels() const { return cut_.panels * 16 / (by_rows_ ? x_.stride() : 16); }
  /// Into how many blocks the streamed axis is cut: sixteen, or a multiple of it, come out even on most
  /// numbers of threads; fewer where each would be too short to begin.
  int64_t blocks(int64_t size, int64_t panel) const {
    const int64_t worth = std::min(x_.m * x_.n * x_.k / (2 * tile_work), size / (2 * panel)),
                  even = round_up(num_threads(), 16);
    return std::max<int64_t>(1, std::min(even * up(size, even * most_panels() * panel), worth / 2 * 2));
  }
  /// Into how many slices a part of the shared axis is cut beside: more than one where the blocks would not be enough for
  /// all threads. Each packs the block that it multiplies for itself.
  int64_t slices_of(Range part) const {
    const int64_t blocks = up(streamed_.size, block_), panels = shared_.panels(part),
                  worth = streamed_.size * part.size() * std::min(x_.k, k_) / (2 * tile_work * blocks);
    const int64_t wanted = std::clamp<int64_t>(std::min(up(num_threads(), blocks), worth), 1, panels);
    return up(panels, up(panels, wanted));
  }
  int64_t row_block() const { return up(x_.m, blocks(x_.m, x_.rows())); }
  int64_t column_block() const {
    const int64_t panels = up(x_.n, x_.columns());
    int64_t block = up(panels, blocks(x_.n, x_.columns()));
    if (up(panels, block) % 2 == 1 && block < most_panels()) ++block;
    return block * x_.columns();
  }
  int64_t even_height(int64_t m) const { return up(m, up(m, x_.rows())); }

  /// Places of so many k in panels.
  int64_t packed_depth(int64_t k) const { return x_.pairs ? up(k, 2) * x_.in_pairs.places : k; }
  Range depth_at(Range ks, int64_t p) const { return {p, std::min(ks.end, p + depth_)}; }
  /// Where the shared operand lies from the k `p` on.
  float* shared_at(Range part, Range ks, int64_t p) const {
    return static_cast<float*>(packed_->data) +
           packed_depth(p - ks.begin) * shared_.panels(part) * shared_.packed;
  }

  void pack_shared(Range part, Range ks) const {
    const int64_t at_once = std::clamp<int64_t>(shared_.panels(part) / std::max(8, num_threads()), 1, 4);
    const int64_t groups = up(shared_.panels(part), at_once);
    parallel_for(groups * up(ks.size(), depth_), 1, [&](int64_t item, int64_t) {
      const int64_t p = ks.begin + item / groups * depth_, panel = item % groups * at_once;
      const Range depth = depth_at(ks, p);
      const int64_t begin = part.begin + panel * shared_.panel;
      pack(!by_rows_, {begin, std::min(part.end, begin + at_once * shared_.panel)}, depth,
           shared_at(part, ks, p) + panel * packed_depth(depth.size()) * shared_.packed);
    });
  }

  /// Whether C goes around the caches: it is written once then, in whole lines.
  bool streams() const {
    const bool lines = x_.c_row % 16 == 0 && reinterpret_cast<uintptr_t>(x_.c) % 64 == 0;
    return !x_.read_soon && !x_.accumulate && !x_.turned && !x_.narrow && x_.k <= depth_ && lines &&
           x_.m * x_.n >= cut_.streamed_floats;
  }

  float* c_at(int64_t i, int64_t j) const { return c_ + (x_.turned ? j * x_.c_row + i : i * x_.c_row + j); }

  /// The sums of these rows and columns, rounded to where they belong.
  void round(Range rows, Range columns, const float* sums, int64_t row) const {
    const auto narrow = isa::table().elementwise.narrow;
    for (int64_t i = rows.begin; i < rows.end; ++i, sums += row)
      narrow(sums, &x_.narrow[i * x_.c_row + columns.begin].bits, columns.size());
  }

  void multiply(Range part, Range ks) const {
    const bool rounds = x_.narrow && !c_;  // a block of sums, while it is near
    const Scratch sums(!rounds ? 0 : by_rows_ ? block_ * part.size() : x_.m * block_);
    const Scratch scratch(reads_in_place_ ? 0 : up(block_, streamed_.panel) * streamed_.packed * depth_);
    const int64_t slices = slices_of(part), slice = up(shared_.panels(part), slices);
    parallel_for(up(streamed_.size, block_) * slices, 1, [&](int64_t item, int64_t) {
      const int64_t begin = item / slices * block_, panel = item % slices * slice;
      const Range range{begin, std::min(begin + block_, streamed_.size)},
          own_part{part.begin + panel * shared_.panel,
                   std::min(part.end, part.begin + (panel + slice) * shared_.panel)};
      const Range rows = by_rows_ ? range : own_part, columns = by_rows_ ? own_part : range;
      std::optional<FlushSubnormals> flush;
      if (x_.pairs) flush.emplace();
      float* const c = rounds ? sums.here() : c_at(rows.begin, columns.begin);
      float* const own = reads_in_place_ ? nullptr : scratch.here();
      for (int64_t p = ks.begin; p < ks.end; p += depth_) {
        const Range depth = depth_at(ks, p);
        if (own) pack(by_rows_, range, depth, own);
        const float* const shared =
            shared_at(part, ks, p) + panel * packed_depth(depth.size()) * shared_.packed;
        (x_.pairs ? x_.in_pairs.multiply_block : x_.functions.multiply_block)(
            {.m = rows.size(),
             .n = columns.size(),
             .k = packed_depth(depth.size()),
             .height = height_,
             .a_panels = by_rows_ ? own : shared,
             .a = x_.a.part(begin, p).floats(),
             .b_panels = by_rows_ ? shared : own,
             .c = c,
             .c_row = rounds ? columns.size() : x_.c_row,
             .turned = x_.turned,
             .accumulate = x_.accumulate || p > 0,
             .streamed = streams_,
             .bias = depth.end == x_.k ? x_.bias_at(x_.turned ? rows.begin : columns.begin) : nullptr,
             .tiles_far = far_ && !rounds && !streams_,
             .panels_far = by_rows_ && own_part.size() * depth.size() > cut_.near_floats,
             .next = read_after(range, depth, ks)});
      }
      if (rounds) round(rows, columns, c, columns.size());
    });
  }

  const Product& x_;
  const ProductTuning& cut_ = product_tuning();
  bool by_rows_, reads_in_place_;
  int64_t depth_, block_, height_;  ///< of k; of the streamed axis at a time; of a panel of A
  Axis streamed_, shared_;
  int64_t k_, shared_size_;
  bool far_, streams_;
  std::shared_ptr<Buffer> packed_;
  float* c_;  ///< null where sums are rounded block by block
};

}  // namespace

void Product::run_packed() const { PackedProduct(*this).run(); }

}  // namespace weft::kernels
