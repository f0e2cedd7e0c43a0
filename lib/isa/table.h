// The vector code by instruction set: one table of functions, filled once per set and chosen when the program
// starts.
//
// avx512.cpp, avx2.cpp and scalar.cpp each include their Vec (vec_*.h) and then the same bodies (*.inc),
// which are written once over 16 virtual lanes inside an unnamed namespace, so that no inline function of one
// set can be linked into another. Bodies include nothing else of weft and nothing of the standard library
// that emits code.
#pragma once

#include <cstdint>

namespace weft::isa {

enum class Set { scalar, avx2, avx512 };

struct Table;
/// The table in use: the widest set that the processor has, or what WEFT_ISA=avx512|avx2|scalar asks for.
/// ValueError for another word there, and for a set that the processor lacks.
const Table& table();
Set active_set();
const char* name_of(Set set);
/// Whether this processor (and its operating system) can run the set.
bool supported(Set set);
/// The table of one set, for tests that compare them. ValueError when the processor lacks it.
const Table& table_of(Set set);

}  // namespace weft::isa
