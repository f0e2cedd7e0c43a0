#include <weft/tools/commands/model_input.h>
#include <weft/tools/serve/completion_call.h>
#include <weft/tools/writing/written_text.h>

#include <algorithm>
#include <numeric>

namespace weft::tools {
namespace {

constexpr uint64_t next_choice = uint64_t{1} << 32;
constexpr double impossible = -9999;  // JSON has no infinity

/// The tokens of the largest logits, in order; of equal ones the lower id first.
std::vector<int64_t> largest(std::span<const float> logits, int64_t count) {
  std::vector<int64_t> ids(logits.size());
  std::iota(ids.begin(), ids.end(), 0);
  const auto end = ids.begin() + std::min(count, std::ssize(ids));
  std::partial_sort(ids.begin(), end, ids.end(), [&](int64_t a, int64_t b) {
    const float x = logits[static_cast<size_t>(a)], y = logits[static_cast<size_t>(b)];
    return x != y ? x > y : a < b;
  });
  ids.erase(end, ids.end());
  return ids;
}

/// OpenAI's penalties and biases, which are taken from the logits; none where none are asked for.
std::function<void(std::span<float>, std::span<const int64_t>)> adjustment(const CompletionRequest& request) {
  const double frequency = request.frequency_penalty, presence = request.presence_penalty;
  if (frequency == 0 && presence == 0 && request.logit_bias.empty()) return {};
  return [=, bias = request.logit_bias](std::span<float> logits, std::span<const int64_t> added) {
    std::map<int64_t, double> changes = bias;
    std::map<int64_t, int64_t> counts;
    for (const int64_t id : added) ++counts[id];
    for (const auto& [id, count] : counts) changes[id] -= frequency * static_cast<double>(count) + presence;
    for (const auto& [id, change] : changes) {
      float& logit = logits[static_cast<size_t>(id)];
      logit = static_cast<float>(logit + change);
    }
  };
}

ToldToken told(int64_t token, size_t offset, std::span<const float> logits, int64_t top) {
  const double total = log_total(logits);
  const auto log_p = [&](int64_t id) {
    return std::max(static_cast<double>(logits[static_cast<size_t>(id)]) - total, impossible);
  };
  ToldToken one{token, offset, log_p(token)};
  for (const int64_t id : largest(logits, top)) one.likeliest.emplace_back(id, log_p(id));
  return one;
}

/// What the model says to each token of a prompt, after those before it.
std::vector<ToldToken> told_prompt(const WritingModel& model, const std::vector<int64_t>& ids, int64_t top) {
  const NoGrad no_grad;
  const Array logits = model.writer->logits({row_of(ids), {}}).value().to(float32);  // (1, T, V)
  const auto V = static_cast<size_t>(logits.dim(2));
  std::vector<ToldToken> all{{.id = ids[0]}};
  size_t offset = 0;
  for (size_t t = 1; t < ids.size(); ++t) {
    offset += model.tokenizer->decode(ids[t - 1]).size();
    all.push_back(told(ids[t], offset, logits.values<float>().subspan((t - 1) * V, V), top));
  }
  return all;
}

}  // namespace

/// From the queue's thread to that of who asked.
struct CompletionCall::Channel {
  std::mutex mutex;
  std::condition_variable filled;
  std::deque<Piece> pieces;
  int64_t written = 0;
  std::vector<std::vector<ToldToken>> prompts;

  void put(Piece piece) {
    {
      const std::lock_guard lock(mutex);
      pieces.push_back(std::move(piece));
    }
    filled.notify_one();
  }
};

/// One of the texts, in the queue's thread.
class CompletionCall::Choice {
 public:
  Choice(const ServedModel& served, const CompletionRequest& request, int64_t number,
         std::shared_ptr<Channel> channel)
      : ends_(request.chat ? served.turns->unsaid() : served.model.end_ids),
        top_(request.top_logprobs),
        number_(number),
        written_(*served.model.tokenizer,
                 {.decoding = {.begins = request.chat || served.model.answers(),
                               .display = true,
                               .before = request.chat || served.model.answers()
                                             ? ""
                                             : request.prompts[static_cast<size_t>(number / request.n)].text},
                  .silent = ends_,
                  .stop = request.stop,
                  .without_stop = true}),
        channel_(std::move(channel)) {}

