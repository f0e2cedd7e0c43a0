// What a run shows of itself at each evaluation.
#pragma once

#include <optional>

#include "session.h"

namespace weft {

/// While it lives, the model is the one that is used: of averaged weights, where they are kept.
struct Averaged {
  explicit Averaged(Session& s) {
    if (s.ema) exchange.emplace(*s.ema);
  }
  std::optional<EMA::Exchange> exchange;
};

/// Of a language model, text it writes; of a generated task, a sample that was kept from training: what is
/// read, what is right, and what the model says.
void print_sample(Session& session);

}  // namespace weft
