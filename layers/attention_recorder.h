// AttentionRecorder: who looked at whom, in every MultiHeadAttention that runs while it lives.
//
//   AttentionRecorder recorder;
//   model.logits(batch);
//   for (const AttentionRecord& seen : recorder.records()) ... seen.path, seen.weights
//
// What the layers compute keeps its bits and its speed but for the weights, which are computed beside it; and
// where no recorder lives nothing is done at all.
#pragma once

#include <weft/lib/array/array.h>

#include <string>
#include <utility>
#include <vector>

namespace weft {

/// One call of one layer.
struct AttentionRecord {
  std::string path;    ///< of the layer: "blocks.3.attention"
  bool cross = false;  ///< whether it attended to another sequence than its own
  /// (B, H, T, S): the softmax with masks, biases and rotations, before dropout. Each row sums to 1; one that
  /// may attend to nothing is 0.
  Array weights;
};

/// A scope, per thread. Of nested ones the innermost records. A layer that runs several times is recorded
/// each time, also when backward computes its block anew (Model::recompute_blocks).
class AttentionRecorder {
 public:
  AttentionRecorder() : outer_(std::exchange(current_, this)) {}
  ~AttentionRecorder() { current_ = outer_; }
  AttentionRecorder(const AttentionRecorder&) = delete;
  AttentionRecorder& operator=(const AttentionRecorder&) = delete;

  /// In the order in which the layers ran.
  const std::vector<AttentionRecord>& records() const { return records_; }
  void clear() { records_.clear(); }

  /// For layers that attend: the recorder of this thread, or nullptr.
  static AttentionRecorder* current() { return current_; }
  void add(AttentionRecord record) { records_.push_back(std::move(record)); }

 private:
  static thread_local AttentionRecorder* current_;

  AttentionRecorder* const outer_;
  std::vector<AttentionRecord> records_;
};

}  // namespace weft
