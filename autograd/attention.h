// Scaled dot-product attention (Vaswani et al. 2017, equation 1): softmax(scale q k^T + bias) v over the keys
// that the mask lets through. A query that may attend to nothing gives zeros, and zero gradients.
//
// Keys and values may have fewer heads than queries, G that divide H: head h of q then attends to head
// h / (H / G) of k and v, as grouped-query attention (Ainslie et al. 2023) and, with G = 1, multi-query
// attention (Shazeer 2019) do. The shapes tell G.
#pragma once

#include <weft/autograd/tensor.h>
#include <weft/lib/mask.h>
#include <weft/lib/random.h>

#include <optional>
#include <string>

namespace weft {

struct AttentionOptions {
  Mask mask = {};                           ///< who may attend to whom; empty: all to all
  Tensor bias = {};                         ///< added to the scaled scores; broadcasts to (B, H, T, S)
  std::optional<double> scale{};            ///< default 1 / sqrt(D)
  double dropout = 0.0;                     ///< probability that a weight is dropped, as by dropout()
  std::string stream = "attention";         ///< name of its random numbers in the RandomScope,
  std::optional<RandomScope::Draw> draw{};  ///< unless they are given here
};

/// q (B, H, T, D), k and v (B, G, S, D) -> (B, H, T, D). ShapeError names all three.
Tensor scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                    const AttentionOptions& options = {});
/// The same with the heads side by side in the last axis: q (B, T, H D), k and v (B, S, G D) -> (B, T, H D).
/// In float32 nothing is moved: heads are read in place.
Tensor multi_head_attention(const Tensor& q, const Tensor& k, const Tensor& v, int64_t heads,
                            const AttentionOptions& options = {});
/// The weights (B, H, T, S) of multi_head_attention, for looking at: no gradient.
Array attention_weights(const Tensor& q, const Tensor& k, int64_t heads,
                        const AttentionOptions& options = {});

/// Keys and values of the tokens read so far, for decoding; C is the width of keys, G D. Room grows by
/// doubling.
class KeyValueCache {
 public:
  /// Adds k and v (B, T, C) behind what is there. ShapeError when B, C or the type differ from it.
  void append(const Array& k, const Array& v);
  /// Tokens held.
  int64_t length() const { return length_; }
  /// (B, room, C), of which the first length() tokens count.
  const Array& keys() const { return keys_; }
  const Array& values() const { return values_; }
  void clear() { length_ = 0; }

 private:
  Array keys_, values_;
  int64_t length_ = 0;
};

/// k and v join the cache; q (B, T, H D) then attends causally to all of it: query t to the keys up to its
/// own. Each row has the bits that the full causal pass gives it. No gradient.
Tensor cached_attention(const Tensor& q, const Tensor& k, const Tensor& v, int64_t heads,
                        KeyValueCache& cache);

}  // namespace weft
