// A user's own sounds, from training to transcripts.
#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "program.h"

namespace {

void add_number(std::string& to, long value, int bytes) {
  for (int i = 0; i < bytes; ++i) to += static_cast<char>(value >> (8 * i) & 255);
}

/// WAV of tones one after the other, 8 kHz, a tenth of a second each with a pause behind it.
std::string wav(const std::vector<double>& hertz, int number) {
  std::string samples;
  for (const double one : hertz)
    for (int i = 0; i < 1200; ++i)
      add_number(samples,
                 i < 800 ? std::lround(8000 * std::sin(2 * 3.14159265 * (one + number) * i / 8000)) : 0, 2);
  std::string file = "RIFF";
  add_number(file, 36 + static_cast<long>(samples.size()), 4);
  file += "WAVEfmt ";
  for (const auto& [value, size] :
       std::vector<std::pair<long, int>>{{16, 4}, {1, 2}, {1, 2}, {8000, 4}, {16000, 4}, {2, 2}, {16, 2}})
    add_number(file, value, size);
  file += "data";
  add_number(file, static_cast<long>(samples.size()), 4);
  return file + samples;
}

/// Low and high tones: labels.csv says which, strings.csv spells rows of them.
void write_sounds(const Folder& folder, int count = 40) {
  std::string labels = "file,label\n", strings = "file,text\n";
  for (int i = 0; i < count; ++i) {
    const std::string one = "s/" + std::to_string(i) + ".wav", row = "r/" + std::to_string(i) + ".wav";
    folder.with(one, wav({i % 2 == 0 ? 300.0 : 1500.0}, i));
    labels += one + (i % 2 == 0 ? ",low\n" : ",high\n");
    std::vector<double> tones;
    std::string text;
    for (int k = 0; k <= i % 3; ++k) {
      const bool low = (i >> k) % 2 == 0;
      tones.push_back(low ? 300 : 1500);
      text += std::string(text.empty() ? "" : " ") + (low ? "lo" : "hi");
    }
    folder.with(row, wav(tones, i));
    strings += row + "," + text + "\n";
  }
  folder.write("labels.csv", labels);
  folder.write("strings.csv", strings);
}

Arguments small_sounds(const std::string& out, const Arguments& more) {
  Arguments all{"train", "--model", "speech", "--out", out, "--threads", "2"};
  all.insert(all.end(), more.begin(), more.end());
  for (const char* const set : {"n_layer=1", "n_head=2", "n_embd=16", "batch_size=8", "sample_tokens=0"}) {
    all.emplace_back("--set");
    all.emplace_back(set);
  }
  return all;
}

/// Whether there is a plug-in; one that was not built is said.
bool has_sounds() {
  const Folder folder;
  write_sounds(folder, 4);
  const Result result = run_weft(folder, {"data", "inspect", "labels.csv"});
  if (!contains(result.err + result.out, "libweft-sounds.so")) return true;
  MESSAGE("skipped: ", result.err);
  return false;
}

}  // namespace

