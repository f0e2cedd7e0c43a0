// A request under way: its texts in the queue, and what was written of them since it was last asked.
#pragma once

#include <weft/tools/serve/completion_request.h>
#include <weft/tools/serve/generation_queue.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace weft::tools {

/// A token with its log-probability, and the likeliest in its place, before temperature and all else.
struct ToldToken {
  int64_t id = 0;
  size_t offset = 0;                 ///< bytes of the text before it
  std::optional<double> log_p = {};  ///< none of the first of a prompt
  std::vector<std::pair<int64_t, double>> likeliest = {};
};

struct Piece {
  int64_t choice = 0;  ///< prompt * n + number
  std::string text = {};
  std::vector<ToldToken> tokens = {};  ///< those whose text has been told with it, if they were asked for
  std::string finish = {};             ///< "stop" or "length" in the last piece
  bool failed = false;                 ///< in place of it
};

class CompletionCall {
 public:
  /// Puts the texts into the queue; nullptr when too many wait there.
  static std::unique_ptr<CompletionCall> begin(const ServedModel& served, const CompletionRequest& request,
                                               GenerationQueue& queue);
  /// Whatever is not written by then is cancelled.
  ~CompletionCall();
  CompletionCall(const CompletionCall&) = delete;
  CompletionCall& operator=(const CompletionCall&) = delete;

  /// The next piece; none when there is none for so long.
  std::optional<Piece> next(std::chrono::milliseconds wait);
  /// Whether all pieces were taken.
  bool over() const { return left_ == 0; }
  /// Tokens that were written up to now, those that end a text too.
  int64_t written() const;
  /// Those of a prompt, where it is to be echoed with log-probabilities; once its first text is over.
  std::vector<ToldToken> prompt_tokens(int64_t prompt) const;
  const CompletionRequest& request() const { return request_; }

 private:
  struct Channel;
  class Choice;
  CompletionCall(const ServedModel& served, const CompletionRequest& request);

  const CompletionRequest request_;
  std::shared_ptr<Channel> channel_;
  std::vector<std::shared_ptr<GenerationJob>> jobs_;
  int64_t left_ = 0;  ///< choices that go on
};

}  // namespace weft::tools
