// Attention of one sample and head, for one instruction set; kernels/fused/attention.h says what is computed.
#pragma once

#include <weft/lib/isa/elementwise.h>

#include <cstdint>

namespace weft::isa {

/// Rows that lie `token` floats apart.
struct Rows {
  float* data;
  int64_t token;
};
struct ConstRows {
  const float* data;
  int64_t token;
};

struct AttentionHead {
  int64_t S, D;
  int64_t keys;  ///< those before the padding, at most S
  float scale;
  bool causal;
  int64_t causal_offset;
  int64_t window = 0;  ///< 0: none
  float slope = 0;     ///< scores lose slope |s - causal_offset - t|; 0: nothing
  ConstRows q, k, v;
  const bool* allowed;  ///< (T, S) or null
  const float* bias;    ///< (T, S) or null
  int64_t row =
      0;       ///< from one query to the next in these two and in the dropout: more than S where head is a
               ///< part of a longer one; 0: S
  bool drops;  ///< whether weights are dropped, as follows
  /// Its `first` is the place of query 0 and key 0; each query has `row` rounded up to a multiple of 64 places.
  ElementwiseFunctions::Dropout dropout;
};

/// What backward is given beside the head.
struct AttentionOutputs {
  ConstRows out, d_out;
  const float* lse;
};

struct AttentionFunctions {
  /// Queries that walk the keys together: what is kept of them stays in the second cache beside a tile of keys.
  static constexpr int64_t query_block(int64_t D) { return D <= 64 ? 256 : D <= 128 ? 128 : 64; }
  /// Queries whose scores with a tile of keys are held at once.
  static constexpr int64_t score_block = 64;

  /// Floats of scratch, 64-byte aligned, that each of the functions needs.
  int64_t (*scratch)(int64_t D);
  /// out and lse of the queries [begin, end), at most query_block(D).
  void (*forward)(const AttentionHead& head, int64_t begin, int64_t end, Rows out, float* lse,
                  float* scratch);
  /// dq, dk and dv of all T queries and S keys.
  void (*backward)(const AttentionHead& head, int64_t T, const AttentionOutputs& saved, Rows dq, Rows dk,
                   Rows dv, float* scratch);
  /// d_bias, laid out like bias, += d scores for the queries [begin, end), at most score_block.
  void (*bias_gradient)(const AttentionHead& head, int64_t begin, int64_t end, const AttentionOutputs& saved,
                        float* d_bias, float* scratch);
  /// weights (T, S) of the queries [begin, end), at most score_block.
  void (*weights)(const AttentionHead& head, int64_t begin, int64_t end, const float* lse, float* weights,
                  float* scratch);
};

}  // namespace weft::isa
