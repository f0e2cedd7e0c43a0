#include <weft/data/sounds/sound_task.h>
#include <weft/data/tasks/table_task.h>
#include <weft/data/text/streaming_decoder.h>
#include <weft/layers/models/decoding/transcriber.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/values.h>
#include <weft/train/evaluate.h>
#include <weft/train/files/opened_model.h>
#include <weft/train/show/console.h>
#include <weft/train/signals.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

#include "commands.h"
#include "json_line.h"
#include "model_input.h"
#include "model_use.h"

namespace weft::tools {
namespace {

using Ids = std::vector<int64_t>;

/// Windows that are heard together.
constexpr size_t sounds_together = 16;

struct Word {
  std::string text;
  double begin = -1, end = -1;  ///< seconds; -1: not known
};

/// A stretch of a file, of which what lies in [keep_begin, keep_end) is taken.
struct Window {
  size_t file = 0;
  int64_t begin = 0;  ///< frames of the file
  int64_t keep_begin = 0, keep_end = 0;
  Array frames;  ///< (1, T, M)
};

struct Listened {
  std::string name;
  double seconds = 0;
  int64_t windows = 0, heard = 0;
  std::vector<float> log_p = {};  ///< of a model that goes by frames: of all windows
  std::vector<Word> words = {};   ///< of another
  std::string text = {};
};

struct Listener {
  Console console;
  OpenedModel opened;
  TranscribeArguments arguments;
  std::shared_ptr<const SoundFiles> sounds;
  std::unique_ptr<LogMel> frames;
  std::unique_ptr<Model> model;
  const Transcriber* transcriber = nullptr;
  Ids unsaid;  ///< special tokens, in rising order: none of what is said

  const ModelFile& file() const { return opened.checkpoint.model; }
  double seconds(int64_t frame) const {
    const LogMel::Options& o = frames->options();
    return static_cast<double>(frame * o.hop_length) / static_cast<double>(o.rate);
  }
};

/// What the ids say: all of it, and word by word. Of each id the bytes that it adds to the text belong to it.
struct Said {
  std::string text;
  std::vector<Word> words;
};
Said said_by(const Listener& l, const Ids& ids, const std::vector<CtcSpan>& spans, int64_t first_frame) {
  Said all;
  StreamingDecoder decoder(*l.file().tokenizer, {.begins = true});
  bool inside = false;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (std::ranges::binary_search(l.unsaid, ids[i])) continue;
    const std::string added = decoder.next(ids[i]);
    all.text += added;
    for (const char c : added) {
      if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
        inside = false;
        continue;
      }
      if (!inside) all.words.emplace_back();
      inside = true;
      Word& word = all.words.back();
      word.text += c;
      if (spans.empty()) continue;
      if (word.begin < 0) word.begin = l.seconds(first_frame + spans[i].begin);
      word.end = l.seconds(first_frame + spans[i].end);
    }
  }
  all.text += decoder.rest();
  return all;
}

std::string joined_words(const std::vector<Word>& words) {
  std::string text;
  for (const Word& word : words) text += (text.empty() ? "" : " ") + word.text;
  return text;
}

/// The windows of a sound, at places of the encoder's frames.
std::vector<Window> windows_of(const Listener& l, size_t file, const Sound& sound) {
  const LogMel& frames = *l.frames;
  const int64_t hop = frames.options().hop_length, step = l.transcriber->subsampling(),
                M = frames.options().n_mels;
  const auto size = std::ssize(sound.samples);
  const int64_t all = frames.frames(size);
  const auto frames_in = [&](double seconds) {
    return static_cast<int64_t>(seconds * static_cast<double>(sound.rate)) / hop / step * step;
  };
  int64_t width = l.arguments.window > 0 ? std::max(step, frames_in(l.arguments.window)) : all;
  const int64_t overlap = std::min(frames_in(l.arguments.overlap), (width - step) / (2 * step) * 2 * step);
  std::vector<Window> windows;
  for (int64_t begin = 0;; begin += width - overlap) {
    const bool last = begin + width >= all;
    const int64_t end = last ? all : begin + width;
    const int64_t from = begin * hop, to = last ? size : end * hop;
    const std::span samples(sound.samples.data() + from, static_cast<size_t>(to - from));
    Window window{.file = file,
                  .begin = begin,
                  .keep_begin = begin == 0 ? 0 : begin + overlap / 2 / step * step,
                  .keep_end = last ? INT64_MAX : end - (overlap - overlap / 2 / step * step),
                  .frames = Array({1, frames.frames(std::ssize(samples)), M}, float32)};
    frames.write(samples, {window.frames.mutable_data<float>(), static_cast<size_t>(window.frames.size())});
    windows.push_back(std::move(window));
    if (last) return windows;
  }
}

