#include <weft/lib/base/error.h>
#include <weft/lib/base/join.h>
#include <weft/lib/isa/table.h>
#include <weft/lib/isa/table_functions.h>

#include <cstdlib>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>

namespace weft::isa {
namespace {

constexpr Set widest_first[] = {Set::avx512, Set::avx2, Set::scalar};

Set choose() {
  const char* wanted = std::getenv("WEFT_ISA");
  const std::string_view word = wanted ? wanted : "";
  auto here = widest_first | std::views::filter(supported);
  for (const Set set : here)
    if (word.empty() || word == name_of(set)) return set;
  const std::string available = joined(here, ", ", name_of);
  for (const Set set : widest_first)
    if (word == name_of(set))
      fail<ValueError>("WEFT_ISA=", word, ": this processor lacks ", word, "; it has ", available);
  fail<ValueError>("WEFT_ISA=", word, ": no such instruction set; this processor has ", available);
}

}  // namespace

const char* name_of(Set set) {
  switch (set) {
    case Set::avx512:
      return "avx512";
    case Set::avx2:
      return "avx2";
    default:
      return "scalar";
  }
}

// __builtin_cpu_supports also asks whether the operating system saves the registers.
bool supported(Set set) {
  switch (set) {
    case Set::avx512:
      return supported(Set::avx2) && __builtin_cpu_supports("avx512f") &&
             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
             __builtin_cpu_supports("avx512dq");
    case Set::avx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    default:
      return true;
  }
}

Set active_set() {
  static const Set set = choose();
  return set;
}

const Table& table_of(Set set) {
  if (!supported(set)) fail<ValueError>("table_of: this processor lacks ", name_of(set));
  switch (set) {
    case Set::avx512:
      return avx512_table;
    case Set::avx2:
      return avx2_table;
    default:
      return scalar_table;
  }
}

const Table& table() {
  static const Table& chosen = table_of(active_set());
  return chosen;
}

bool vnni_supported() { return supported(Set::avx512) && __builtin_cpu_supports("avx512vnni"); }

bool bf16_supported() { return supported(Set::avx512) && __builtin_cpu_supports("avx512bf16"); }

namespace {

const PairFunctions& choose_pairs() {
  const char* const wanted = std::getenv("WEFT_BFLOAT16");
  const std::string_view word = wanted ? wanted : "";
  const bool can = active_set() == Set::avx512 && bf16_supported();
  if (!word.empty() && word != "pairs" && word != "floats")
    fail<ValueError>("WEFT_BFLOAT16=", word, ": needs pairs or floats");
  if (word == "pairs" && !can)
    fail<ValueError>("WEFT_BFLOAT16=pairs: this processor, or WEFT_ISA, lacks AVX512_BF16");
  const bool pays = can && __builtin_cpu_is("amd");
  return word == "pairs" || (word.empty() && pays) ? avx512_bf16_functions : table().pairs;
}

const PairFunctions* pairs_of_tests = nullptr;

}  // namespace

const PairFunctions& pair_functions() {
  static const PairFunctions& chosen = choose_pairs();
  return pairs_of_tests ? *pairs_of_tests : chosen;
}

PairsBy::PairsBy(const PairFunctions& functions) : before_(std::exchange(pairs_of_tests, &functions)) {}
PairsBy::~PairsBy() { pairs_of_tests = before_; }

const Int8Functions& int8_functions() {
  static const Int8Functions& chosen =
      active_set() == Set::avx512 && vnni_supported() ? avx512_vnni_functions : table().int8;
  return chosen;
}

}  // namespace weft::isa
