#include <weft/data/dataset.h>
#include <weft/data/text/data_files.h>
#include <weft/layers/init.h>
#include <weft/lib/array/random.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/math.h>
#include <weft/lib/base/values.h>
#include <weft/lib/machine/dry_run.h>
#include <weft/train/build.h>
#include <weft/train/memory_plan.h>
#include <weft/train/scaling_law.h>
#include <weft/train/show/progress.h>
#include <weft/train/time_budget.h>
#include <weft/train/update_time.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <map>
#include <optional>

namespace weft {
namespace {

constexpr double shortest = 0.1, longest = 100'000;  // minutes
/// Of the time that is left: what goes to evaluations, and what is kept for the last checkpoint and for updates that take
/// longer than those that were measured.
constexpr double evaluating = 0.03, kept = 0.02;
/// Of the time that is left, what measuring one size takes, and measuring the one that was chosen; in seconds at most.
constexpr double measuring = 0.02, longest_measuring = 0.4;
constexpr double measuring_chosen = 0.1, shortest_chosen = 1.6, longest_chosen = 10;
constexpr int64_t most_evaluations = 10;

/// A model of the kind `best`. Those up to 10 x 256 are of bench/scaling; the larger ones it has not measured.
struct Size {
  int64_t layers, width, heads;
};
constexpr std::array sizes{Size{2, 32, 2},   Size{2, 48, 2},   Size{3, 48, 2},   Size{3, 64, 2},
                           Size{4, 64, 2},   Size{4, 80, 2},   Size{4, 96, 2},   Size{5, 112, 2},
                           Size{6, 128, 2},  Size{7, 144, 4},  Size{8, 160, 4},  Size{8, 192, 4},
                           Size{9, 224, 4},  Size{10, 256, 4}, Size{12, 320, 5}, Size{12, 384, 6},
                           Size{12, 512, 8}, Size{12, 768, 12}};

/// Parameters that each token is multiplied with: blocks and the output layer.
double multiplied(const Size& size, int64_t vocab_size) {
  return static_cast<double>(12 * size.layers * size.width * size.width + vocab_size * size.width);
}

/// How text is read, by the operations that there is time for: by experience, not measured one by one.
struct Reading {
  double most_work;
  int64_t vocab_size, context, update_tokens;
};
constexpr std::array readings{Reading{2e12, 512, 128, 2048},   Reading{1e13, 1024, 256, 4096},
                              Reading{1e14, 2048, 256, 4096},  Reading{1e15, 4096, 256, 8192},
                              Reading{1e16, 8192, 512, 16384}, Reading{1e300, 16384, 1024, 65536}};

/// Bytes of text for each token of the vocabulary, at least: rarer ones are not learned.
constexpr double bytes_per_kind = 250;
constexpr int64_t least_kinds = 320;
constexpr int64_t least_context = 8;

/// Of Muon, to two digits. The best rates of bench/scaling fall with depth and width, and are higher in runs of few updates; a
/// factor of 1.5 to either side costs some 0.01 bits a byte.
double learning_rate_for(int64_t layers, int64_t width, int64_t updates) {
  constexpr double highest = 4e-2;
  const double few = 80 / static_cast<double>(updates);
  const double rate = 2.9 / static_cast<double>(layers * width) * (1 + few * few);
  const double digits = rate < 1e-3 ? 1e-5 : rate < 1e-2 ? 1e-4 : 1e-3;
  return std::min(std::round(rate / digits) * digits, highest);
}

/// A configuration with other keys of its parts.
RunConfig with(RunConfig config, const std::vector<std::pair<const char*, int64_t>>& values) {
  for (const auto& [key, value] : values) config.parts.set(key, value);
  return config;
}

/// Heads are of an even width, as rotary positions want it: the most below `most` that divide the width so, else 1.
int64_t heads_of(int64_t width, int64_t most) {
  while (most > 1 && width % (2 * most) != 0) --most;
  return most;
}
int64_t width_of(int64_t least, int64_t heads) { return (least + 2 * heads - 1) / (2 * heads) * 2 * heads; }

/// The size with what was given in place of its own, and the rest so that it fits.
Size fitted(const RunConfig& config, Size size, const std::set<std::string>& given) {
  if (given.contains("n_layer")) size.layers = config.parts.integer("n_layer");
  if (given.contains("n_head")) size.heads = config.parts.integer("n_head");
  if (given.contains("n_embd"))
    size.width = config.parts.integer("n_embd");
  else
    size.width = width_of(size.width, size.heads);
  if (!given.contains("n_head")) size.heads = heads_of(size.width, size.heads);
  return size;
}

RunConfig sized(const RunConfig& config, const Size& size) {
  return with(config, {{"n_layer", size.layers}, {"n_embd", size.width}, {"n_head", size.heads}});
}

UpdateTime measured(const RunConfig& config, const TaskData& task, double seconds, const OwnParts& own = {}) {
  const std::unique_ptr<Model> model = build_model(config, task, own);
  const std::unique_ptr<Optimizer> optimizer = build_optimizer(config, *model);
  Loader loader(task.training, config.batch_size, UpdateShare{.batches = config.gradient_accumulation_steps});
  return time_updates(config, *model, *optimizer, loader, seconds);
}

/// Operations a second of a small model here, measured for so many seconds.
double speed(double seconds) {
  constexpr int64_t vocab_size = 1024, context = 128, rows = 8;
  constexpr Size size{3, 96, 2};
  std::vector<int64_t> ids;
  for (uint64_t i = 0; i < 8192; ++i)
    ids.push_back(static_cast<int64_t>(integer_at(random_key(1, 1), i, 0, vocab_size)));
  RunConfig config = with(make_config({{.where = {}, .key = "model", .value = std::string("best")},
                                       {.where = {}, .key = "optimizer", .value = std::string("muon")}}),
                          {{"block_size", context}});
  config.batch_size = rows;
  TaskData task;
  task.shape = {.vocab_size = vocab_size, .sizes = {.longest_input = context}};
  task.training = std::make_shared<TokenDataset>(all_tokens(std::make_shared<MemoryTokens>(ids)), context, 1);
  const double operations = 6 * multiplied(size, vocab_size) * rows * context;
  return operations / measured(sized(config, size), task, seconds).seconds;
}

double bytes_of(const std::vector<std::string>& data) {
  constexpr double compressed = 3;  // how much larger the text of a .gz or .zst is, about
  double bytes = 0;
  for (const std::string& path : data_files(without_weights(data))) {
    std::error_code error;
    const auto size = static_cast<double>(std::filesystem::file_size(path, error));
    if (!error) bytes += size * (path.ends_with(".gz") || path.ends_with(".zst") ? compressed : 1);
  }
  return bytes;
}

/// Bytes of a token in such a vocabulary, about.
constexpr double bytes_per_token = 3;

/// The size that learns the most of so many operations.
size_t best_size(double operations, int64_t vocab_size, double distinct) {
  const auto expected = [&](const Size& size) {
    const double parameters = multiplied(size, vocab_size);
    return ScalingLaw::of_books().bits_per_byte(parameters, operations / (6 * parameters) * bytes_per_token,
                                                distinct);
  };
  return static_cast<size_t>(std::ranges::min_element(sizes, {}, expected) - sizes.begin());
}

/// Whether its size is chosen: a decoder of text whose blocks have layers and a width.
bool has_size(const RunConfig& config) {
  return config.task == "text" &&
         std::ranges::all_of(std::array{"n_layer", "n_embd", "n_head"},
                             [&](const char* key) { return config.parts.contains(key); });
}

}  // namespace

TimeBudget::TimeBudget(double minutes) : seconds_(60 * minutes) {
  if (!(shortest <= minutes && minutes <= longest))
    fail<ValueError>("--minutes ", minutes, ": must be between ", shortest, " and ", longest);
}

double TimeBudget::left() const {
  return seconds_ - std::chrono::duration<double>(Clock::now() - begin_).count();
}

double TimeBudget::one_measuring() const { return std::min(measuring * seconds_, longest_measuring); }

std::vector<Assignment> TimeBudget::settings(const std::vector<Assignment>& given,
                                             const std::vector<std::string>& data) {
  const auto made_of = [&](std::vector<Assignment> first) {
    first.insert(first.end(), given.begin(), given.end());
    return make_config(first, {}, !data.empty());
  };
  const auto last_given = [&](const std::string& key) {
    const auto found =
        std::find_if(given.rbegin(), given.rend(), [&](const Assignment& a) { return a.key == key; });
    return found == given.rend() ? std::optional<SettingValue>() : found->value;
  };
  const auto number_given = [&](const std::string& key) -> int64_t {
    const std::optional<SettingValue> value = last_given(key);
    if (!value) return 0;
    if (const auto* const whole = std::get_if<int64_t>(&*value)) return *whole;
    int64_t number = 0;
    if (const auto* const text = std::get_if<std::string>(&*value))
      std::from_chars(text->data(), text->data() + text->size(), number);
    return number;
  };
  if (last_given("task").value_or(std::string("text")) != SettingValue(std::string("text"))) return {};
  std::vector<Assignment> chosen;
  const auto set = [&](const char* key, SettingValue value) {
    chosen.push_back({.where = {}, .key = key, .value = std::move(value)});
  };
  // The parts first: they decide which keys there are.
  set("model", std::string("best"));
  set("tokenizer", std::string("bpe"));
  set("optimizer", std::string("muon"));
  set("schedule", std::string("linear"));
  // What goes with a width or heads that were given; settle() sees to it again.
  constexpr Size first{4, 64, 2};
  const int64_t width = number_given("n_embd"), heads = number_given("n_head");
  if (width > 0 && heads <= 0) set("n_head", heads_of(width, first.heads));
  if (heads > 0 && width <= 0) set("n_embd", width_of(first.width, heads));
  const RunConfig config = made_of(chosen);
  if (config.task != "text" || !has_size(config)) return {};

  text_bytes_ = bytes_of(data);
  speed_ = speed(one_measuring());
  const double operations = speed_ * left();
  const Reading reading =
      *std::ranges::find_if(readings, [&](const Reading& r) { return operations < r.most_work; });
  const auto kinds = static_cast<int64_t>(text_bytes_ / bytes_per_kind);
  // An evaluation reads a hundredth of what is trained on between two.
  const size_t size = best_size(operations, reading.vocab_size, text_bytes_);
  const double tokens = operations / (6 * multiplied(sizes[size], reading.vocab_size));
  set("eval_iters",
      std::clamp<int64_t>(
          static_cast<int64_t>(0.01 * tokens / static_cast<double>(reading.update_tokens) / most_evaluations),
          1, 200));
  set("min_lr", 0.0);
  // Some windows must fit into the tenth of a short text that validates.
  int64_t context = reading.context;
  while (context > least_context && 40 * static_cast<double>(context) * bytes_per_token > text_bytes_)
    context /= 2;
  set("batch_size", reading.update_tokens / context);
  for (const auto& [key, value] :
       {std::pair<const char*, SettingValue>{"block_size", context},
        {"vocab_size", std::clamp<int64_t>(kinds, least_kinds, reading.vocab_size)},
        {"beta2", 0.99}})
    if (config.parts.contains(key)) set(key, value);
  return chosen;
}

void TimeBudget::settle(RunConfig& config, const TaskData& task, const std::set<std::string>& given,
                        const OwnParts& own) {
  if (left() <= 0)
    fail<ValueError>("--minutes ", seconds_ / 60,
                     ": went by while the data were read; give more minutes, or less text");
  const double reading = seconds_ - left();
  const bool sized_by_law =
      text_bytes_ > 0 && has_size(config) && !(given.contains("n_layer") && given.contains("n_embd"));
  if (sized_by_law) {
    reasons_.push_back(str("time: this machine makes ", fixed(speed_ * 1e-9, 1),
                           " GFLOP/s of a small model; ", duration(reading),
                           " went by for that and for reading the text"));
    reasons_.push_back(str(
        "reading: ", config.tokenizer, " of ", grouped(task.shape.vocab_size), " tokens",
        task.unseen.bytes_per_target > 0 ? str(", ", fixed(task.unseen.bytes_per_target, 2), " bytes each")
                                         : "",
        "; context ", config.parts.integer("block_size"), ", ", config.samples_per_update(),
        " samples an update: for ", brief(speed_ * seconds_), " operations"));
    settle_size(config, task, given);
  }
  settle_length(config, task, given, own);
}

void TimeBudget::settle_size(RunConfig& config, const TaskData& task, const std::set<std::string>& given) {
  const ScalingLaw& law = ScalingLaw::of_books();
  const double per_token = task.unseen.bytes_per_target > 0 ? task.unseen.bytes_per_target : 1;
  const auto context = static_cast<double>(config.parts.integer("block_size"));
  const double distinct = static_cast<double>(task.training->samples_per_epoch()) * context * per_token;
  const auto size_of = [&](size_t i) { return fitted(config, sizes[i], given); };
  const auto work = [&](size_t i) { return multiplied(size_of(i), task.shape.vocab_size); };
  std::map<size_t, double> rate;  // operations a second, of the sizes that were measured
  const auto expected = [&](size_t i) {
    const auto near = std::ranges::min_element(
        rate, {}, [&](const auto& r) { return r.first > i ? r.first - i : i - r.first; });
    const double read = near->second * left() * (1 - evaluating - kept) / (6 * work(i)) * per_token;
    return law.bits_per_byte(work(i), read, distinct);
  };
  size_t best = 4, end = sizes.size();  // of those that have room
  while (!rate.contains(best)) {
    const RunConfig tried = sized(config, size_of(best));
    try {
      plan_memory(tried, task);
      const UpdateTime time = measured(tried, task, one_measuring());
      rate[best] = 6 * work(best) * time.samples * context / time.seconds;
    } catch (const MemoryError&) {
      if (best == 0) {
        plan_with_advice(tried, task);
        throw;
      }
      end = best--;
    }
    if (rate.empty()) continue;
    best = 0;
    for (size_t i = 1; i < end; ++i)
      if (expected(i) < expected(best)) best = i;
  }
  const auto told = [&](size_t i) {
    return str(size_of(i).layers, " x ", size_of(i).width, " ", fixed(expected(i), 3));
  };
  std::string others;
  if (best > 0) others += ", " + told(best - 1);
  if (best + 1 < end) others += ", " + told(best + 1);
  const double comes_to = expected(best);
  config = sized(config, size_of(best));
  reasons_.push_back(str("model: ", config.model, ", ", text_of(config.parts.at("n_layer")), " layers, ",
                         text_of(config.parts.at("n_embd")), " wide; of prose it would come to ",
                         fixed(comes_to, 3), " bits a byte", others));
}

void TimeBudget::settle_length(RunConfig& config, const TaskData& task, const std::set<std::string>& given,
                               const OwnParts& own) {
  const auto refuse = [&](double update) {
    fail<ValueError>("--minutes ", seconds_ / 60, ": an update of this model takes about ", brief(update),
                     " s, and ", brief(std::max(0.0, left())),
                     " s are left; give more minutes, or a smaller model");
  };
  // Far too large a model is told of without an update of it.
  if (speed_ == 0) speed_ = speed(one_measuring());
  if (const Batch one = task.largest(1); one.inputs.dtype() == int64) {
    const NoInit no_init;
    const DryRun dry;
    const auto parameters = static_cast<double>(build_model(config, task, own)->parameter_count());
    const auto tokens = static_cast<double>(one.inputs.size() * config.samples_per_update());
    const double seconds = 6 * parameters * tokens / speed_;
    if (seconds > 10 * left()) refuse(seconds);
  }
  plan_with_advice(config, task, 0, own);
  const UpdateTime time = measured(
      config, task,
      std::min({std::max(0.01 * left(), shortest_chosen), measuring_chosen * left(), longest_chosen}), own);
  const double rest = left();
  // Forward alone is a third of an update.
  const double evaluation =
      static_cast<double>(task.seen.size() + task.unseen.size()) / time.samples * time.seconds / 3;
  const auto evaluations =
      std::clamp<int64_t>(static_cast<int64_t>(evaluating * rest / evaluation), 1, most_evaluations);
  const auto updates = static_cast<int64_t>(
      (rest * (1 - kept) - static_cast<double>(evaluations + 1) * evaluation) / time.seconds);
  if (updates < 1) refuse(time.seconds);
  const auto unless_given = [&](const char* key, auto& to, auto value) {
    if (!given.contains(key)) to = value;
  };
  config.max_iters = updates;
  if (text_bytes_ > 0 && config.optimizer == "muon")
    unless_given("learning_rate", config.learning_rate,
                 learning_rate_for(config.parts.integer("n_layer"), config.parts.integer("n_embd"), updates));
  unless_given("lr_decay_iters", config.lr_decay_iters, updates);
  unless_given("warmup_iters", config.warmup_iters, std::max<int64_t>(1, updates / 20));
  const int64_t interval = std::max<int64_t>(1, (updates + evaluations - 1) / evaluations);
  unless_given("eval_interval", config.eval_interval, interval);
  unless_given("checkpoint_interval", config.checkpoint_interval, interval);
  if (text_bytes_ > 0)
    reasons_.push_back(str("learning: ", config.optimizer, ", a rate of ", brief(config.learning_rate),
                           " after ", config.warmup_iters, " updates of warm-up, then ", config.schedule,
                           " to ", brief(config.min_lr)));
  const double read = static_cast<double>(config.max_iters) * time.samples;
  reasons_.push_back(str("length: ", grouped(config.max_iters), " updates of ", brief(time.seconds),
                         " s; all ", grouped(task.training->samples_per_epoch()), " samples ",
                         fixed(read / static_cast<double>(task.training->samples_per_epoch()), 2), " times"));
}

}  // namespace weft
