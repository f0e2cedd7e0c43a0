#include <doctest/doctest.h>
#include <weft/data/sounds/sound_task.h>
#include <weft/data/tasks/registry.h>
#include <weft/data/text/tokenize.h>
#include <weft/lib/base/error.h>
#include <weft/lib/machine/parallel.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "checks.h"
#include "data/sounds/sounds.h"
#include "folder.h"

using namespace weft;
using namespace weft::test;

namespace {

using Changed = std::initializer_list<std::pair<const std::string, SettingValue>>;

/// High and low tones, all of them different.
void write_sounds(const Folder& folder, const std::string& name, int count, int from = 0) {
  for (int i = from; i < from + count; ++i) {
    const bool high = i % 2 == 0;
    folder.with(name + (high ? "/high/" : "/low/") + std::to_string(i) + ".wav",
                wav(tone((high ? 2000 : 300) + 10 * i, 0.1 + 0.01 * (i % 7))));
  }
}

TaskRequest request(const std::string& task, std::vector<std::string> data, Changed changed = {}) {
  TaskRequest asked{.name = task, .seed = 3, .update_size = 4, .data = std::move(data)};
  for (const Setting& s : tasks().at(asked.name).settings) asked.settings.set(s.name, s.value);
  for (const auto& [name, value] : changed) asked.settings.set(name, value);
  return asked;
}

bool says(const TaskData& data, const std::string& part) {
  return std::ranges::any_of(data.notes,
                             [&](const std::string& note) { return note.find(part) != std::string::npos; });
}

std::string table_of(const Folder& folder, int count) {
  std::string table = "file,text\n";
  for (int i = 0; i < count; ++i)
    table += "s/" + std::string(i % 2 == 0 ? "high/" : "low/") + std::to_string(i) + ".wav," +
             (i % 2 == 0 ? "high tone" : "low") + "\n";
  return folder.write("t.csv", table);
}

}  // namespace

TEST_CASE("sounds: sizes, classes and batches of a folder") {
  if (!has_sounds()) return;
  const Folder folder;
  write_sounds(folder, "s", 40);
  const TaskData data = open_task(request("classify-sounds", {folder.path("s")}));
  CHECK(data.shape.kind == TaskKind::sounds);
  CHECK(data.shape.classes == 2);
  CHECK(data.shape.sizes.sample_rate == 8000);
  CHECK(data.shape.sizes.n_mels == 40);
  CHECK(data.shape.sizes.n_fft == 200);
  CHECK(data.held_out->class_names() == std::vector<std::string>{"high", "low"});
  const int64_t epoch = data.training->samples_per_epoch();
  CHECK(epoch + data.held_out->samples_per_epoch() == 40);
  const Batch batch = data.training->batch(0, epoch);
  REQUIRE(batch.inputs.dim(0) == epoch);
  REQUIRE(std::ssize(batch.lengths) == epoch);
  for (int64_t row = 0; row < epoch; ++row) {
    // A tone is loudest in its own band, and there is nothing behind a sound.
    double high = 0, low = 0;
    for (int64_t m = 0; m < 40; ++m) (m >= 20 ? high : low) += batch.inputs.at({row, 3, m});
    CHECK((high > low) == (batch.targets.at({row}) == 0));
    for (int64_t t = batch.lengths[static_cast<size_t>(row)]; t < batch.inputs.dim(1); ++t)
      CHECK(batch.inputs.at({row, t, 5}) == 0);
  }
  std::set<std::string> files;
  for (const auto& places : data.training->places(0, epoch)) files.insert(places.at(0).first.file);
  CHECK(std::ssize(files) == epoch);
  CHECK(data.held_out->input_text(batch, 0).starts_with("a sound of 0."));
  // At another rate, with other frames.
  const TaskData other = open_task(
      request("classify-sounds", {folder.path("s")}, {{"sample_rate", int64_t{16000}}, {"hop_ms", 5.0}}));
  CHECK(other.shape.sizes.sample_rate == 16000);
  CHECK(other.shape.sizes.n_mels == 80);
  CHECK(other.shape.sizes.hop_length == 80);
}

TEST_CASE("sounds: forms are a function of (seed, epoch, sound), for any number of threads and any order") {
  if (!has_sounds()) return;
  const Folder folder;
  write_sounds(folder, "s", 30);
  const Changed augmented = {
      {"speed", 0.2}, {"gain", 6.0},     {"equalize", 6.0},          {"warp", 0.1},
      {"noise", 0.3}, {"silence", 0.05}, {"time_masks", int64_t{1}}, {"frequency_masks", int64_t{2}}};
  const TaskData data = open_task(request("classify-sounds", {folder.path("s")}, augmented));
  const int64_t epoch = data.training->samples_per_epoch();
  const Batch batch = data.training->batch(0, 2 * epoch);
  const int before = num_threads();
  for (const int threads : {1, 3}) {
    set_num_threads(threads);
    const TaskData again = open_task(request("classify-sounds", {folder.path("s")}, augmented));
    CHECK(again.training->batch(0, 2 * epoch).inputs.identical(batch.inputs));
  }
  set_num_threads(before);
  const Batch one = data.training->batch(epoch + 3, 1);
  for (int64_t t = 0; t < one.inputs.dim(1); ++t)
    CHECK(one.inputs.at({0, t, 7}) == batch.inputs.at({epoch + 3, t, 7}));
  const TaskData plain = open_task(request("classify-sounds", {folder.path("s")}));
  CHECK(plain.unseen.batch(0, 3).inputs.identical(data.unseen.batch(0, 3).inputs));
  CHECK_FALSE(plain.training->batch(0, 3).inputs.identical(data.training->batch(0, 3).inputs));
  // Memory is planned for the longest that there may be.
  for (int64_t row = 0; row < 2 * epoch; ++row)
    CHECK(batch.lengths[static_cast<size_t>(row)] <= data.largest(1).inputs.dim(1));
}

