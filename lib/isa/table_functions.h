// What stands in the table of one instruction set: one struct of functions a family of bodies.
#pragma once

#include <weft/lib/isa/additive_attention.h>
#include <weft/lib/isa/attention.h>
#include <weft/lib/isa/elementwise.h>
#include <weft/lib/isa/gemm.h>
#include <weft/lib/isa/int8.h>
#include <weft/lib/isa/recurrent.h>
#include <weft/lib/isa/rows.h>
#include <weft/lib/isa/table.h>
#include <weft/lib/isa/updates.h>

namespace weft::isa {

struct Table {
  ElementwiseFunctions elementwise;
  RowFunctions rows;
  UpdateFunctions updates;
  RecurrentFunctions recurrent;
  GemmFunctions gemm;
  PairFunctions pairs;
  Int8Functions int8;
  AttentionFunctions attention;
  AdditiveAttentionFunctions additive_attention;
};

extern const Table scalar_table, avx2_table, avx512_table;
/// By the instructions VNNI, which not every processor with AVX-512 has.
extern const Int8Functions avx512_vnni_functions;
bool vnni_supported();
/// By vdpbf16ps, which multiplies pairs at once.
extern const PairFunctions avx512_bf16_functions;
bool bf16_supported();
/// Those in use: of the table, or by vdpbf16ps where that is the faster, which it is on AMD's processors and not on Intel's
/// Sapphire and Emerald Rapids. WEFT_BFLOAT16=pairs|floats asks for either; ValueError for another word, and for pairs
/// where the processor, or WEFT_ISA, lacks them.
const PairFunctions& pair_functions();

/// For tests: while it lives, pair_functions() are these.
class PairsBy {
 public:
  explicit PairsBy(const PairFunctions& functions);
  ~PairsBy();
  PairsBy(const PairsBy&) = delete;
  PairsBy& operator=(const PairsBy&) = delete;

 private:
  const PairFunctions* before_;
};

}  // namespace weft::isa
