// Generating tokens one by one, with what the model remembers of those before (DecoderState).
//
// A prompt is the text that a decoder goes on with, or the sequence that an encoder-decoder answers; the
// answer begins behind the model's start_id. Several prompts, of any lengths, are read and written together,
// and each gives what it gives alone.
//
// The context: of a prompt longer than the model's context only the end is read. When the context is full,
// the text goes on from its last half, read anew (half of the context rounded down, at least 1), an answer
// with the start_id in place of the first of these: beams likewise. What is remembered changes no bit of what
// reading everything each time would give.
//
// All functions: ValueError for an empty prompt, a negative number of tokens, an id outside the vocabulary;
// NumericError for logits that are NaN.
#pragma once

#include <weft/layers/models/decoding/sampling.h>
#include <weft/layers/models/model.h>

#include <functional>
#include <vector>

namespace weft {

struct GenerateOptions {
  int64_t tokens = 500;  ///< how many to add at most
  SamplingOptions sampling{};
  uint64_t seed = 1337;
  /// Of each prompt, which of the texts that the seed has for it: 0, 1, 2, ... are drawn apart. Empty: all are 0.
  std::vector<uint64_t> samples{};
  std::vector<int64_t> end_ids{};  ///< a text ends with the first of these, which is its last token
  /// A text ends when its new tokens end with one of these sequences.
  std::vector<std::vector<int64_t>> stop{};
};

/// The tokens that follow each prompt. `on_token`, if given, sees each as it is drawn, and ends its row by
/// returning false. Token n is a function of (weights, prompt, options, sample, n), so that rows with equal prompts say
/// the same unless their samples differ. ValueError when there are samples, but not one for each prompt.
/// repetition_penalty counts the tokens of the prompt and the new ones, or start_id and the answer.
std::vector<std::vector<int64_t>> generate_batch(
    const GenerativeModel& model, const std::vector<std::vector<int64_t>>& prompts,
    const GenerateOptions& options, const std::function<bool(int64_t row, int64_t token)>& on_token = {});

/// Answers of an encoder-decoder to the rows of a batch, whatever it reads: sounds.
std::vector<std::vector<int64_t>> generate_from(const GenerativeModel& model, const Batch& source,
                                                const GenerateOptions& options);

/// The same for one prompt.
std::vector<int64_t> generate(const GenerativeModel& model, const std::vector<int64_t>& prompt,
                              const GenerateOptions& options,
                              const std::function<bool(int64_t token)>& on_token = {});

struct BeamSearchOptions {
  int64_t beams = 4;
  int64_t tokens = 100;            ///< how many to add at most
  double length_penalty = 1.0;     ///< above 0 prefers long texts
  std::vector<int64_t> end_ids{};  ///< a text ends with the first of these, which is its last token
};

struct Hypothesis {
  std::vector<int64_t> tokens;  ///< the new ones
  double score = 0;             ///< sum of the tokens' log-probabilities / tokens^length_penalty
};

/// The likeliest texts that a search with so many beams finds, up to `beams` for each prompt, the best first:
/// transformers' beam search with early_stopping=False. Of the (1 + end_ids, at least 2) * beams likeliest
/// continuations in a step, those of the first `beams` that end, or have all their tokens, are hypotheses,
/// and the first `beams` that do not go on. The search is over when the likeliest of these, by its score so
/// far, is not above the worst of `beams` hypotheses. ValueError for beams below 1.
std::vector<std::vector<Hypothesis>> beam_search(const GenerativeModel& model,
                                                 const std::vector<std::vector<int64_t>>& prompts,
                                                 const BeamSearchOptions& options);
/// Answers of an encoder-decoder to the rows of a batch, whatever it reads.
std::vector<std::vector<Hypothesis>> beam_search_from(const GenerativeModel& model, const Batch& source,
                                                      const BeamSearchOptions& options);

}  // namespace weft