void hear_frames(const Listener& l, const std::vector<Window>& windows, const Batch& batch,
                 std::vector<Listened>& files) {
  const Array log_p = l.transcriber->frame_log_p(batch);
  const int64_t T = log_p.dim(1), V = log_p.dim(2), step = l.transcriber->subsampling();
  for (size_t b = 0; b < windows.size(); ++b) {
    const Window& window = windows[b];
    const int64_t length = (batch.lengths[b] + step - 1) / step;
    const int64_t from = (window.keep_begin - window.begin) / step,
                  to = window.keep_end == INT64_MAX
                           ? length
                           : std::min(length, (window.keep_end - window.begin) / step);
    const float* const row = log_p.data<float>() + static_cast<int64_t>(b) * T * V;
    std::vector<float>& into = files[window.file].log_p;
    into.insert(into.end(), row + from * V, row + to * V);
  }
}

void hear_words(const Listener& l, const std::vector<Window>& windows, const Batch& batch,
                std::vector<Listened>& files) {
  const std::vector<Transcript> found = l.transcriber->transcribe(batch, {.beams = l.arguments.beams});
  for (size_t b = 0; b < windows.size(); ++b) {
    const Window& window = windows[b];
    Listened& file = files[window.file];
    Said said = said_by(l, found[b].ids, found[b].spans, window.begin);
    for (Word& word : said.words) {
      const double middle = (word.begin + word.end) / 2;
      const bool kept = file.windows == 1 || word.begin < 0 ||
                        (middle >= l.seconds(window.keep_begin) &&
                         (window.keep_end == INT64_MAX || middle < l.seconds(window.keep_end)));
      if (kept) file.words.push_back(std::move(word));
    }
    if (file.windows == 1) file.text = std::move(said.text);
  }
}

/// What was said, when all windows have been heard.
void finish(const Listener& l, Listened& file) {
  if (l.transcriber->by_frames()) {
    constexpr int64_t piece_frames = 1000;
    const int64_t V = l.file().settings.integer("vocab_size"), step = l.transcriber->subsampling();
    const CtcFrames frames{.log_p = file.log_p, .classes = V, .blank = l.transcriber->blank()};
    Ids ids;
    std::vector<CtcSpan> spans;
    for (const CtcSpan& piece : ctc_pieces(frames, piece_frames)) {
      CtcFrames some = frames;
      some.log_p = frames.log_p.subspan(static_cast<size_t>(piece.begin * V),
                                        static_cast<size_t>((piece.end - piece.begin) * V));
      const Ids found =
          l.arguments.beams == 1 ? ctc_greedy(some).ids : ctc_beam_search(some, l.arguments.beams)[0].ids;
      ids.insert(ids.end(), found.begin(), found.end());
      for (const CtcSpan& span : ctc_align(some, found))
        spans.push_back({(piece.begin + span.begin) * step, (piece.begin + span.end) * step});
    }
    Said said = said_by(l, ids, spans, 0);
    file.words = std::move(said.words);
    file.text = std::move(said.text);
    file.log_p = {};
  } else if (file.windows > 1) {
    file.text = joined_words(file.words);
  }
  for (Word& word : file.words) word.end = std::min(word.end, file.seconds);
}

