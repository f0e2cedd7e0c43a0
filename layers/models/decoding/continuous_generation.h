// Texts that a model writes side by side, which come and go at any time: what a server needs (continuous batching: Yu et al.,
// "Orca", 2022, section 3.1). Each says what generate() (generation.h) says of its prompt alone, whoever is beside it.
//
//   ContinuousGeneration texts(model);
//   const uint64_t name = texts.add({.prompt = ids, .sampling = {.temperature = 1}, .seed = 7});
//   texts.step([&](const ContinuousGeneration::Drawn& drawn) {
//     write(drawn.name, drawn.token);
//     return !ends(drawn.token);
//   });
//
// For one thread at a time.
#pragma once

#include <weft/layers/models/decoding/sampling.h>
#include <weft/layers/models/model.h>

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace weft {

class ContinuousGeneration {
 public:
  struct Text {
    std::vector<int64_t> prompt;
    SamplingOptions sampling{};
    uint64_t seed = 1337, sample = 0;  ///< which text of the seed (GenerateOptions::samples)
    /// If given, changes the logits of each token before it is drawn, knowing those that were `added` behind the prompt.
    /// Must not throw. Called from several threads, for different texts.
    std::function<void(std::span<float> logits, std::span<const int64_t> added)> adjust{};
  };
  struct Drawn {
    uint64_t name;
    int64_t token;                  ///< -1 after an error
    std::span<const float> logits;  ///< what the model said, before `adjust`; valid in the call
    std::exception_ptr error{};     ///< NumericError: logits that no token can be drawn from; the text ends
  };

  /// The model must outlive it.
  explicit ContinuousGeneration(const GenerativeModel& model);
  ~ContinuousGeneration();

  /// A text begins; what it is called from now on. ValueError as generate(), and nothing is added then.
  uint64_t add(Text text);
  /// It is written no further; nothing for one that has ended.
  void remove(uint64_t name);
  /// How many there are.
  int64_t size() const;

  /// Lets the model read about `most_read` tokens of new prompts, those that came first first, and writes a token for each
  /// text that is read to its end. `on_token` sees them, and ends its text by returning false.
  void step(const std::function<bool(const Drawn&)>& on_token, int64_t most_read = 512);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace weft
