// Attention against recurrence, on this machine: what a Llama, an LSTM and a GRU of equal parameters learn of
// a text, what each can recall from how far back, and what a step costs as the context grows.
//
//   build/bin/attention_vs_recurrence [OUT.svg [UPDATES]]
//
// prints three tables and draws them as OUT.svg (attention_vs_recurrence.svg):
//  1. the validation loss on made-up stories after equal numbers of updates, and after equal time;
//  2. the accuracy of recalling an item 8 to 512 tokens back, after four times as many updates on distances up
//     to 64: beyond them, more is asked for than was ever seen in training;
//  3. the time of an update of one sequence of T tokens. Attention's grows with T squared in the end, that of
//     the others with T: the table says from where on attention costs more.
#include <weft/train/show/line_chart.h>
#include <weft/weft.h>

#include <chrono>
#include <cstdio>
#include <memory>

using namespace weft;
using Clock = std::chrono::steady_clock;

const std::vector<std::string> kinds = {"llama", "lstm", "gru"};

ChartSeries series_of(const std::string& kind) {
  using Colour = ChartSeries::Colour;
  return {.name = kind,
          .colour = kind == "llama"  ? Colour::blue
                    : kind == "lstm" ? Colour::orange
                                     : Colour::green,
          .dots = true};
}

