// What writes down what it hears.
#pragma once

#include <weft/layers/models/decoding/ctc.h>
#include <weft/lib/array/batch.h>

#include <cstdint>
#include <vector>

namespace weft {

struct Transcript {
  std::vector<int64_t> ids;  ///< without an end
  double score = 0;          ///< the higher the likelier, as the model's search has it
  /// Frames of the input in which each id is said; empty where that is not known.
  std::vector<CtcSpan> spans = {};
};

struct TranscribeOptions {
  int64_t beams = 1;   ///< 1: the likeliest at each step
  int64_t tokens = 0;  ///< at most; 0: as many as the model can
};

class Transcriber {
 public:
  virtual ~Transcriber() = default;
  /// One for each row of Batch::inputs (B, T, M), of which lengths count, each what it is alone. Without gradient.
  /// ValueError for beams below 1 or negative tokens, and for a model that tells classes.
  virtual std::vector<Transcript> transcribe(const Batch& sounds, const TranscribeOptions& options) const = 0;

  /// Log-probabilities of what is said in each frame of the encoder, (B, T', V); undefined of a model that does not tell by
  /// frames. Those of a long sound can be put together from windows, and searched then.
  virtual Array frame_log_p(const Batch&) const { return {}; }
  /// The class of frames that says nothing.
  virtual int64_t blank() const { return 0; }
  /// Whether transcribe() goes by frames alone.
  virtual bool by_frames() const { return false; }
  /// Frames of the input to one of the encoder.
  virtual int64_t subsampling() const { return 1; }
};

}  // namespace weft
