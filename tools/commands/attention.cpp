#include <weft/data/sounds/sound_task.h>
#include <weft/data/tasks/registry.h>
#include <weft/layers/additive_attention.h>
#include <weft/layers/attention_recorder.h>
#include <weft/layers/models/decoding/generation.h>
#include <weft/layers/models/decoding/transcriber.h>
#include <weft/layers/models/registry.h>
#include <weft/layers/multi_head_attention.h>
#include <weft/layers/patch_embedding.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>
#include <weft/lib/base/values.h>
#include <weft/tools/attention_page/attention_page.h>
#include <weft/train/files/opened_model.h>
#include <weft/train/show/console.h>

#include <algorithm>
#include <memory>

#include "commands.h"
#include "model_input.h"

namespace weft::tools {
namespace {

using Ids = std::vector<int64_t>;

struct Viewer {
  AttentionArguments arguments;
  OpenedModel file;
  std::unique_ptr<Model> model;
  const GenerativeModel* writer = nullptr;     ///< null unless it answers what it reads
  const PatchEmbedding* patches = nullptr;     ///< null unless it sees pictures
  std::shared_ptr<const Tokenizer> tokenizer;  ///< null when ids are all there is
  Array picture;                               ///< (channels, height, width)
  bool hears = false;                          ///< whether it is one of sounds
  Array sound;                                 ///< frames (1, T, M)
  Ids read, answer;  ///< what the model reads, and what it answers, if that is given
};

/// The first module of a kind at or below `module`; nullptr when there is none.
template <class M>
const M* find(const Module& module) {
  if (const auto* const found = dynamic_cast<const M*>(&module)) return found;
  for (const auto& [name, child] : module.children())
    if (const M* const found = find<M>(*child)) return found;
  return nullptr;
}

bool has_words(const Viewer& v) { return v.tokenizer && v.tokenizer->kind() == std::string_view("word"); }

Ids encoded(const Viewer& v, const std::string& name, const std::string& text) {
  if (!v.tokenizer) fail<ValueError>(v.file.path, ": has no tokenizer; give ids instead of text");
  return ids_of_text(v.file.checkpoint.model, name, text);
}

void check_length(const Viewer& v, const std::string& name, const Ids& ids) {
  const StateDict config = v.model->config_state();
  const auto size = static_cast<int64_t>(ids.size());
  if (size < 1) fail<ValueError>(name, ": is empty");
  if (config.contains("block_size") && size > config.integer("block_size"))
    fail<ValueError>(name, ": makes ", size, " tokens, and the model reads ", config.integer("block_size"),
                     " at most");
}

/// What a model that reads one text reads.
void take_text(Viewer& v) {
  const AttentionArguments& a = v.arguments;
  const bool by_ids = !a.ids.empty();
  if (!a.source.empty() || !a.target_ids.empty())
    fail<ValueError>(a.source.empty() ? "--target-ids" : "--source", ": a ", v.model->kind(),
                     " reads one text, --text or --ids");
  if (by_ids == !a.text.empty()) fail<ValueError>("give what is read, as --text or as --ids");
  if (by_ids) {
    v.read = parse_ids("--ids", a.ids, v.model->config_state().integer("vocab_size"));
  } else {
    v.read = encoded(v, "--text", a.text);
    // As the texts that it was trained on.
    const SpecialIds special = SpecialIds::of(*v.tokenizer);
    const TaskEntry* const task = tasks().find(v.file.checkpoint.model.trained_on.task);
    const bool framed = task ? task->kind == TaskKind::classification || task->kind == TaskKind::masked
                             : v.model->kind() == "bert" && has_words(v);
    if (framed && special.cls >= 0 && special.sep >= 0) {
      if (v.read.empty() || v.read.front() != special.cls) v.read.insert(v.read.begin(), special.cls);
      if (v.read.back() != special.sep) v.read.push_back(special.sep);
    }
  }
  check_length(v, by_ids ? "--ids" : "--text", v.read);
}

/// What a decoder reads to give all of `answer`.
Ids seen_by(const GenerativeModel& writer, const Ids& answer) {
  Ids seen{writer.start_id()};
  seen.insert(seen.end(), answer.begin(), answer.end());
  return seen;
}

/// What an encoder-decoder reads and answers.
void take_pair(Viewer& v) {
  const AttentionArguments& a = v.arguments;
  const bool by_ids = !a.ids.empty();
  if (by_ids == !a.source.empty())
    fail<ValueError>("give what the ", v.model->kind(), " answers, as --source or as --ids");
  if (!a.text.empty() && !a.target_ids.empty())
    fail<ValueError>("give the answer as --text or as --target-ids; without, the model's own is taken");
  const int64_t vocab_size = v.model->config_state().integer("vocab_size");
  v.read = by_ids ? parse_ids("--ids", a.ids, vocab_size) : encoded(v, "--source", a.source);
  const Ids end = v.file.checkpoint.model.end_ids;
  if (!by_ids) v.read.insert(v.read.end(), end.begin(), end.end());
  check_length(v, by_ids ? "--ids" : "--source", v.read);
  if (!a.text.empty()) {
    v.answer = encoded(v, "--text", a.text);
    check_length(v, "--text", v.answer);
  }
  if (!a.target_ids.empty()) {
    v.answer = parse_answer("--target-ids", a.target_ids, *v.writer);
    check_length(v, "--target-ids", seen_by(*v.writer, v.answer));
  }
}

void take_picture(Viewer& v) {
  const AttentionArguments& a = v.arguments;
  if (a.image.empty() || !a.text.empty() || !a.source.empty() || !a.ids.empty() || !a.target_ids.empty())
    fail<ValueError>("a ", v.model->kind(), " reads a picture: give --image, and no text or ids");
  v.picture = picture_for(v.file.checkpoint.model, a.image);
  const NoGrad no_grad;
  v.model->logits(batch_of_picture(v.picture));  // refuses a picture of another size than it was trained on
}

void take_sound(Viewer& v) {
  const AttentionArguments& a = v.arguments;
  if (a.audio.empty() || !a.source.empty() || !a.ids.empty() || !a.image.empty())
    fail<ValueError>("a ", v.model->kind(), " hears a sound: give --audio, and no text or ids",
                     v.writer ? " but its answer, --text or --target-ids" : "");
  if (!v.writer && (!a.text.empty() || !a.target_ids.empty()))
    fail<ValueError>("--text and --target-ids: are of what writes; this ", v.model->kind(), " does not");
  const LogMel frames = frames_heard_by(v.file.checkpoint.model);
  v.sound = sound_input(read_sound(a.audio), frames);
  if (!v.writer) return;
  if (!a.text.empty()) v.answer = encoded(v, "--text", a.text);
  if (!a.target_ids.empty()) v.answer = parse_answer("--target-ids", a.target_ids, *v.writer);
}

/// A sound as it is drawn, low tones below, and when each of its patches begins.
AttentionPicture spectrogram(const Viewer& v, std::vector<std::string>& times) {
  const auto* const heard = dynamic_cast<const Transcriber*>(v.model.get());
  const int64_t step = heard ? heard->subsampling() : 1, T = v.sound.dim(1), M = v.sound.dim(2);
  const int64_t count = (T + step - 1) / step;
  const LogMel frames = frames_heard_by(v.file.checkpoint.model);
  const LogMel::Options& o = frames.options();
  Array pixels({1, M, count * step}, float32);
  float* to = pixels.mutable_data<float>();
  for (int64_t m = M; m-- > 0;)
    for (int64_t t = 0; t < count * step; ++t) *to++ = v.sound.data<float>()[std::min(t, T - 1) * M + m];
  for (int64_t i = 0; i < count; ++i)
    times.push_back(
        str(fixed(static_cast<double>(i * step * o.hop_length) / static_cast<double>(o.rate), 2), " s"));
  return {.pixels = pixels, .patch_size = step, .patch_height = M, .of_sources = v.writer != nullptr};
}

std::vector<std::string> words_of(const Viewer& v, const Ids& ids) {
  std::vector<std::string> words;
  for (const int64_t id : ids) words.push_back(v.tokenizer ? v.tokenizer->decode(id) : str(id));
  return words;
}

/// Fills in what the page says of the input; gives that as the model takes it.
Batch describe(Viewer& v, AttentionPage& page) {
  if (v.patches) {
    const int64_t count = v.picture.dim(1) / v.patches->patch * (v.picture.dim(2) / v.patches->patch);
    page.tokens = std::vector<std::string>(static_cast<size_t>(count));
    page.picture = AttentionPicture{v.picture, v.patches->patch, 0};
    return batch_of_picture(v.picture);
  }
  page.apart = !v.tokenizer;
  if (v.hears) {
    Batch batch{v.sound, Array::full({1, 1}, double{Batch::ignored}, int64)};
    page.picture = spectrogram(v, v.writer ? page.sources : page.tokens);
    if (!v.writer) return batch;
    if (v.arguments.text.empty() && v.arguments.target_ids.empty())
      v.answer = dynamic_cast<const Transcriber&>(*v.model).transcribe(batch, {}).at(0).ids;
    page.tokens = words_of(v, seen_by(*v.writer, v.answer));
    batch.targets = targets_of(*v.writer, v.answer);
    return batch;
  }
  if (!v.writer) {
    page.tokens = words_of(v, v.read);
    return {row_of(v.read), {}};
  }
  if (v.arguments.text.empty() && v.arguments.target_ids.empty()) {
    const int64_t most = std::min<int64_t>(256, v.writer->context() - 1);
    v.answer = generate(
        *v.writer, v.read,
        {.tokens = most, .sampling = {.temperature = 0}, .end_ids = v.file.checkpoint.model.end_ids});
    if (!v.answer.empty() && v.file.checkpoint.model.end_ids == Ids{v.answer.back()}) v.answer.pop_back();
  }
  page.sources = words_of(v, v.read);
  page.tokens = words_of(v, seen_by(*v.writer, v.answer));
  return {row_of(v.read), targets_of(*v.writer, v.answer)};
}

Looks looks_of(const AttentionRecord& record, const Viewer& v) {
  if (record.cross) return Looks::cross;
  return v.writer && record.path.starts_with("encoder.") ? Looks::source : Looks::own;
}

/// Whether a layer of somebody's own tells the recorder where it looks.
bool records_any(Viewer& v) {
  const NoGrad no_grad;
  AttentionPage page;
  const Batch batch = describe(v, page);
  const AttentionRecorder recorder;
  v.model->logits(batch);
  return !recorder.records().empty();
}

int work(Viewer& v) {
  const NoGrad no_grad;
  AttentionPage page{.title = str(v.model->kind(), ", ", grouped(v.model->parameter_count()), " parameters",
                                  v.file.checkpoint.training
                                      ? str(", after ", grouped(v.file.checkpoint.training->step), " updates")
                                      : "",
                                  "; ", v.file.path)};
  const Batch batch = describe(v, page);
  const AttentionRecorder recorder;
  v.model->logits(batch);
  for (const AttentionRecord& record : recorder.records())
    page.layers.push_back(
        {record.path, looks_of(record, v), record.weights.reshape(record.weights.shape().without(0))});
  if (page.picture && !v.hears) {
    // What stands before the patches: a class token.
    const int64_t before = page.layers.at(0).weights.dim(1) - static_cast<int64_t>(page.tokens.size());
    page.tokens.insert(page.tokens.begin(), static_cast<size_t>(std::max<int64_t>(0, before)), "[class]");
    page.picture->first_patch = before;
  }
  write_file(v.arguments.out, page.html());
  return 0;
}

}  // namespace

Work prepare_attention(const AttentionArguments& arguments) {
  auto v = std::make_shared<Viewer>();
  v->arguments = arguments;
  Console console;
  v->file = open_model(
      arguments.model, arguments.last, [&](std::string_view line) { console.print(line); }, arguments.base);
  v->model = v->file.build();
  v->tokenizer = v->file.checkpoint.model.tokenizer;
  v->patches = find<PatchEmbedding>(*v->model);
  if (const GenerativeModel* const writer = as_writer(*v->model))
    v->writer = writer->has_encoder() ? writer : nullptr;
  v->hears = models().at(v->model->kind()).takes(TaskKind::sounds);
  if (!v->patches && !arguments.image.empty())
    fail<ValueError>("--image: a ", v->model->kind(), v->hears ? " hears --audio" : " reads text or ids",
                     ", not a picture");
  if (!v->hears && !arguments.audio.empty())
    fail<ValueError>("--audio: a ", v->model->kind(), " hears no sounds; ",
                     v->patches ? "give --image" : "give --text or --ids");
  if (v->hears)
    take_sound(*v);
  else if (v->patches)
    take_picture(*v);
  else if (v->writer)
    take_pair(*v);
  else
    take_text(*v);
  if (!find<MultiHeadAttention>(*v->model) && !find<AdditiveAttention>(*v->model) && !records_any(*v))
    fail<ValueError>(v->file.path, ": is a ", v->model->kind(), ", which has no attention to show");
  check_output(arguments.out);
  return [v] { return work(*v); };
}

}  // namespace weft::tools
