#include <weft/lib/base/error.h>
#include <weft/lib/base/values.h>
#include <weft/lib/kernels/products/tuning.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>
#include <sstream>
#include <utility>

namespace weft::kernels {
namespace {

using Field = std::pair<const char*, int64_t ProductTuning::*>;
constexpr std::array fields{Field{"depth", &ProductTuning::depth},
                            Field{"panels", &ProductTuning::panels},
                            Field{"shared_rows", &ProductTuning::shared_rows},
                            Field{"near_floats", &ProductTuning::near_floats},
                            Field{"cached_floats", &ProductTuning::cached_floats},
                            Field{"shared_floats", &ProductTuning::shared_floats},
                            Field{"streamed_floats", &ProductTuning::streamed_floats}};

ProductTuning chosen() {
  ProductTuning tuning = ProductTuning::of(processor_caches());
  const char* const asked = std::getenv("WEFT_TUNING");
  std::istringstream words(asked ? asked : "");
  for (std::string word; words >> word;) {
    const size_t sign = word.find('=');
    const auto field = std::ranges::find(fields, word.substr(0, sign), &Field::first);
    if (field == fields.end() || sign == std::string::npos)
      fail<ValueError>("WEFT_TUNING: '", word, "' is none of ", tuning.text());
    tuning.*field->second =
        parse_integer("WEFT_TUNING", word.substr(sign + 1), 1, std::numeric_limits<int32_t>::max());
  }
  return tuning;
}

const ProductTuning* of_scope = nullptr;

}  // namespace

ProductTuning ProductTuning::of(const Caches& caches) {
  ProductTuning tuning;
  const double share = std::clamp(static_cast<double>(caches.second) / (1 << 20), 0.125, 1.0);
  for (int64_t ProductTuning::*const field : {&ProductTuning::panels, &ProductTuning::shared_rows,
                                              &ProductTuning::near_floats, &ProductTuning::cached_floats})
    tuning.*field = static_cast<int64_t>(static_cast<double>(tuning.*field) * share);
  return tuning;
}

std::string ProductTuning::text() const {
  std::string text;
  for (const auto& [name, field] : fields) text += str(text.empty() ? "" : " ", name, "=", this->*field);
  return text;
}

const ProductTuning& product_tuning() {
  static const ProductTuning own = chosen();
  return of_scope ? *of_scope : own;
}

TuningScope::TuningScope(const ProductTuning& tuning)
    : tuning_(tuning), before_(std::exchange(of_scope, &tuning_)) {}
TuningScope::~TuningScope() { of_scope = before_; }

}  // namespace weft::kernels