  bool take(int64_t token, std::span<const float> logits) {
    {
      const std::lock_guard lock(channel_->mutex);
      ++channel_->written;
    }
    if (std::ranges::count(ends_, token) > 0) {
      ended_ = true;
      return false;
    }
    if (top_) untold_.push_back({told(token, written_.size(), logits, *top_)});
    Piece piece{.choice = number_, .text = written_.next(token)};
    if (top_) untold_.back().end = written_.size();
    if (!written_.stops()) tell_tokens(piece);
    if (!piece.text.empty() || !piece.tokens.empty()) channel_->put(std::move(piece));
    return !written_.stops();
  }

  void end(bool failed) {
    Piece piece{.choice = number_, .text = written_.rest(), .failed = failed};
    if (!failed) piece.finish = ended_ || written_.stops() ? "stop" : "length";
    // Of a text that was stopped, those tokens that begin before the stop.
    for (Untold& one : untold_)
      if (!written_.stops() || one.token.offset < written_.size())
        piece.tokens.push_back(std::move(one.token));
    channel_->put(std::move(piece));
  }

 private:
  struct Untold {
    ToldToken token;
    size_t end = 0;  ///< bytes of the text with it
  };

  /// Those whose text was written to its end.
  void tell_tokens(Piece& piece) {
    while (!untold_.empty() && untold_.front().end <= written_.written()) {
      piece.tokens.push_back(std::move(untold_.front().token));
      untold_.pop_front();
    }
  }

  const std::vector<int64_t> ends_;
  const std::optional<int64_t> top_;
  const int64_t number_;
  WrittenText written_;
  std::shared_ptr<Channel> channel_;
  std::deque<Untold> untold_;
  bool ended_ = false;
};

CompletionCall::CompletionCall(const ServedModel& served, const CompletionRequest& request)
    : request_(request), channel_(std::make_shared<Channel>()) {
  const auto adjust = adjustment(request);
  channel_->prompts.resize(request.prompts.size());
  for (size_t prompt = 0; prompt < request.prompts.size(); ++prompt)
    for (int64_t k = 0; k < request.n; ++k) {
      const std::vector<int64_t>& ids = request_.prompts[prompt].ids;
      const auto choice = std::make_shared<Choice>(served, request_, std::ssize(jobs_), channel_);
      const auto job = std::make_shared<GenerationJob>();
      job->text = {.prompt = ids,
                   .sampling = request.sampling,
                   .seed = request.seed,
                   .sample = request.sample + static_cast<uint64_t>(k) * (request.chat ? next_choice : 1),
                   .adjust = adjust};
      job->tokens = request.tokens;
      if (request.echo && request.top_logprobs && k == 0)
        job->before = [=, &model = served.model, channel = channel_, top = *request.top_logprobs] {
          std::vector<ToldToken> tokens = told_prompt(model, ids, top);
          const std::lock_guard lock(channel->mutex);
          channel->prompts[prompt] = std::move(tokens);
        };
      job->on_token = [choice](int64_t token, std::span<const float> logits) {
        return choice->take(token, logits);
      };
      job->on_end = [choice](const std::exception_ptr& error) { choice->end(error != nullptr); };
      jobs_.push_back(job);
    }
  left_ = std::ssize(jobs_);
}

std::unique_ptr<CompletionCall> CompletionCall::begin(const ServedModel& served,
                                                      const CompletionRequest& request,
                                                      GenerationQueue& queue) {
  std::unique_ptr<CompletionCall> call(new CompletionCall(served, request));
  return queue.add(call->jobs_) ? std::move(call) : nullptr;
}

CompletionCall::~CompletionCall() {
  for (const std::shared_ptr<GenerationJob>& job : jobs_) job->cancelled = true;
}

std::optional<Piece> CompletionCall::next(std::chrono::milliseconds wait) {
  std::unique_lock lock(channel_->mutex);
  if (!channel_->filled.wait_for(lock, wait, [&] { return !channel_->pieces.empty(); })) return std::nullopt;
  Piece piece = std::move(channel_->pieces.front());
  channel_->pieces.pop_front();
  if (piece.failed || !piece.finish.empty()) --left_;
  return piece;
}

std::vector<ToldToken> CompletionCall::prompt_tokens(int64_t prompt) const {
  const std::lock_guard lock(channel_->mutex);
  return channel_->prompts[static_cast<size_t>(prompt)];
}

int64_t CompletionCall::written() const {
  const std::lock_guard lock(channel_->mutex);
  return channel_->written;
}

}  // namespace weft::tools
