// What a model with a head of connectionist temporal classification (autograd/ops/ctc.h) says, and when.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace weft {

/// Log-probabilities of a row, (frames, classes) row-major.
struct CtcFrames {
  std::span<const float> log_p;
  int64_t classes = 0;
  int64_t blank = 0;
  int64_t frames() const { return classes > 0 ? std::ssize(log_p) / classes : 0; }
};

struct CtcHypothesis {
  std::vector<int64_t> ids;
  /// log p of the ids, over the alignments that were met: at most that of all of them, which is -ctc_loss.
  double score = 0;
};

/// The likeliest class of each frame, of equal ones the lowest; runs of one become one, blanks none. Its score is the
/// log-probability of that path alone.
CtcHypothesis ctc_greedy(const CtcFrames& frames);

/// Prefix beam search (Graves, "Supervised Sequence Labelling with Recurrent Neural Networks", 2012, section 7.5.3; Hannun et
/// al., "First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional Recurrent DNNs", 2014, algorithm 1,
/// without a language model): after each frame the `beams` likeliest beginnings go on, each with the sum of the alignments
/// that end in a blank and of those that do not. Up to `beams` hypotheses, the best first; of equal ones the one whose ids
/// come first. With so many beams that none is dropped, scores are exact. ValueError for beams below 1.
std::vector<CtcHypothesis> ctc_beam_search(const CtcFrames& frames, int64_t beams);

/// Frames in which an id is said: [begin, end).
struct CtcSpan {
  int64_t begin = 0, end = 0;
  bool operator==(const CtcSpan&) const = default;
};
/// Cuts frames into pieces of at least so many (the last may have fewer), each behind a frame in which the blank is the likeliest,
/// so that a long row can be searched and aligned piece by piece: a search and an alignment take memory and time that grow as
/// the frames times the ids. ctc_greedy says the same of the pieces as of the whole. ValueError for a `least` below 1.
std::vector<CtcSpan> ctc_pieces(const CtcFrames& frames, int64_t least);

/// Where each of the ids is said in the likeliest alignment (Viterbi); empty where there are too few frames for them.
std::vector<CtcSpan> ctc_align(const CtcFrames& frames, std::span<const int64_t> ids);

}  // namespace weft
