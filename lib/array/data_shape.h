// What data say of a model's shape, so that a model can be made to fit them.
#pragma once

#include <cstdint>

namespace weft {

/// What a batch holds (batch.h), and so which models learn it and how answers are scored.
enum class TaskKind {
  language,        ///< inputs (B, T), targets (B, T): the next token, where it is not Batch::ignored
  masked,          ///< inputs (B, T) with masks, targets (B, T): what was masked
  classification,  ///< inputs (B, T), targets (B) classes
  pairs,           ///< inputs (B, S), targets (B, T), both ending with the end of text
  pictures,        ///< inputs (B, channels, H, W) float32, targets (B) classes
  patches,         ///< inputs (B, channels, H, W) float32, targets (B, P) a class a patch
  sounds,          ///< inputs (B, T, M) float32, targets (B) classes
  transcripts,     ///< inputs (B, T, M) float32, targets (B, U) what is said, ending with the end of text
};
/// "language", "masked", ... ValueError for none of them.
const char* name_of(TaskKind kind);

/// The sizes that a model of the task must have.
struct TaskSizes {
  int64_t longest_input = 0;                               ///< T or S, all special tokens included
  int64_t longest_target = 0;                              ///< T of pairs, the end included
  int64_t channels = 0, height = 0, width = 0, patch = 0;  ///< of pictures
  /// Of sounds: numbers of a frame, and what frames are made from.
  int64_t n_mels = 0, sample_rate = 0, n_fft = 0, hop_length = 0;
  bool centred = false;        ///< whether each band's mean is taken out
  int64_t longest_frames = 0;  ///< of a sound
};

/// Numbers that a task does not have are 0, ids -1.
struct DataShape {
  TaskKind kind = TaskKind::language;
  int64_t vocab_size = 0;
  int64_t classes = 0;
  int64_t pad_id = -1, start_id = -1, end_id = -1;
  TaskSizes sizes = {};
};

}  // namespace weft
