// Losses. A loss travels as (sum, count): backward starts from the sum with gradient 1, and the step divides
// once by the count of the whole batch. So padding, ragged batches and accumulated micro-batches average
// correctly.
#pragma once

#include <weft/autograd/tensor.h>

#include <cstdint>
#include <optional>

namespace weft {

struct Loss {
  Tensor sum;         ///< one number; call backward() on it
  int64_t count = 0;  ///< rows that took part
  Array rows;         ///< the loss of each row, without history
  /// Of the rows that took part, those whose target has the largest logit; -1 where nobody counted.
  int64_t right = -1;
  /// sum / count: what is usually called the loss. ValueError when no row took part.
  Tensor mean() const;
};

/// Adds up losses in double, row by row in order, so that the batches which the rows came in do not matter.
class LossMeter {
 public:
  void add(const Loss& loss);
  double sum() const { return sum_; }
  int64_t count() const { return count_; }
  /// ValueError when nothing was added.
  double mean() const;
  /// The share of rows that were right; none unless they were counted in all that was added (Loss::right).
  std::optional<double> accuracy() const;

 private:
  double sum_ = 0;
  int64_t count_ = 0, right_ = 0;
  bool counted_ = true;
};

struct CrossEntropyOptions {
  int64_t ignore_index = -100;  ///< targets of this value take no part
  double label_smoothing =
      0.0;  ///< s: the target's share is 1 - s, and s is spread over all classes (Szegedy et al. 2016)
};

/// -log softmax(logits)[target] by row, in nats: logits (..., V), targets (...) int64. ValueError names the
/// first target that is neither in [0, V) nor ignore_index. Floating targets (..., V) are shares q of the classes: then it is
/// -sum q log softmax(logits), and all rows take part. ShapeError for other shapes.
Loss cross_entropy(const Tensor& logits, const Array& targets, CrossEntropyOptions options = {});

/// mean((x - target)^2), one number. ShapeError unless both have one shape.
Tensor mse_loss(const Tensor& x, const Tensor& target);

}  // namespace weft