TEST_CASE("sounds: what is said in them, in ids of a tokenizer learned from what trains") {
  if (!has_sounds()) return;
  const Folder folder;
  write_sounds(folder, "s", 40);
  const TaskData data = open_task(request("transcribe", {table_of(folder, 40)}));
  CHECK(data.shape.kind == TaskKind::transcripts);
  REQUIRE(data.tokenizer);
  CHECK(data.shape.vocab_size == data.tokenizer->vocab_size());
  CHECK(data.shape.pad_id >= 0);
  const Batch batch = data.training->batch(0, 4);
  for (int64_t row = 0; row < 4; ++row) {
    const std::string text = data.held_out->target_text(batch, row);
    CHECK((text == "high tone" || text == "low"));
    CHECK(data.held_out->prompts(batch, row).at(0).answer == text);
  }
  CHECK(data.held_out->asks());
  CHECK(data.held_out->scores() == std::vector<std::string>{"wer", "cer", "exact_match"});
  CHECK(says(data, "batches by length: "));
  // To be scored by a model of them.
  TaskRequest score = request("transcribe", {folder.path("t.csv")},
                              {{"sample_rate", int64_t{8000}}, {"n_mels", int64_t{40}}});
  score.tokenizer = data.tokenizer;
  CHECK(tasks().at("transcribe").open_to_score(score)->samples_per_epoch() == 40);
  folder.write("u.csv", "file,text\ns/high/0.wav,xyz\n");
  score.data = {folder.path("u.csv")};
  refuses<FileError>([&] { tasks().at("transcribe").open_to_score(score); },
                     {folder.path("u.csv") + ": line 2: "});
}

TEST_CASE("sounds: the cache, files that have changed, and those that are too long") {
  if (!has_sounds()) return;
  const Folder folder;
  write_sounds(folder, "s", 20);
  TaskRequest asked = request("classify-sounds", {folder.path("s")});
  asked.cache_folder = folder.path("cache");
  const TaskData first = open_task(asked);
  CHECK(std::ranges::distance(std::filesystem::directory_iterator(asked.cache_folder)) == 1);
  const TaskData again = open_task(asked),
                 without = open_task(request("classify-sounds", {folder.path("s")}));
  CHECK(again.training->batch(0, 10).inputs.identical(first.training->batch(0, 10).inputs));
  CHECK(without.training->batch(0, 10).inputs.identical(first.training->batch(0, 10).inputs));
  asked.expected_hash = first.content_hash;
  folder.write("s/high/0.wav", wav(tone(999, 0.2)));
  CHECK_THROWS_AS(open_task(asked), OtherText);
  folder.write("s/high/long.wav", wav(tone(999, 3)));
  const TaskData cut = open_task(request("classify-sounds", {folder.path("s")}, {{"longest_seconds", 1.0}}));
  CHECK(says(cut, "1 sounds are longer than longest_seconds = 1 and are left out"));
  refuses<FileError>(
      [&] {
        open_task(request("classify-sounds", {folder.path("s")}, {{"longest_seconds", 0.01}}));
      },
      {"all 21 sounds are longer than longest_seconds = 0.01"});
}

TEST_CASE("sounds: what cannot be read is refused by name, or passed over and counted") {
  if (!has_sounds()) return;
  const Folder folder;
  write_sounds(folder, "s", 30);
  folder.write("s/low/bad.wav", wav({}));
  refuses<FileError>([&] { open_task(request("classify-sounds", {folder.path("s")})); },
                     {folder.path("s/low/bad.wav") +
                      ": holds no sound; --set invalid=skip passes over what cannot be read"});
  const TaskData data =
      open_task(request("classify-sounds", {folder.path("s")}, {{"invalid", std::string("skip")}}));
  CHECK(says(data, "1 sound cannot be read and is passed over"));
  CHECK(data.training->samples_per_epoch() + data.held_out->samples_per_epoch() == 30);
  folder.write("t.csv", "file,label\ns/high/0.wav,a\ns/missing.wav,b\ns/low/1.wav,b\n");
  refuses<FileError>([&] { open_task(request("classify-sounds", {folder.path("t.csv")})); },
                     {folder.path("t.csv") + ": line 3: there is no file "});
  CHECK_THROWS_AS(open_task(request("classify-sounds", {folder.path("s/high")})), FileError);  // no labels
  folder.write("one.csv", "file,label\ns/high/0.wav,a\ns/low/1.wav,a\n");
  refuses<ValueError>([&] { open_task(request("classify-sounds", {folder.path("one.csv")})); },
                      {folder.path("one.csv") + ": every sound has the label 'a'; to classify needs two"});
  std::string rare = "file,label\n";
  for (int i = 0; i < 30; ++i)
    rare += "s/" + std::string(i % 2 == 0 ? "high/" : "low/") + std::to_string(i) + ".wav," +
            std::to_string(i) + "\n";
  folder.write("rare.csv", rare);
  refuses<ValueError>(
      [&] { open_task(request("classify-sounds", {folder.path("rare.csv")})); },
      {"rare.csv: line ", "validates, and nothing that trains has its label '", "there is one sound of it"});
  folder.write("empty.csv", "file,text\ns/high/0.wav, \ns/low/1.wav,b\n");
  CHECK_THROWS_AS(open_task(request("transcribe", {folder.path("empty.csv")})), FileError);
}
