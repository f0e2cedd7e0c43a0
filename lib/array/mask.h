// Mask: who may attend to whom. True always means "may attend".
#pragma once

#include <weft/lib/array/documents.h>

#include <cstdint>
#include <vector>

namespace weft {

/// Conditions on (sample b, head h, query t, key s), all of which must hold; an empty mask lets everything
/// through.
///   Mask::causal() & Mask::lengths({5, 3})
struct Mask {
  /// Query t may attend to keys 0 .. offset + t; the offset is the number of keys that lie before the first
  /// query.
  static Mask causal(int64_t offset = 0);
  /// The same with an offset for each sample. ValueError for none, or a negative one.
  static Mask causal(std::vector<int64_t> offsets);
  /// Query t may attend to the `width` keys that end with its own, offset + t - width + 1 .. offset + t:
  /// causal, in a sliding window (Beltagy et al. 2020; Mistral's). ValueError for a width below 1.
  static Mask window(int64_t width, int64_t offset = 0);
  /// Sample b has lengths[b] keys; those after are padding on the right. ValueError for none, or a negative
  /// one.
  static Mask lengths(std::vector<int64_t> lengths);
  /// A token attends inside its document alone, of which it is one of query and key (T = S): its query t and its keys
  /// are counted from where the document begins, also by ALiBi. Attention computes each as a row of its own, with the
  /// bits and at the cost that it has alone. ValueError for none; check() says the rest.
  static Mask documents(DocumentBegins documents);
  /// Any bool array that broadcasts to (B, H, T, S). TypeError when it is not bool.
  static Mask allowed(Array allowed);

  bool is_causal = false;
  int64_t causal_offset = 0;            ///< of all samples, unless
  std::vector<int64_t> causal_offsets;  ///< each has its own
  int64_t window_width = 0;             ///< 0: no window
  std::vector<int64_t> key_lengths;
  DocumentBegins begins;  ///< of the documents of each sample
  Array allow;

  bool empty() const { return !is_causal && key_lengths.empty() && begins.empty() && !allow.defined(); }
  /// The place of the first query of a sample among the keys: 0 unless causal with an offset.
  int64_t offset_of(size_t sample) const;
  /// ShapeError that names `op` when the mask does not fit (B, H, T, S); ValueError for
  /// documents that do not (check_documents()), or that are given with an offset or with S other than T.
  void check(const char* op, int64_t B, int64_t H, int64_t T, int64_t S) const;
  /// All conditions as one bool array (B or 1, H or 1, T, S).
  Array dense(int64_t B, int64_t H, int64_t T, int64_t S) const;
};

/// Both must hold; of two windows, then, the narrower. ValueError when both are causal with different
/// offsets, or both give lengths or documents that differ.
Mask operator&(const Mask& a, const Mask& b);

}  // namespace weft
