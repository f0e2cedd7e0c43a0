#include <weft/lib/array/mask.h>
#include <weft/lib/kernels/elementwise/elementwise.h>
#include <weft/lib/kernels/movement.h>
#include <weft/lib/kernels/strides.h>
#include <weft/lib/machine/parallel.h>

#include <algorithm>
#include <utility>

namespace weft {

Mask Mask::causal(int64_t offset) {
  if (offset < 0) fail<ValueError>("Mask::causal: the offset ", offset, " is negative");
  Mask mask;
  mask.is_causal = true;
  mask.causal_offset = offset;
  return mask;
}

Mask Mask::causal(std::vector<int64_t> offsets) {
  if (offsets.empty()) fail<ValueError>("Mask::causal: one offset a sample is needed, none is given");
  for (size_t b = 0; b < offsets.size(); ++b) {
    if (offsets[b] < 0)
      fail<ValueError>("Mask::causal: the offset ", offsets[b], " of sample ", b, " is negative");
  }
  Mask mask;
  mask.is_causal = true;
  mask.causal_offsets = std::move(offsets);
  return mask;
}

Mask Mask::window(int64_t width, int64_t offset) {
  if (width < 1) fail<ValueError>("Mask::window: the width ", width, " is below 1");
  Mask mask = causal(offset);
  mask.window_width = width;
  return mask;
}

Mask Mask::lengths(std::vector<int64_t> lengths) {
  if (lengths.empty()) fail<ValueError>("Mask::lengths: one length a sample is needed, none is given");
  for (size_t b = 0; b < lengths.size(); ++b) {
    if (lengths[b] < 0)
      fail<ValueError>("Mask::lengths: the length ", lengths[b], " of sample ", b, " is negative");
  }
  Mask mask;
  mask.key_lengths = std::move(lengths);
  return mask;
}

Mask Mask::documents(DocumentBegins documents) {
  if (documents.empty()) fail<ValueError>("Mask::documents: a list a sample is needed, none is given");
  Mask mask;
  mask.begins = std::move(documents);
  return mask;
}

Mask Mask::allowed(Array allowed) {
  if (!allowed.defined()) fail<StateError>("Mask::allowed: the array was never given values");
  if (allowed.dtype() != boolean) fail<TypeError>("Mask::allowed: needs bool, not ", allowed.dtype());
  Mask mask;
  mask.allow = std::move(allowed);
  return mask;
}

void Mask::check(const char* op, int64_t B, int64_t H, int64_t T, int64_t S) const {
  const Shape scores{B, H, T, S};
  if (!causal_offsets.empty() && static_cast<int64_t>(causal_offsets.size()) != B) {
    fail<ShapeError>(op, ": the mask has ", causal_offsets.size(), " offsets for ", B, " samples of scores ",
                     scores);
  }
  if (!key_lengths.empty() && static_cast<int64_t>(key_lengths.size()) != B) {
    fail<ShapeError>(op, ": the mask has ", key_lengths.size(), " lengths for ", B, " samples of scores ",
                     scores);
  }
  for (size_t b = 0; b < key_lengths.size(); ++b) {
    if (key_lengths[b] < 0 || key_lengths[b] > S) {
      fail<ShapeError>(op, ": the mask gives sample ", b, " a length of ", key_lengths[b], " keys in scores ",
                       scores);
    }
  }
  if (!begins.empty()) {
    check_documents(op, begins, B, T);
    if (S != T)
      fail<ValueError>(op, ": documents need as many keys as queries, not scores ", scores, " (B, H, T, S)");
    if (is_causal && (causal_offset != 0 || !causal_offsets.empty()))
      fail<ValueError>(op, ": documents begin where their queries do: the mask has an offset");
  }
  if (allow.defined() && !broadcasts_to(allow.shape(), scores)) {
    fail<ShapeError>(op, ": the mask ", allow.shape(), " does not broadcast to scores ", scores,
                     " (B, H, T, S)");
  }
}

int64_t Mask::offset_of(size_t sample) const {
  // Beyond any sequence, where sums with it are numbers still.
  constexpr int64_t far = int64_t{1} << 62;
  return std::min(far, causal_offsets.empty() ? causal_offset : causal_offsets[sample]);
}

Array Mask::dense(int64_t B, int64_t H, int64_t T, int64_t S) const {
  check("Mask::dense", B, H, T, S);
  const auto extent = [&](int axis, int64_t full) {
    return allow.defined() && allow.rank() >= 4 - axis && allow.dim(axis - 4) != 1 ? full : 1;
  };
  const bool by_sample = !key_lengths.empty() || !causal_offsets.empty() || !begins.empty();
  const Shape shape{by_sample ? B : extent(0, B), extent(1, H), T, S};
  Array result = allow.defined() ? kernels::broadcast_to(allow, shape) : Array::ones(shape, boolean);
  if (!is_causal && key_lengths.empty() && begins.empty()) return result;
  bool* values = result.mutable_data<bool>();
  const int64_t rows_per_sample = shape[1] * T;
  std::vector<Document> of_token;
  for (const Document& document : documents_of(begins, begins.empty() ? 0 : B, T))
    of_token.insert(of_token.end(), static_cast<size_t>(document.tokens), document);
  parallel_for(
      shape[0] * rows_per_sample, kernels::tile_of_items(S), [&, values, this](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; ++row) {
          const size_t sample = static_cast<size_t>(row / rows_per_sample);
          int64_t first = 0, keys = key_lengths.empty() ? S : key_lengths[sample];
          if (is_causal) {
            const int64_t own = offset_of(sample) + row % T;
            keys = std::min(keys, own + 1);
            if (window_width > 0) first = std::clamp<int64_t>(own - window_width + 1, 0, keys);
          }
          if (!of_token.empty()) {
            const Document& own = of_token[sample * static_cast<size_t>(T) + static_cast<size_t>(row % T)];
            first = std::max(first, own.first), keys = std::min(keys, own.first + own.tokens);
            keys = std::max(first, keys);
          }
          std::fill_n(values + row * S, first, false);
          std::fill_n(values + row * S + keys, S - keys, false);
        }
      });
  return result;
}

Mask operator&(const Mask& a, const Mask& b) {
  if (a.is_causal && b.is_causal) {
    if (a.causal_offset != b.causal_offset)
      fail<ValueError>("Mask: both are causal, with offsets ", a.causal_offset, " and ", b.causal_offset);
    if (a.causal_offsets != b.causal_offsets)
      fail<ValueError>("Mask: both are causal, and the offsets of their samples differ");
  }
  if (!a.key_lengths.empty() && !b.key_lengths.empty() && a.key_lengths != b.key_lengths) {
    fail<ValueError>("Mask: both give lengths, and these differ");
  }
  if (!a.begins.empty() && !b.begins.empty() && a.begins != b.begins) {
    fail<ValueError>("Mask: both give documents, and these differ");
  }
  Mask both = a;
  if (b.is_causal) {
    both.is_causal = true;
    both.causal_offset = b.causal_offset;
    both.causal_offsets = b.causal_offsets;
  }
  if (a.window_width == 0 || (b.window_width > 0 && b.window_width < a.window_width))
    both.window_width = b.window_width;
  if (!b.key_lengths.empty()) both.key_lengths = b.key_lengths;
  if (!b.begins.empty()) both.begins = b.begins;
  if (b.allow.defined()) both.allow = a.allow.defined() ? kernels::logical_and(a.allow, b.allow) : b.allow;
  return both;
}

}  // namespace weft
