// Linear: y = x weight^T + bias, and low-rank adapters beside the weight (Hu et al. 2021, "LoRA: Low-Rank
// Adaptation of Large Language Models").
#pragma once

#include <weft/autograd/ops.h>
#include <weft/layers/layer.h>

#include <optional>

namespace weft {

struct LinearOptions {
  bool bias = true;
  std::optional<Init> weight_init{};  ///< default: uniform within 1 / sqrt(inputs), as PyTorch
  std::optional<Init> bias_init{};    ///< default: the same

  /// These options, with or without a bias.
  LinearOptions with_bias(bool wanted) const { return {wanted, weight_init, bias_init}; }
};

/// Weights by Xavier's rule and a bias of zeros.
inline LinearOptions xavier_linear() {
  return {.weight_init = init::xavier_uniform(), .bias_init = init::zeros()};
}

struct LoraOptions {
  int64_t rank = 8;
  double alpha = 16.0;
  double dropout = 0.0;  ///< of what the adapter reads, in training
};

/// Parameters: weight (outputs, inputs), bias (outputs); once add_lora() was called lora_A (rank, inputs) and lora_B
/// (outputs, rank).
class Linear : public Layer<Linear> {
 public:
  Linear(int64_t inputs, int64_t outputs, const LinearOptions& options = {});
  /// (..., inputs) -> (..., outputs). With an adapter
  ///   y = x weight^T + bias + (alpha / rank) (dropout(x) lora_A^T) lora_B^T
  /// Who uses `weight` by itself passes the adapter by.
  Tensor forward(const Tensor& x) const;

  /// Adds an adapter. First values are peft's: lora_A uniform within 1 / sqrt(inputs) (kaiming_uniform with a = sqrt(5)),
  /// lora_B zeros, so that nothing changes yet. The rest is trained as before: freeze() what is not to be, and ask
  /// for parameters() after that. StateError when there is one already; ValueError for a rank below 1, an alpha that is
  /// not finite, and a dropout that is not in [0, 1).
  void add_lora(const LoraOptions& options);
  bool has_lora() const { return lora_A.defined(); }
  /// What add_lora() was given.
  const LoraOptions& lora_options() const { return lora_; }
  /// y = x weight^T + bias, computed before, with the adapter's part, if there is one: forward(x), bit for bit.
  Tensor adapted(const Tensor& y, const Tensor& x) const;

  Parameter weight, bias;
  Parameter lora_A, lora_B;  ///< none without an adapter

 private:
  LoraOptions lora_;
};

}  // namespace weft
