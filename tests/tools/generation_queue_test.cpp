// Texts that many threads ask for at once, without HTTP.
#include <doctest/doctest.h>
#include <weft/layers/models/decoding/generation.h>
#include <weft/layers/models/gpt.h>
#include <weft/lib/array/random.h>
#include <weft/lib/base/error.h>
#include <weft/tools/serve/generation_queue.h>

#include <future>
#include <memory>
#include <thread>
#include <vector>

namespace weft::tools {
namespace {

using Tokens = std::vector<int64_t>;

const GPT& model() {
  static const std::unique_ptr<GPT> made = [] {
    const RandomScope random({.seed = 1});
    auto gpt = std::make_unique<GPT>(
        GPTConfig{.vocab_size = 11, .block_size = 12, .n_layer = 2, .n_head = 2, .n_embd = 8});
    gpt->eval();
    return gpt;
  }();
  return *made;
}

/// A job whose text can be waited for.
struct Asked {
  std::shared_ptr<GenerationJob> job = std::make_shared<GenerationJob>();
  std::shared_ptr<Tokens> written = std::make_shared<Tokens>();
  std::future<bool> ended;  ///< whether without an error

  Asked(Tokens prompt, int64_t tokens, uint64_t seed) {
    job->text.prompt = std::move(prompt);
    job->text.seed = seed;
    job->tokens = tokens;
    job->on_token = [written = written](int64_t token, std::span<const float>) {
      written->push_back(token);
      return true;
    };
    auto promise = std::make_shared<std::promise<bool>>();
    ended = promise->get_future();
    job->on_end = [promise](const std::exception_ptr& error) { promise->set_value(error == nullptr); };
  }
  const Tokens& text() {
    REQUIRE(ended.wait_for(std::chrono::seconds(60)) == std::future_status::ready);
    CHECK(ended.get());
    return *written;
  }
};

Tokens alone(const Tokens& prompt, int64_t tokens, uint64_t seed) {
  return generate(model(), prompt, {.tokens = tokens, .seed = seed});
}

template <class Condition>
bool comes(const Condition& condition) {
  for (int i = 0; i < 10000 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return condition();
}

}  // namespace

TEST_CASE("generation queue: what many threads ask for at once is what each gets alone") {
  GenerationQueue queue(model(), {.rows = 5, .waiting = 1000, .most_read = 7});
  std::vector<std::thread> threads;
  std::vector<std::vector<Asked>> asked(6);
  for (size_t t = 0; t < asked.size(); ++t)
    threads.emplace_back([&, t] {
      for (int64_t i = 0; i < 10; ++i) {
        const auto number = static_cast<int64_t>(t) * 10 + i;
        Tokens prompt;
        for (int64_t k = 0; k <= number % 15; ++k) prompt.push_back((number + k * k) % 11);
        asked[t].emplace_back(prompt, 1 + number % 23, static_cast<uint64_t>(number % 4));
        CHECK(queue.add({asked[t].back().job}));
      }
    });
  for (std::thread& thread : threads) thread.join();
  int64_t written = 0;
  for (size_t t = 0; t < asked.size(); ++t)
    for (int64_t i = 0; i < 10; ++i) {
      const auto number = static_cast<int64_t>(t) * 10 + i;
      CAPTURE(number);
      Tokens prompt;
      for (int64_t k = 0; k <= number % 15; ++k) prompt.push_back((number + k * k) % 11);
      CHECK(asked[t][static_cast<size_t>(i)].text() ==
            alone(prompt, 1 + number % 23, static_cast<uint64_t>(number % 4)));
      written += 1 + number % 23;
    }
  CHECK(comes([&] { return queue.numbers().running == 0; }));
  const GenerationQueue::Numbers numbers = queue.numbers();
  CHECK(numbers.ended == 60);
  CHECK(numbers.written == written);
  CHECK(numbers.waiting == 0);
  CHECK(numbers.failed == 0);
  CHECK(numbers.cancelled == 0);
  CHECK(numbers.steps < written);  // several at a time
}

TEST_CASE("generation queue: no more wait than may; all of a request or none") {
  GenerationQueue queue(model(), {.rows = 2, .waiting = 3});
  std::vector<Asked> endless;
  for (uint64_t i = 0; i < 5; ++i) {
    endless.emplace_back(Tokens{1}, int64_t{1} << 40, i);
    CHECK(queue.add({endless.back().job}));
  }
  CHECK(comes([&] { return queue.numbers().running == 2; }));
  CHECK(queue.numbers().waiting == 3);
  Asked one({2}, 5, 1), other({3}, 5, 1);
  CHECK_FALSE(queue.add({one.job}));
  endless[4].job->cancelled = true;  // one that waits
  CHECK(comes([&] { return queue.numbers().waiting == 2; }));
  CHECK_FALSE(queue.add({one.job, other.job}));
  CHECK(queue.add({one.job}));
  CHECK_FALSE(queue.add({other.job}));
  CHECK(queue.expected_wait() > 0);
  for (Asked& each : endless) each.job->cancelled = true;
  CHECK(one.text() == alone({2}, 5, 1));
  CHECK(comes([&] { return queue.numbers().running == 0; }));
  CHECK(queue.numbers().cancelled == 5);
  CHECK(queue.numbers().ended == 1);
}

TEST_CASE(
    "generation queue: a text ends when whoever listens has enough, with no tokens, or with an error of its "
    "own") {
  GenerationQueue queue(model(), {.rows = 4});
  Asked few({1, 2}, 100, 3), none({1}, 0, 1), wrong({1, 11}, 5, 1), empty({}, 5, 1), bad({4}, 5, 1),
      good({5}, 9, 2);
  few.job->on_token = [&](int64_t token, std::span<const float> logits) {
    CHECK(logits.size() == 11);
    few.written->push_back(token);
    return few.written->size() < 4;
  };
  bad.job->text.adjust = [](std::span<float> logits, std::span<const int64_t> added) {
    if (added.size() == 2) logits[0] = NAN;
  };
  CHECK(queue.add({few.job, none.job, wrong.job, empty.job, bad.job, good.job}));
  CHECK(few.text() == alone({1, 2}, 4, 3));
  CHECK(none.text().empty());
  CHECK_FALSE(wrong.ended.get());
  CHECK_FALSE(empty.ended.get());
  CHECK_FALSE(bad.ended.get());
  CHECK(bad.written->size() == 2);
  CHECK(good.text() == alone({5}, 9, 2));
  CHECK(comes([&] { return queue.numbers().running == 0; }));
  CHECK(queue.numbers().failed == 3);
  CHECK(queue.numbers().ended == 3);
}

TEST_CASE("generation queue: between two that have more to do those under way get a token") {
  GenerationQueue queue(model(), {.rows = 8});
  Asked endless({1}, int64_t{1} << 40, 1);
  CHECK(queue.add({endless.job}));
  CHECK(comes([&] { return queue.numbers().written > 0; }));
  std::vector<Asked> busy;
  std::vector<size_t> written;  // by the endless one before each of them
  std::vector<std::shared_ptr<GenerationJob>> jobs;
  for (int i = 0; i < 4; ++i) {
    busy.emplace_back(Tokens{2}, i % 2 == 0 ? 3 : 0, 1);
    busy.back().job->before = [&] { written.push_back(endless.written->size()); };
    jobs.push_back(busy.back().job);
  }
  // Those behind it that nobody waits for any more have nothing to do.
  Asked first({3}, 2, 1), gone({3}, 2, 1);
  bool asked = false;
  first.job->before = [&] { gone.job->cancelled = true; };
  gone.job->before = [&] { asked = true; };
  jobs.insert(jobs.end(), {first.job, gone.job});
  CHECK(queue.add(jobs));
  for (size_t i = 0; i < 4; ++i) CHECK(busy[i].text().size() == (i % 2 == 0 ? 3 : 0));
  CHECK(first.text().size() == 2);
  REQUIRE(written.size() == 4);
  for (size_t i = 1; i < 4; ++i) CHECK(written[i] > written[i - 1]);
  endless.job->cancelled = true;
  CHECK(comes([&] { return queue.numbers().cancelled == 2; }));
  CHECK_FALSE(asked);
}

TEST_CASE("generation queue: a model that fails fails those that it writes, and no later ones") {
  struct Failing : GPT {
    using GPT::GPT;
    std::atomic<bool> fails{false};
    int64_t vocab_size() const override { return config.vocab_size; }
    int64_t context() const override { return config.block_size; }
    Tensor next(const Array& ids, std::span<const int64_t> lengths, DecoderState& state) const override {
      if (fails) fail<MemoryError>("no memory");
      return GPT::next(ids, lengths, state);
    }
  };
  const NoInit no_init;
  Failing failing(model().config);
  failing.load_state_dict(model().state_dict());
  failing.eval();
  GenerationQueue queue(failing, {.rows = 2});
  Asked first({1}, int64_t{1} << 40, 1), second({2}, int64_t{1} << 40, 1), third({3}, int64_t{1} << 40, 1);
  CHECK(queue.add({first.job, second.job}));
  CHECK(comes([&] { return queue.numbers().written > 10; }));
  failing.fails = true;
  CHECK_FALSE(first.ended.get());
  CHECK_FALSE(second.ended.get());
  failing.fails = false;
  // Nor does one that cannot even be told so.
  Asked deaf({5}, int64_t{1} << 40, 1), other({6}, int64_t{1} << 40, 1);
  deaf.job->on_end = [](const std::exception_ptr&) { throw std::bad_alloc(); };
  const int64_t before = queue.numbers().written;
  CHECK(queue.add({deaf.job, other.job}));
  CHECK(comes([&] { return queue.numbers().written > before + 10; }));
  failing.fails = true;
  CHECK_FALSE(other.ended.get());
  failing.fails = false;
  Asked later({4}, 20, 1);
  CHECK(queue.add({later.job}));
  CHECK(later.text() == alone({4}, 20, 1));
}

TEST_CASE("generation queue: its end does not wait for texts, and options out of range are refused") {
  std::vector<Asked> endless;
  {
    GenerationQueue queue(model(), {.rows = 1});
    for (uint64_t i = 0; i < 3; ++i) {
      endless.emplace_back(Tokens{1}, int64_t{1} << 40, i);
      queue.add({endless.back().job});
    }
    CHECK(comes([&] { return queue.numbers().written > 3; }));
  }
  CHECK(endless[0].written->size() > 3);
  CHECK(endless[1].written->empty());
  CHECK_THROWS_AS(GenerationQueue(model(), {.rows = 0}), ValueError);
  CHECK_THROWS_AS(GenerationQueue(model(), {.waiting = -1}), ValueError);
  CHECK_THROWS_AS(GenerationQueue(model(), {.most_read = 0}), ValueError);
}

}  // namespace weft::tools
