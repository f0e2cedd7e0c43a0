// How likely a model holds given endings.
#pragma once

#include <weft/layers/models/model.h>

#include <cstdint>
#include <vector>

namespace weft {

struct Ending {
  std::vector<int64_t>
      context;  ///< of an encoder-decoder, what it reads; else what stands before, at least one id
  std::vector<int64_t> ids;  ///< what is scored, at least one id
};
struct EndingScore {
  double log_probability = 0;  ///< the sum over `tokens`, in nats
  int64_t tokens = 0;
};
/// Of each ending, whatever the others are. Where context and ending are longer than the model's context, the beginning of
/// the context is left out. ValueError for one that is empty, or longer than the model's context alone.
std::vector<EndingScore> score_endings(GenerativeModel& model, const std::vector<Ending>& endings);

}  // namespace weft