/// Models of about equal parameters: 12 C^2 a block of a Llama, 8 of an LSTM's layer, 6 of a GRU's.
std::unique_ptr<Model> make(const std::string& kind, int64_t vocab_size, int64_t block_size) {
  const RandomScope random({.seed = 1});
  if (kind == "llama")
    return std::make_unique<Llama>(LlamaConfig{.vocab_size = vocab_size,
                                               .block_size = block_size,
                                               .n_layer = 2,
                                               .n_head = 4,
                                               .n_embd = 64,
                                               .n_inner = 170,
                                               .tie_embeddings = true});
  const bool lstm = kind == "lstm";
  return std::make_unique<RecurrentLM>(
      RecurrentLMConfig{.cell = lstm ? RecurrentCell::lstm : RecurrentCell::gru,
                        .vocab_size = vocab_size,
                        .n_layer = 2,
                        .n_embd = lstm ? 76 : 88});
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// One update; its seconds.
double update(Model& model, Optimizer& optimizer, const Batch& batch, double lr) {
  const Clock::time_point start = Clock::now();
  TrainStep step(optimizer);
  step.backward(model, batch);
  step.finish({.lr = lr, .max_norm = 1.0});
  return seconds_since(start);
}

Muon optimizer_of(const Model& model) { return Muon(model.parameters(), {.weight_decay = 0.01}); }

double validation_loss(Model& model, const EvalDataset& data) {
  const NoGrad no_grad;
  LossMeter meter;
  for (int64_t first = 0; first < data.size(); first += 32) meter.add(model.loss(data.batch(first, 32)));
  return meter.mean();
}

/// 1. Loss by updates and by seconds.
std::vector<LineChart> learn_text(int64_t updates) {
  const Stories stories = generate_stories(400'000, 1);
  const CharTokenizer tokenizer = CharTokenizer::of(stories.text);
  const auto tokens = std::make_shared<MemoryTokens>(tokenizer.encode(stories.text));
  const auto [train, validation] = split_tokens(tokens);
  const TokenDataset windows(train, 64, 1);
  const EvalDataset unseen(validation, 64, 128);
  LineChart by_update{.title = "Loss on stories by updates", .x = "updates", .y = "nats a character"},
      by_time{.title = "Loss on stories by time", .x = "seconds", .y = "nats a character"};
  std::printf("1. stories, %ld updates of 16 x 64 characters\n   model  parameters  loss  seconds\n",
              updates);
  for (const std::string& kind : kinds) {
    const auto model = make(kind, tokenizer.vocab_size(), 64);
    Muon optimizer = optimizer_of(*model);
    ChartSeries updated = series_of(kind), timed = updated;
    double seconds = 0;
    for (int64_t k = 1; k <= updates; ++k) {
      const double lr =
          schedule::cosine(k, {.lr = 5e-3, .warmup = updates / 20, .steps = updates, .min_lr = 3e-4});
      seconds += update(*model, optimizer, windows.batch(16 * (k - 1), 16), lr);
      if (k % std::max<int64_t>(1, updates / 12) != 0 && k != updates) continue;
      const double loss = validation_loss(*model, unseen);
      updated.points.emplace_back(k, loss);
      timed.points.emplace_back(seconds, loss);
    }
    std::printf("   %-5s  %10ld  %.4f  %.1f\n", kind.c_str(), model->parameter_count(),
                updated.points.back().second, seconds);
    by_update.series.push_back(updated);
    by_time.series.push_back(timed);
  }
  // Equal time: each at the last moment that all have reached.
  double least = 1e300;
  for (const ChartSeries& curve : by_time.series) least = std::min(least, curve.points.back().first);
  std::printf("   after %.1f seconds:", least);
  for (const ChartSeries& curve : by_time.series) {
    double loss = curve.points.front().second;
    for (const auto& [time, value] : curve.points)
      if (time <= least) loss = value;
    std::printf("  %s %.4f", curve.name.c_str(), loss);
  }
  std::printf("\n\n");
  return {by_update, by_time};
}

/// Share of right answers where `task` asks, over `samples` samples.
double accuracy(const Model& model, const TaskDataset& task, int64_t samples) {
  const NoGrad no_grad;
  int64_t right = 0, asked = 0;
  for (int64_t first = 0; first < samples; first += 16) {
    const Batch batch = task.batch(first, 16);
    const Array logits = model.logits(batch).value();
    const int64_t* const targets = batch.targets.data<int64_t>();
    for (int64_t i = 0; i < batch.targets.size(); ++i) {
      if (targets[i] == Batch::ignored) continue;
      const float* const row = logits.data<float>() + i * logits.dim(-1);
      ++asked;
      right += std::max_element(row, row + logits.dim(-1)) - row == targets[i];
    }
  }
  return static_cast<double>(right) / static_cast<double>(std::max<int64_t>(1, asked));
}

/// 2. Accuracy by distance.
LineChart recall(int64_t updates) {
  constexpr int64_t farthest_trained = 64;
  LineChart chart{
      .title = "Recall of an item some tokens back", .x = "tokens back", .y = "accuracy", .log_x = true};
  const auto task = make_task("recall", {.max_length = farthest_trained});
  std::printf(
      "2. recall, %ld updates on items 8 to %ld tokens back: accuracy by distance (by chance 0.06)\n"
      "   model ",
      updates, farthest_trained);
  for (int64_t back = 8; back <= 512; back *= 2) std::printf("  %5ld", back);
  std::printf("\n");
  for (const std::string& kind : kinds) {
    const auto model = make(kind, task->tokenizer()->vocab_size(), 600);
    Muon optimizer = optimizer_of(*model);
    for (int64_t k = 0; k < updates; ++k) {
      const double lr =
          schedule::cosine(k, {.lr = 5e-3, .warmup = updates / 20, .steps = updates, .min_lr = 3e-4});
      update(*model, optimizer, task->batch(32 * k, 32), lr);
    }
    ChartSeries curve = series_of(kind);
    std::printf("   %-5s ", kind.c_str());
    for (int64_t back = 8; back <= 512; back *= 2) {
      const auto asked =
          make_task("recall", {.split = Split::validation, .min_length = back, .max_length = back});
      curve.points.emplace_back(back, accuracy(*model, *asked, 256));
      std::printf("  %5.2f", curve.points.back().second);
    }
    std::printf("\n");
    chart.series.push_back(curve);
  }
  std::printf("\n");
  return chart;
}

/// 3. Time of an update by T.
LineChart time_steps(int64_t longest) {
  constexpr int64_t vocab_size = 64;
  LineChart chart{.title = "Time of an update of T tokens",
                  .x = "tokens",
                  .y = "milliseconds",
                  .log_x = true,
                  .log_y = true};
  std::printf("3. an update of one sequence of T tokens, milliseconds (least of 5)\n       T");
  for (const std::string& kind : kinds) std::printf("  %8s", kind.c_str());
  std::printf("\n");
  for (const std::string& kind : kinds) chart.series.push_back(series_of(kind));
  int64_t crossing = 0;
  for (int64_t T = 64; T <= longest; T *= 2) {
    std::printf("   %5ld", T);
    for (size_t i = 0; i < kinds.size(); ++i) {
      const auto model = make(kinds[i], vocab_size, longest);
      Muon optimizer = optimizer_of(*model);
      const Array ids = Array::zeros({1, T}, int64);
      double best = 1e300;
      for (int round = 0; round < 5; ++round)
        best = std::min(best, update(*model, optimizer, {ids, ids}, 1e-4));
      chart.series[i].points.emplace_back(T, 1e3 * best);
      std::printf("  %8.2f", 1e3 * best);
    }
    std::printf("\n");
    const bool dearer = chart.series[0].points.back().second > chart.series[1].points.back().second;
    if (dearer && crossing == 0) crossing = T;
    if (!dearer) crossing = 0;
  }
  if (crossing > 0)
    std::printf("   from %ld tokens on attention costs more than the LSTM\n", crossing);
  else
    std::printf("   up to %ld tokens attention costs less than the LSTM\n", longest);
  return chart;
}

int main(int argc, char** argv) {
  const std::string out = argc > 1 ? argv[1] : "attention_vs_recurrence.svg";
  const int64_t updates = argc > 2 ? std::atol(argv[2]) : 800;
  if (out.starts_with("-") || updates < 1 || argc > 3) {
    std::fprintf(stderr, "usage: attention_vs_recurrence [OUT.svg [UPDATES]]\n");
    return 2;
  }
  std::vector<LineChart> charts = learn_text(updates);
  charts.push_back(recall(4 * updates));
  charts.push_back(time_steps(updates < 100 ? 256 : 16384));
  write_file(out, line_charts(charts));
  std::printf("drawn as %s\n", out.c_str());
  return 0;
}
