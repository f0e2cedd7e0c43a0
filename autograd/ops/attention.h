// Scaled dot-product attention (Vaswani et al. 2017, equation 1): softmax(scale q k^T + bias) v over the keys
// that the mask lets through. A query that may attend to nothing gives zeros, and zero gradients.
//
// Keys and values may have fewer heads than queries, G that divide H: head h of q then attends to head
// h / (H / G) of k and v, as grouped-query attention (Ainslie et al. 2023) and, with G = 1, multi-query
// attention (Shazeer 2019) do. The shapes tell G.
#pragma once

#include <weft/autograd/ops/key_value_cache.h>
#include <weft/autograd/tensor.h>
#include <weft/lib/array/mask.h>
#include <weft/lib/array/random.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace weft {

struct AttentionOptions {
  Mask mask = {};                           ///< who may attend to whom; empty: all to all
  Tensor bias = {};                         ///< added to the scaled scores; broadcasts to (B, H, T, S)
  std::optional<double> scale{};            ///< default 1 / sqrt(D)
  double dropout = 0.0;                     ///< probability that a weight is dropped, as by dropout()
  std::string stream = "attention";         ///< name of its random numbers in the RandomScope,
  std::optional<RandomScope::Draw> draw{};  ///< unless they are given here
  /// ALiBi (Press et al. 2022): one slope a head, by which a score sinks with every token that lies between
  /// key and query; query t stands at the mask's offset + t. Empty: none.
  std::vector<double> slopes = {};
};

/// q (B, H, T, D), k and v (B, G, S, D) -> (B, H, T, D). ShapeError names all three.
Tensor scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                    const AttentionOptions& options = {});
/// The same with the heads side by side in the last axis: q (B, T, H D), k and v (B, S, G D) -> (B, T, H D).
/// In float32 nothing is moved: heads are read in place.
Tensor multi_head_attention(const Tensor& q, const Tensor& k, const Tensor& v, int64_t heads,
                            const AttentionOptions& options = {});
/// The weights (B, H, T, S) of multi_head_attention before dropout, for looking at: no gradient.
Array attention_weights(const Tensor& q, const Tensor& k, int64_t heads,
                        const AttentionOptions& options = {});

/// The slopes of Press et al. 2022 for a number of heads: 2^(-8 i / H) for i = 1 .. H when H is a power of
/// two; else those of the next lower power of two, then every other one of the next higher.
std::vector<double> alibi_slopes(int64_t heads);

/// Decoding: of each row b the first lengths[b] tokens of k and v (empty: all) join the cache, and its
/// queries (B, T, H D) attend causally to what it then holds: query t to the keys up to its own. Each row has
/// the bits that it has alone, and that the full causal pass gives it; those of queries after lengths[b] mean
/// nothing. The
/// options' mask may be causal, and have a window; the rest is the cache's to say (ValueError). No gradient.
Tensor cached_attention(const Tensor& q, const Tensor& k, const Tensor& v, int64_t heads,
                        KeyValueCache& cache, std::span<const int64_t> lengths = {},
                        const AttentionOptions& options = {});
/// q (B, T, H D) attends to all that each row of the memory holds: a sequence that was read before, as an
/// encoder's. No gradient.
Tensor memory_attention(const Tensor& q, int64_t heads, const KeyValueCache& memory,
                        const AttentionOptions& options = {});

}  // namespace weft
