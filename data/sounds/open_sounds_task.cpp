#include <weft/data/sounds/sound_task.h>
#include <weft/data/tasks/length_batches.h>
#include <weft/data/tasks/open_internal.h>
#include <weft/data/tasks/table_task.h>
#include <weft/data/text/tokenize.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/values.h>

#include <algorithm>
#include <iterator>
#include <optional>

namespace weft {
namespace {

/// The rate that sounds are heard at which have several, or a higher one, unless told.
constexpr int64_t usual_rate = 16000;
/// Frames a token below which alignments are few.
constexpr int64_t few_frames = 4;

struct SoundSettings {
  SoundFileOptions files;
  int64_t rate = 0, n_mels = 0;
  double window = 25, hop = 10, longest = 0;
  bool skips = false, centred = false;
  SoundAugmentOptions augment;
};

SoundSettings settings_of(const SettingValues& given, bool transcribes) {
  SoundSettings all;
  all.files = {.file = given.text("file"), .label = given.text(transcribes ? "text" : "label")};
  all.rate = given.integer("sample_rate");
  all.n_mels = given.integer("n_mels");
  all.window = given.number("window_ms");
  all.hop = given.number("hop_ms");
  all.longest = given.number("longest_seconds");
  all.skips = given.text("invalid") == "skip";
  all.centred = given.text("normalize") == "mean";
  if (all.rate != 0 && all.rate < least_rate)
    fail<ValueError>("sample_rate = ", all.rate, ": must be 0 or at least ", least_rate);
  SettingValues augment;
  for (const Setting& s : SoundAugmentOptions::settings().list()) augment.set(s.name, given.at(s.name));
  SoundAugmentOptions::settings().take(all.augment, augment);
  return all;
}

ListedSounds looked_at(const std::vector<std::string>& paths, const SoundSettings& settings,
                       const TextProgress& progress) {
  return listed_sounds(open_sounds(paths, settings.files), settings.skips, progress);
}

int64_t rate_of(const SoundSettings& settings, const ListedSounds& all) {
  if (settings.rate > 0) return settings.rate;
  return all.rates.size() == 1 ? std::min(usual_rate, *all.rates.begin()) : usual_rate;
}

std::shared_ptr<const LogMel> frames_for(const SoundSettings& settings, int64_t rate) {
  const int64_t n_mels = settings.n_mels > 0 ? settings.n_mels : rate >= usual_rate ? 80 : 40;
  return std::make_shared<const LogMel>(
      LogMel::options_for(rate, n_mels, settings.window, settings.hop, settings.centred));
}

/// What is asked of sounds: classes of their labels, or ids of their texts and an end.
struct Asked {
  std::shared_ptr<const Tokenizer> tokenizer = nullptr;
  std::vector<std::string> names = {};

