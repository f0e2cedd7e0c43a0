// The three models that are measured.
#pragma once

#include <weft/layers/models/gpt.h>

#include <stdexcept>
#include <string>

namespace bench {

struct Model {
  std::string name;
  weft::GPTConfig config;
  int64_t tokens, batch;  ///< of a training step
};

/// nano, baby or gpt2 (124M parameters).
inline Model model_named(const std::string& name) {
  if (name == "nano")
    return {name, {.vocab_size = 65, .block_size = 64, .n_layer = 4, .n_head = 4, .n_embd = 128}, 64, 12};
  if (name == "baby")
    return {name, {.vocab_size = 65, .block_size = 256, .n_layer = 6, .n_head = 6, .n_embd = 384}, 256, 16};
  if (name == "gpt2")
    return {
        name, {.vocab_size = 50304, .block_size = 1024, .n_layer = 12, .n_head = 12, .n_embd = 768}, 64, 4};
  throw std::invalid_argument("there is no model '" + name + "': nano, baby or gpt2");
}

/// Arithmetic of one training step: 6 N (12 L C^2 + C V) + 6 L B T^2 C with N = B T tokens, the causal half
/// of attention, nothing computed twice counted.
inline double step_gflop(const Model& m) {
  const double C = static_cast<double>(m.config.n_embd), L = static_cast<double>(m.config.n_layer);
  const double V = static_cast<double>(m.config.vocab_size), T = static_cast<double>(m.tokens);
  const double B = static_cast<double>(m.batch);
  return 1e-9 * (6 * B * T * (12 * L * C * C + C * V) + 6 * L * B * T * T * C);
}

}  // namespace bench