std::string text_of(const Listener& l, const Listened& file) {
  if (l.arguments.json) {
    nlohmann::ordered_json words = nlohmann::ordered_json::array();
    for (const Word& word : file.words) {
      nlohmann::ordered_json one{{"word", word.text}};
      if (word.begin >= 0) {
        one["begin"] = word.begin;
        one["end"] = word.end;
      }
      words.push_back(std::move(one));
    }
    return json_line(nlohmann::ordered_json{
        {"file", file.name}, {"seconds", file.seconds}, {"text", file.text}, {"words", std::move(words)}});
  }
  std::string line = file.text;
  std::ranges::replace(line, '\n', ' ');
  if (l.arguments.text) return line + "\n";
  std::string all = str(file.name, ": ", line, "\n");
  for (const Word& word : file.words)
    if (word.begin >= 0)
      all += str("  ", fixed(word.begin, 2), "  ", fixed(word.end, 2), "  ", word.text, "\n");
  return all;
}

int work(Listener& l) {
  std::vector<Listened> files;
  std::vector<Window> waiting;
  size_t told = 0;
  const auto hear = [&] {
    if (waiting.empty()) return;
    std::vector<Array> rows;
    for (const Window& window : waiting) rows.push_back(window.frames);
    const Batch batch = batch_of_sounds(rows);
    l.transcriber->by_frames() ? hear_frames(l, waiting, batch, files) : hear_words(l, waiting, batch, files);
    for (const Window& window : waiting) ++files[window.file].heard;
    waiting.clear();
    for (; told < files.size() && files[told].heard == files[told].windows; ++told) {
      finish(l, files[told]);
      write_out(text_of(l, files[told]));
      files[told] = {};
    }
    if (const int signal = StopSignals::received()) throw Stopped{signal};
  };
  for (int64_t n = 0; n < l.sounds->size(); ++n) {
    const Sound sound = resampled(l.sounds->sound(n), l.frames->options().rate);
    std::vector<Window> windows = windows_of(l, files.size(), sound);
    files.push_back({.name = l.sounds->path(n), .seconds = sound.seconds(), .windows = std::ssize(windows)});
    for (size_t i = 0; i < windows.size(); ++i) {
      waiting.push_back(std::move(windows[i]));
      if (waiting.size() < sounds_together) continue;
      l.console.renew(str("transcribing ", l.sounds->path(n), ": ", 100 * (i + 1) / windows.size(), " %"));
      hear();
    }
  }
  hear();
  l.console.clear();
  for (const std::string& note : l.sounds->notes()) l.console.print(note);
  return 0;
}

}  // namespace

Work prepare_transcribe(const TranscribeArguments& arguments) {
  auto l = std::make_shared<Listener>();
  l->arguments = arguments;
  l->opened = open_model(
      arguments.model, arguments.last, [&](std::string_view line) { l->console.print(line); },
      arguments.base);
  const ModelFile& file = l->file();
  if (arguments.json && arguments.text) fail<ValueError>("--text and --json: one of the two");
  l->model = l->opened.build();
  l->transcriber = dynamic_cast<const Transcriber*>(l->model.get());
  if (!l->transcriber || !file.tokenizer)
    fail_with<ValueError>(use_of(l->opened, arguments.model), l->opened.path, ": is a ", file.kind,
                          ", which writes down no sounds; ", program_name(),
                          " train --model speech --task transcribe --data FILE.csv makes a model that does. "
                          "This one is used by:");
  l->unsaid = special_ids(*file.tokenizer);
  l->frames = std::make_unique<LogMel>(frames_heard_by(file));
  constexpr double usual_window = 30, most_overlap = 4;
  double &window = l->arguments.window, &overlap = l->arguments.overlap;
  if (window < 0) {
    const int64_t longest =
        file.settings.contains("longest_frames") ? file.settings.integer("longest_frames") : 0;
    window = longest > 0 ? l->seconds(longest) : usual_window;
  }
  if (overlap < 0) overlap = std::min(most_overlap, window / 5);
  if (window > 0 && overlap >= window)
    fail<ValueError>("--overlap: ", overlap, " seconds leave nothing of windows of ", window);
  l->sounds = open_sounds(arguments.files, {.labelled = false});
  // What is none is refused before anything is written.
  for (int64_t n = 0; n < l->sounds->size(); ++n)
    if (const std::string error = l->sounds->look(n).error; !error.empty()) fail<FileError>(error);
  return [l] {
    const Evaluating evaluating(*l->model);
    return work(*l);
  };
}

}  // namespace weft::tools
