#include "model_input.h"

#include <unistd.h>
#include <weft/data/pictures/picture_task.h>
#include <weft/data/sounds/sound.h>
#include <weft/data/text/text.h>
#include <weft/data/text/utf8.h>
#include <weft/layers/models/registry.h>
#include <weft/lib/base/advice.h>
#include <weft/lib/base/values.h>
#include <weft/lib/files/npy.h>
#include <weft/train/show/console.h>

#include <algorithm>
#include <iostream>
#include <string_view>

namespace weft::tools {

std::string as_trained(const ModelFile& model, std::string text) {
  if (newlines_from(model.trained_on.newlines) == Newlines::lf) std::erase(text, '\r');
  return text;
}

namespace {

/// Bytes of a text that is told again as it would be read; nobody types a longer one.
constexpr size_t longest_advice = 300;

/// A text without the characters that a tokenizer does not know.
std::string known_part(const Tokenizer& tokenizer, std::string_view text) {
  std::string known;
  for (;;) {
    std::vector<int64_t> ids;
    const size_t some = tokenizer.append_ids(text, ids);
    known += text.substr(0, some);
    text.remove_prefix(some);
    if (text.empty()) return known;
    text.remove_prefix(static_cast<size_t>(std::max(1, decode_utf8(text).length)));
  }
}

}  // namespace

std::vector<int64_t> ids_of_text(const ModelFile& model, const std::string& name, const std::string& given,
                                 const std::string& file) {
  const std::string text = as_trained(model, given);
  std::vector<int64_t> ids;
  const std::string_view before = std::string_view(text).substr(0, text.empty() ? 0 : text.size() - 1);
  if (text.ends_with('\r') && model.tokenizer->append_ids(text, ids) == before.size())
    fail<ValueError>(name, ": ends with a carriage return, as lines of Windows do, which is not among the ",
                     model.tokenizer->vocab_size(), " of the vocabulary",
                     file.empty() ? "" : str("; sed -i 's/\\r$//' ", quoted(file), " takes them out"));
  try {
    return model.tokenizer->encode(text);
  } catch (const ValueError& error) {
    Advice advice;
    if (text.size() <= longest_advice)
      if (const std::string known = known_part(*model.tokenizer, text); !known.empty())
        advice = {.typed = {given}, .meant = {known}};
    fail_with<ValueError>(std::move(advice), name, ": ", error.what());
  }
}

bool next_line(std::string& line) {
  constexpr size_t most = size_t{1} << 20;
  line.clear();
  std::streambuf& in = *std::cin.rdbuf();
  for (int c = in.sbumpc(); c != std::streambuf::traits_type::eof(); c = in.sbumpc()) {
    if (c == '\n') return true;
    line += static_cast<char>(c);
    if (line.size() > most)
      fail<ValueError>("standard input: a line of more than ", grouped(most), " bytes; a prompt is a line");
  }
  return !line.empty();
}

bool input_is_terminal() { return ::isatty(STDIN_FILENO) == 1; }

Array row_of(const std::vector<int64_t>& ids) {
  return Array::from(ids, {1, static_cast<int64_t>(ids.size())});
}

std::vector<int64_t> parse_answer(const std::string& name, const std::string& text,
                                  const GenerativeModel& model) {
  std::vector<int64_t> ids = parse_ids(name, text, model.config_state().integer("vocab_size"));
  if (ids[0] != model.start_id())
    fail<ValueError>(name, ": begins with ", ids[0], ", not with the start token ", model.start_id());
  ids.erase(ids.begin());
  return ids;
}

Array targets_of(const GenerativeModel& model, std::vector<int64_t> answer) {
  answer.push_back(model.start_id());  // is not read
  return row_of(answer);
}

Fit fit_of(const ModelFile& model) {
  const SettingValues& trained = model.trained_on.settings;
  return fit_from(trained.contains("fit") ? trained.text("fit") : "crop");
}

Array picture_for(const ModelFile& model, const std::string& path) {
  if (path.ends_with(".npy")) {
    const Array picture = read_npy(path);
    if (picture.dtype() != float32 || picture.rank() != 3)
      fail<ValueError>(path, ": holds ", picture.shape(), " ", picture.dtype(),
                       "; a picture is float32 (channels, height, width)");
    if (!picture.all_finite()) fail<ValueError>(path, ": has NaN or infinity in it, so it is no picture");
    return picture;
  }
  const int64_t channels = model.settings.integer("n_channel"), side = model.settings.integer("image_size");
  if (channels != 1 && channels != 3)
    fail<ValueError>(path, ": the model sees ", channels,
                     " channels; give float32 (channels, height, width) as .npy");
  return picture_input(read_picture(path), fit_of(model), channels, side).reshape({channels, side, side});
}

Batch batch_of_picture(const Array& picture) { return {picture.reshape(picture.shape().inserted(0, 1)), {}}; }

void refuse_sounds(const OpenedModel& opened) {
  const ModelFile& file = opened.checkpoint.model;
  if (models().at(file.kind).takes(TaskKind::transcripts))
    fail<ValueError>(opened.path, ": is a ", file.kind, ", which hears sounds and reads no text; ",
                     program_name(), " transcribe ", quoted(opened.path), " SOUND writes down what is said");
}

LogMel frames_heard_by(const ModelFile& model) {
  const StateDict& s = model.settings;
  if (!s.contains("sample_rate") || s.integer("sample_rate") < least_rate)
    fail<ValueError>("the ", model.kind,
                     " does not know from which samples the frames are made that it hears");
  return LogMel({.rate = s.integer("sample_rate"),
                 .n_fft = s.integer("n_fft"),
                 .hop_length = s.integer("hop_length"),
                 .n_mels = s.integer("n_mels"),
                 .centred = s.contains("normalize") && s.text("normalize") == "mean"});
}

}  // namespace weft::tools