  SoundTask::Target target(const SoundFiles& files, int64_t number) const {
    const std::string& label = files.label(number);
    if (!tokenizer) return {std::ranges::find(names, label) - names.begin()};
    if (label.find_first_not_of(" \t\r\n") == label.npos)
      fail<FileError>(files.describe(number), ": has no text, of what is said in it");
    try {
      return with_end(*tokenizer, label, SpecialIds::of(*tokenizer).end);
    } catch (const ValueError& error) {
      fail<FileError>(
          files.describe(number), ": ", error.what(),
          unwrapped(*tokenizer).kind() == std::string_view("char")
              ? "; --set tokenizer=bpe reads any text, --set unknown_token=true such characters as "
                "unknown"
              : "");
    }
  }
};

/// Sounds that are kept, with what is asked of each.
struct Read {
  std::shared_ptr<const KeptSounds> sounds;
  std::shared_ptr<const std::vector<SoundTask::Target>> targets;
};

Read read(ListedSounds list, const SoundSettings& settings, int64_t rate, const Asked& asked,
          const TaskRequest& request, const TextProgress& progress) {
  if (!asked.tokenizer) list.classes(asked.names);  // refuses unknown labels before the long work
  auto sounds = std::make_shared<const KeptSounds>(std::move(list),
                                                   KeptSounds::Options{.rate = rate,
                                                                       .longest = settings.longest,
                                                                       .cache_folder = request.cache_folder,
                                                                       .other_caches = request.other_caches},
                                                   progress);
  auto targets = std::make_shared<std::vector<SoundTask::Target>>();
  for (int64_t i = 0; i < sounds->size(); ++i)
    targets->push_back(asked.target(sounds->source(), sounds->number(i)));
  return {std::move(sounds), std::move(targets)};
}

TaskOptions options_for(const TaskRequest& request, Split split, int64_t samples) {
  return {.seed = request.seed, .split = split, .samples = samples, .settings = request.settings};
}

/// What a user should know of texts that are long for their sounds.
void note_crowded(const SoundTask& task, std::vector<std::string>& notes) {
  int64_t crowded = 0;
  for (int64_t i = 0; i < task.size(); ++i) {
    const IndexedTask::Lengths one = task.lengths(static_cast<uint64_t>(i));
    crowded += one.input < few_frames * (one.target - 1);
  }
  if (crowded > 0)
    notes.push_back(
        str("warning: ", grouped(crowded), " sounds have less than ", few_frames,
            " frames for each token of their text; with few, head=ctc cannot say them: subsampling=1, a "
            "smaller hop_ms, or tokens of more letters help"));
}

/// The classes that the labels of these are, or a tokenizer of their texts.
Asked asked_of(const TaskRequest& request, bool transcribes, const SoundFiles& files,
               const std::vector<int64_t>& numbers) {
  Asked asked;
  if (transcribes) {
    asked.tokenizer = with_special(request.tokenizer ? request.tokenizer
                                                     : learned_from(request,
                                                                    [&](const auto& put) {
                                                                      for (const int64_t n : numbers)
                                                                        put(files.label(n));
                                                                    }),
                                   {"<pad>", "<s>", "</s>"});
    return asked;
  }
  std::vector<std::string> met;
  for (const int64_t n : numbers) met.push_back(files.label(n));
  asked.names = request.class_names.empty() ? sorted_labels(std::move(met)) : request.class_names;
  if (asked.names.size() < 2)
    fail<ValueError>(request.data[0], ": every sound has the label '", asked.names[0],
                     "'; to classify needs two");
  return asked;
}

/// Batches like any that trains, for planning memory: `frames` and `ids` long.
std::function<Batch(int64_t rows)> batches_of(const IndexedTask::Lengths& size, int64_t n_mels,
                                              int64_t vocab_size) {
  return [=](int64_t rows) {
    Batch batch{Array::zeros({rows, size.input, n_mels}, float32), Array::zeros({rows}, int64)};
    batch.lengths.assign(static_cast<size_t>(rows), size.input);
    if (vocab_size == 0) return batch;
    const int64_t U = std::max<int64_t>(1, size.target);
    batch.targets = Array({rows, U}, int64);
    for (int64_t i = 0; i < rows * U; ++i) batch.targets.mutable_data<int64_t>()[i] = i % vocab_size;
    return batch;
  };
}

}  // namespace

std::vector<Setting> sound_settings(bool transcribes) {
  std::vector<Setting> all = {
      {.name = "file", .value = std::string("file"), .help = "tables of sounds: the column with the file"},
      transcribes
          ? Setting{.name = "text", .value = std::string("text"), .help = "the column with what is said"}
          : Setting{.name = "label", .value = std::string("label"), .help = "the column with the label"},
      {.name = "sample_rate",
       .value = int64_t{0},
       .help = "samples a second that a model hears; 0: the sounds' own where it is one and at most 16000, "
               "else 16000",
       .least = 0,
       .most = most_rate},
      {.name = "n_mels",
       .value = int64_t{0},
       .help = "bands of frequencies; 0: 80 from 16000 samples a second on, else 40",
       .least = 0,
       .most = 1 << 10},
      {.name = "window_ms",
       .value = 25.0,
       .help = "milliseconds that a frame is heard in",
       .from = 1,
       .below = 1000},
      {.name = "hop_ms", .value = 10.0, .help = "milliseconds from frame to frame", .from = 1, .below = 1000},
      {.name = "normalize",
       .value = std::string("none"),
       .help =
           "mean: the mean of each band over a sound is taken out, which other microphones and voices shift",
       .choices = {"none", "mean"}},
      {.name = "longest_seconds",
       .value = 30.0,
       .help = "sounds that are longer are left out, and counted; 0 is no limit",
       .from = 0,
       .below = 1e6},
      {.name = "invalid",
       .value = std::string("refuse"),
       .help = "sounds that cannot be read: an error, or passed over and counted",
       .choices = {"refuse", "skip"}},
      {.name = "val_share",
       .value = 0.1,
       .help = "share of the sounds that validates, where val_data names none",
       .from = 0,
       .below = 1}};
  for (Setting& s : batching_settings()) {
    if (s.name == "batch_tokens")
      s.help =
          "batching by length: frames and tokens of a batch, whose sounds are as many as fit; 0 is "
          "batch_size sounds";
    all.push_back(std::move(s));
  }
  for (const Setting& s : SoundAugmentOptions::settings().list()) all.push_back(s);
  return all;
}

TaskData open_sounds_task(const TaskRequest& request, bool transcribes) {
  const SoundSettings settings = settings_of(request.settings, transcribes);
  const int passes = request.val_data.empty() ? 2 : 4;
  ListedSounds train = looked_at(request.data, settings, of_pass(request.progress, 0, passes));
  std::optional<ListedSounds> apart;
  if (!request.val_data.empty())
    apart = looked_at(request.val_data, settings, of_pass(request.progress, 1, passes));
  const std::string content_hash = joint_hash(train.content_hash, apart ? &apart->content_hash : nullptr);
  check_content(request.data, content_hash, request.expected_hash);

  const int64_t rate = rate_of(settings, train);
  const std::shared_ptr<const LogMel> frames = frames_for(settings, rate);
  const double share = request.settings.number("val_share");
  // A tokenizer is learned from what trains alone.
  std::vector<int64_t> learns;
  for (size_t i = 0; i < train.numbers.size(); ++i)
    if (apart || !transcribes || !is_validation(train.digests[i], share)) learns.push_back(train.numbers[i]);
  const Asked asked = asked_of(request, transcribes, *train.source, learns);
  const Read mine =
      read(std::move(train), settings, rate, asked, request, of_pass(request.progress, passes / 2, passes));
  const Read others = apart ? read(std::move(*apart), settings, rate, asked, request,
                                   of_pass(request.progress, passes - 1, passes))
                            : mine;
  const ListedSplit split =
      apart ? ListedSplit{first_numbers(mine.sounds->size()), first_numbers(others.sounds->size())}
            : split_by_digest(mine.sounds->digests(), share, request.data[0], "sound");
  if (!apart && !transcribes && request.expected_hash.empty()) {  // a run that has begun goes on
    std::vector<int64_t> classes;
    for (const SoundTask::Target& target : *mine.targets) classes.push_back(target[0]);
    check_all_train(classes, split.train, asked.names, "sound", [&](int64_t place) {
      return mine.sounds->source().describe(mine.sounds->number(place));
    });
  }
  const auto task_of = [&](Split part, int64_t samples, const Read& from,
                           const std::vector<int64_t>& places) {
    return std::make_shared<const SoundTask>(
        request.name, options_for(request, part, samples),
        SoundTask::Parts{from.sounds, places, from.targets, frames, settings.augment}, asked.tokenizer,
        asked.names);
  };
  const auto trains = task_of(Split::train, std::ssize(split.train), mine, split.train);
  const auto seen = task_of(Split::validation, 0, mine, split.train);
  const auto validates = task_of(Split::validation, 0, others, split.validation);

  TaskData task;
  task.tokenizer = asked.tokenizer;
  const SpecialIds special = asked.tokenizer ? SpecialIds::of(*asked.tokenizer) : SpecialIds();
  task.shape = {.kind = trains->kind(),
                .vocab_size = asked.tokenizer ? asked.tokenizer->vocab_size() : 0,
                .classes = trains->classes(),
                .pad_id = special.pad,
                .start_id = special.start,
                .end_id = special.end,
                .sizes = trains->sizes()};
  task.shape.sizes.longest_target =
      std::max(task.shape.sizes.longest_target, validates->sizes().longest_target);
  task.shape.sizes.longest_frames =
      std::max(task.shape.sizes.longest_frames, validates->sizes().longest_frames);
  task.held_out = validates;
  task.training = trains;
  const int64_t tokens = request.settings.integer("batch_tokens");
  const IndexedTask::Lengths longest = trains->longest(), shortest = trains->shortest();
  if (request.settings.text("batching") == "length") {
    const auto batches = std::make_shared<LengthBatches>(trains, request.update_size, tokens, request.seed);
    if (tokens > 0) task.largest_rows = batches->rows_of_longest(longest.input, longest.target);
    task.notes.push_back(
        str("batches by length: ", fixed(100 * batches->padding(), 1), " % of them is padding"));
    task.training = batches;
  } else {
    check_batch_tokens(tokens);
  }
  task.seen =
      evaluated_by_length(seen, seen->size(), request.evaluated > 0 ? request.evaluated : validates->size());
  task.unseen = evaluated_by_length(validates, validates->size(), request.evaluated);
  const int64_t n_mels = frames->options().n_mels;
  task.largest = batches_of(longest, n_mels, task.shape.vocab_size);
  task.smallest = batches_of(shortest, n_mels, task.shape.vocab_size);
  task.content_hash = content_hash;
  double seconds = 0;
  for (const int64_t at : split.train)
    seconds += static_cast<double>(mine.sounds->samples(at)) / static_cast<double>(rate);
  task.summary = str("task ", request.name, ": ", grouped(trains->size()), " sounds train, ",
                     fixed(seconds / 60, 1), " minutes, ", grouped(validates->size()), " validate; ",
                     grouped(rate), " samples a second, ", n_mels, " bands; ",
                     transcribes ? grouped(task.shape.vocab_size) + " in the vocabulary"
                                 : str(asked.names.size(), " classes"));
  if (transcribes)
    note_crowded(*trains, task.notes);
  else
    for (std::string& note : notes_of_labels(trains->classes_of_all(), asked.names))
      task.notes.push_back(std::move(note));
  std::ranges::copy(mine.sounds->notes(), std::back_inserter(task.notes));
  if (!apart) return task;
  std::ranges::copy(others.sounds->notes(), std::back_inserter(task.notes));
  std::ranges::copy(notes_of_shared(mine.sounds->digests(), others.sounds->digests(), "sound"),
                    std::back_inserter(task.notes));
  return task;
}

std::shared_ptr<const TaskDataset> open_sounds_to_score(const TaskRequest& request, bool transcribes) {
  SoundSettings settings = settings_of(request.settings, transcribes);
  settings.longest = 0;
  if (transcribes ? !request.tokenizer : request.class_names.empty())
    fail<ValueError>("task ", request.name, ": the model has no ",
                     transcribes ? "tokenizer, and so writes no text" : "names of classes");
  if (settings.rate < 1 || settings.n_mels < 1)
    fail<ValueError>("task ", request.name, ": sample_rate and n_mels must be those of the model");
  const Asked asked{transcribes ? request.tokenizer : nullptr, request.class_names};
  const Read all = read(looked_at(request.data, settings, of_pass(request.progress, 0, 2)), settings,
                        settings.rate, asked, request, of_pass(request.progress, 1, 2));
  return std::make_shared<const SoundTask>(request.name, options_for(request, Split::validation, 0),
                                           SoundTask::Parts{all.sounds,
                                                            first_numbers(all.sounds->size()),
                                                            all.targets,
                                                            frames_for(settings, settings.rate),
                                                            {}},
                                           request.tokenizer,
                                           transcribes ? std::vector<std::string>() : request.class_names);
}

}  // namespace weft