TEST_CASE("sounds: classes, from training to answers, looks and pages") {
  if (!has_sounds()) return;
  const Folder folder;
  write_sounds(folder);
  Result result = run_weft(
      folder, small_sounds("run", {"--task", "classify", "--data", "labels.csv", "--set", "max_iters=60",
                                   "eval_interval=30", "learning_rate=0.01", "val_share=0.3"}));
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK(contains(result.err, "sounds/s"));
  CHECK(contains(result.err, "weft classify run SOUND"));
  result = run_weft(folder, {"eval", "run", "--data", "labels.csv", "--json"});
  CHECK(number_in(result.out, "accuracy") == 1);
  CHECK(number_in(result.out, "f1") == 1);
  result = run_weft(folder, {"classify", "run", "s/0.wav", "s/1.wav"});
  CHECK(lines_of(result.out).at(0).starts_with("s/0.wav  low "));
  CHECK(lines_of(result.out).at(1).starts_with("s/1.wav  high "));
  CHECK(run_weft(folder, {"classify", "run", "--data", "labels.csv", "--out", "answers.csv"}).code == 0);
  CHECK(lines_of(folder.read("answers.csv")).at(0) == "file,label,probability,high,low");
  CHECK(run_weft(folder, {"attention", "run", "--audio", "s/0.wav", "--out", "a.html"}).code == 0);
  CHECK(contains(folder.read("a.html"), "0.02 s"));
  CHECK(run_weft(folder, {"logits", "run", "--audio", "s/0.wav", "--out", "l.npy"}).code == 0);
  result =
      run_weft(folder, {"data", "inspect", "labels.csv", "--out", "samples.html", "--set", "val_share=0.3"});
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK(contains(result.out, "40 sounds"));
  CHECK(contains(result.out, "memory: at most"));
  CHECK(contains(folder.read("samples.html"), "<figure>"));
  refused_with(folder, {"transcribe", "run", "s/0.wav"}, {"which writes down no sounds"});
  refused_with(folder, {"attention", "run", "--text", "a", "--out", "b.html"},
               {"hears a sound: give --audio"});
}

TEST_CASE("sounds: texts by CTC and by a decoder; windows; times; error rates") {
  if (!has_sounds()) return;
  const Folder folder;
  write_sounds(folder, 60);
  for (const std::string head : {"ctc", "decoder"}) {
    CAPTURE(head);
    Result result = run_weft(
        folder,
        small_sounds(head, {"--task", "transcribe", "--data", "strings.csv", "--set", "head=" + head,
                            "max_iters=250", "eval_interval=125", "learning_rate=0.01", "val_share=0.2"}));
    REQUIRE_MESSAGE(result.code == 0, result.err);
    CHECK(contains(result.err, "weft transcribe " + head + " SOUND"));
    result = run_weft(folder, {"eval", head, "--data", "strings.csv", "--json", "--beams", "3"});
    CHECK(number_in(result.out, "wer") < 0.2);
    CHECK(number_in(result.out, "cer") < 0.2);
    CHECK(number_in(result.out, "exact_match") > 0.7);
    const std::string together =
        run_weft(folder, {"transcribe", head, "r/1.wav", "r/2.wav", "r/5.wav", "--json"}).out;
    std::string alone;
    for (const char* const file : {"r/1.wav", "r/2.wav", "r/5.wav"})
      alone += run_weft(folder, {"transcribe", head, file, "--json"}).out;
    CHECK(together == alone);
    CHECK(contains(together, "\"begin\":"));
    CHECK(lines_of(run_weft(folder, {"transcribe", head, "r", "--text"}).out).size() == 60);
    // A longer one in windows.
    folder.write("long.wav", wav({300, 1500, 300, 300, 1500, 1500, 300, 1500}, 3));
    result = run_weft(folder, {"transcribe", head, "long.wav", "--window", "0.5", "--overlap", "0.2"});
    CHECK_MESSAGE(result.code == 0, result.err);
    CHECK(result.out.starts_with("long.wav: "));
    // Unless told, as long as what it was trained on: three tones of 0.15 s.
    const std::string usual = run_weft(folder, {"transcribe", head, "long.wav"}).out;
    CHECK(usual ==
          run_weft(folder, {"transcribe", head, "long.wav", "--window", "0.45", "--overlap", "0.09"}).out);
    if (head == "ctc") CHECK(lines_of(usual).at(0) == "long.wav: lo hi lo lo hi hi lo hi");
    refused_with(folder, {"transcribe", head, "long.wav", "--overlap", "0.45"},
                 {"leave nothing of windows of 0.45"});
    CHECK(run_weft(folder, {"attention", head, "--audio", "r/2.wav", "--out", "a.html"}).code == 0);
  }
  refused_with(folder, {"transcribe", "ctc", "r/1.wav", "--window", "1", "--overlap", "1"}, {"--overlap: "});
  refused_with(folder, {"generate", "decoder", "--prompt", "lo"}, {"hears sounds and reads no text"});
  refused_with(folder, {"translate", "decoder"}, {"hears sounds and reads no text"});
  // The encoder of one is the beginning of another.
  const Result tuned =
      run_weft(folder, small_sounds("tuned", {"--task", "classify", "--data", "labels.csv", "--init-from",
                                              "ctc", "--set", "max_iters=2", "val_share=0.3"}));
  CHECK_MESSAGE(tuned.code == 0, tuned.err);
  CHECK(contains(tuned.err, "head"));
  refused_with(folder, {"classify", "ctc", "r/1.wav"}, {"tells no classes of sounds by name"});
}

