// Generating tokens one by one, with a key/value cache.
#pragma once

#include <weft/layers/models/model.h>
#include <weft/lib/sampling.h>

#include <functional>
#include <vector>

namespace weft {

struct GenerateOptions {
  int64_t tokens = 500;  ///< how many to add
  SamplingOptions sampling{};
  uint64_t seed = 1337;
};

/// Tokens that follow `prompt`; `on_token`, if given, sees each as it is drawn, and ends the generation by
/// returning false. Of a prompt longer than the model's context only the end is read. When the context is
/// full, it goes on from its last half, read anew (half of it rounded down, at least 1). Token n is a
/// function of (weights, prompt, seed, n): the cache changes no bit. ValueError for an empty prompt, or an id
/// outside the vocabulary.
std::vector<int64_t> generate(const GenerativeModel& model, const std::vector<int64_t>& prompt,
                              const GenerateOptions& options,
                              const std::function<bool(int64_t token)>& on_token = {});

}  // namespace weft
