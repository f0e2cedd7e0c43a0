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
  Int8Functions int8;
  AttentionFunctions attention;
  AdditiveAttentionFunctions additive_attention;
};

extern const Table scalar_table, avx2_table, avx512_table;
/// By the instructions VNNI, which not every processor with AVX-512 has.
extern const Int8Functions avx512_vnni_functions;
bool vnni_supported();

}  // namespace weft::isa