TEST_CASE("sounds: a run that was stopped goes on to the same bytes, for any number of threads") {
  if (!has_sounds()) return;
  const Folder folder;
  write_sounds(folder, 30);
  const Arguments rest{"--task",
                       "transcribe",
                       "--data",
                       "strings.csv",
                       "--set",
                       "speed=0.2",
                       "noise=0.2",
                       "gain=3",
                       "silence=0.02",
                       "time_masks=1",
                       "frequency_masks=1",
                       "dropout=0.1",
                       "val_share=0.3",
                       "eval_interval=5",
                       "checkpoint_interval=5"};
  Arguments whole = small_sounds("whole", rest), half = small_sounds("half", rest);
  whole.insert(whole.end(), {"--set", "max_iters=15", "lr_decay_iters=15"});
  half.insert(half.end(), {"--set", "max_iters=5", "lr_decay_iters=15"});
  half[6] = "1";
  REQUIRE(run_weft(folder, whole).code == 0);
  REQUIRE(run_weft(folder, half).code == 0);
  Result result = run_weft(folder, {"train", "--resume", "half", "--threads", "3", "--set", "max_iters=15"});
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK(last_saved(folder, "half") == last_saved(folder, "whole"));
}

TEST_CASE("sounds: bad input is refused by name, and nothing is written") {
  if (!has_sounds()) return;
  const Folder folder;
  write_sounds(folder, 20);
  folder.write("bad.csv", "file,label\ns/0.wav,low\ns/1.wav,high\nmissing.wav,low\n");
  refused_with(folder,
               {"train", "--model", "speech", "--task", "classify", "--data", "bad.csv", "--out", "x"},
               {"bad.csv: line 4: there is no file ", "missing.wav", "invalid=skip"});
  folder.write("s/text.wav", "this is no sound");
  folder.write("bad.csv", "file,label\ns/0.wav,low\ns/1.wav,high\ns/text.wav,low\n");
  refused_with(folder,
               {"train", "--model", "speech", "--task", "classify", "--data", "bad.csv", "--out", "x"},
               {"s/text.wav: is no sound that is known; these are: wav, flac, ogg, aiff"});
  folder.write("s/cut.wav", folder.read("s/0.wav").substr(0, 500));
  folder.write("bad.csv", "file,label\ns/0.wav,low\ns/1.wav,high\ns/cut.wav,low\n");
  refused_with(folder,
               {"train", "--model", "speech", "--task", "classify", "--data", "bad.csv", "--out", "x"},
               {"s/cut.wav: ends early: its header says it has 2,400 bytes of sound, and 456 are there"});
  refused_with(folder, {"train", "--task", "transcribe", "--data", "labels.csv", "--out", "x"}, {"text"});
  refused_with(folder, {"train", "--model", "bert", "--task", "classify", "--data", "s", "--out", "x"},
               {"holds sounds", "--model speech hears sounds"});
  refused_with(folder,
               {"train", "--model", "speech", "--task", "classify", "--data", "labels.csv", "--out", "x",
                "--set", "n_mels=200"},
               {"n_mels = 200 are too many"});
  CHECK(!exists(folder, "x/config.toml"));
}
