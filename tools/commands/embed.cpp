#include <weft/data/records/record_reader.h>
#include <weft/data/tasks/token_task.h>
#include <weft/data/tokenizers/marked_tokenizer.h>
#include <weft/layers/models/pooling.h>
#include <weft/layers/models/registry.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>
#include <weft/lib/base/join.h>
#include <weft/lib/base/values.h>
#include <weft/lib/files/hdf5_file.h>
#include <weft/lib/files/npy.h>
#include <weft/train/evaluate.h>
#include <weft/train/show/console.h>
#include <weft/train/signals.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <optional>
#include <ranges>

#include "built_model.h"
#include "commands.h"
#include "eval_task.h"
#include "files_shown.h"
#include "model_input.h"
#include "text_records.h"

namespace weft::tools {
namespace {

using Ids = std::vector<int64_t>;

struct Embedder {
  Console console;
  OpenedModel opened;
  EmbedArguments arguments;
  std::optional<Pooling> pooling;  ///< none: all hidden states
  std::shared_ptr<Model> model;
  int64_t layer = 0;
  SpecialIds special;
  bool framed = false;
  int64_t end_id = -1, longest = 0;
  std::vector<Ids> texts;
  FilesShown files;  ///< instead of texts, of a model of pictures or sounds
  std::vector<std::string> notes;
  int64_t cut = 0, width = 0;
  std::vector<std::vector<float>> rows;  ///< of each text or file: its vector, or its hidden states
  std::optional<StopSignals> signals;

  const ModelFile& file() const { return opened.checkpoint.model; }
  bool reads_text() const { return files.size == 0; }
  int64_t size() const { return reads_text() ? std::ssize(texts) : files.size; }
};

/// How the model was trained to read texts: between <cls> and <sep> where it classifies or fills in words, with an end where
/// it answers.
void learn_reading(Embedder& e) {
  const ModelFile& file = e.file();
  if (!file.tokenizer)
    fail<ValueError>(e.opened.path, ": has no tokenizer, and so reads no text; ", program_name(),
                     " logits takes ids");
  e.special = SpecialIds::of(*file.tokenizer);
  e.longest = longest_read(file);
  const bool between = models().at(file.kind).takes(TaskKind::masked) || !file.class_names.empty();
  e.framed = between && e.special.cls >= 0 && e.special.sep >= 0;
  const auto* const writer = dynamic_cast<const GenerativeModel*>(e.model.get());
  if (writer && writer->has_encoder() && !file.end_ids.empty()) e.end_id = file.end_ids[0];
}

Ids framed_ids(const Embedder& e, const std::string& text, const std::string& where) {
  try {
    return framed(*e.file().tokenizer, as_trained(e.file(), text), e.special);
  } catch (const ValueError& error) {
    fail<ValueError>(where, ": ", error.what());
  }
}

void take(Embedder& e, const std::string& text, const std::string& where) {
  Ids ids = e.framed ? framed_ids(e, text, where) : ids_of_text(e.file(), where, text);
  if (e.end_id >= 0) ids.push_back(e.end_id);
  if (ids.empty()) fail<ValueError>(where, ": is empty; --set empty=skip leaves empty texts out");
  if (e.longest > 0 && std::ssize(ids) > e.longest) {
    if (!e.arguments.truncate)
      fail<ValueError>(where, ": has ", grouped(std::ssize(ids)), " tokens, and the model reads ", e.longest,
                       "; --truncate reads the first of them");
    ++e.cut;
    if (e.framed || e.end_id >= 0)
      cut_framed(ids, e.longest);  // an end of the text stays
    else
      ids.resize(static_cast<size_t>(e.longest));
  }
  e.texts.push_back(std::move(ids));
}

void read_texts(Embedder& e) {
  const EmbedArguments& a = e.arguments;
  learn_reading(e);
  for (size_t i = 0; i < a.texts.size(); ++i) take(e, a.texts[i], str("text ", i + 1));
  if (a.data.empty()) return;
  RecordReader records(a.data, text_records(e.file(), a.data, a.set));
  while (const auto record = records.next()) take(e, record->fields[0], records.describe(record->place));
  e.notes = records.notes().lines();
}

Batch batch_of(const Embedder& e, std::span<const size_t> some) {
  if (!e.reads_text()) return e.files.batch(static_cast<int64_t>(some[0]), std::ssize(some));
  Batch batch;
  std::vector<Ids> rows;
  for (const size_t i : some) {
    rows.push_back(e.texts[i]);
    batch.lengths.push_back(std::ssize(e.texts[i]));
  }
  batch.inputs = padded_rows(rows, std::max<int64_t>(0, e.special.pad));
  return batch;
}

/// What becomes of row `row`: its vector, or its hidden states.
std::vector<float> row_of(const Embedder& e, const HiddenStates& hidden, const Array& vectors, int64_t row) {
  const Array& x = e.pooling ? vectors : hidden.states.value();
  const int64_t each = x.size() / x.dim(0);
  const int64_t count = e.pooling                ? each
                        : hidden.lengths.empty() ? each
                                                 : hidden.lengths[static_cast<size_t>(row)] * x.dim(-1);
  const auto values = x.values<float>().subspan(static_cast<size_t>(row * each), static_cast<size_t>(count));
  return {values.begin(), values.end()};
}

void embed(Embedder& e) {
  std::vector<size_t> order(static_cast<size_t>(e.size()));
  std::iota(order.begin(), order.end(), size_t{0});
  // Texts of about one length together: fewer tokens of padding, and the same bits.
  if (e.reads_text()) std::ranges::stable_sort(order, {}, [&](size_t i) { return e.texts[i].size(); });
  e.rows.resize(order.size());
  for (size_t first = 0; first < order.size(); first += static_cast<size_t>(e.arguments.batch)) {
    const std::span some = std::span(order).subspan(
        first, std::min(static_cast<size_t>(e.arguments.batch), order.size() - first));
    const HiddenStates hidden = e.model->hidden_states(batch_of(e, some), e.layer);
    const Array vectors = e.pooling ? pooled(hidden, *e.pooling) : Array();
    e.width = hidden.states.dim(-1);
    for (size_t i = 0; i < some.size(); ++i)
      e.rows[some[i]] = row_of(e, hidden, vectors, static_cast<int64_t>(i));
    if (const int signal = StopSignals::received()) throw Stopped{signal};
    e.console.renew(str("embedded: ", grouped(static_cast<int64_t>(first + some.size()))));
  }
  e.console.clear();
}

/// All rows, one behind another, which are given up.
Array joined_rows(Embedder& e) {
  size_t values = 0;
  for (const std::vector<float>& row : e.rows) values += row.size();
  Array all({static_cast<int64_t>(values) / e.width, e.width}, float32);
  float* to = all.mutable_data<float>();
  for (std::vector<float>& row : e.rows) {
    to = std::ranges::copy(row, to).out;
    std::vector<float>().swap(row);
  }
  return all;
}

/// Where each row begins, and behind the last.
Array offsets_of(const Embedder& e) {
  Ids offsets{0};
  for (const std::vector<float>& row : e.rows) offsets.push_back(offsets.back() + std::ssize(row) / e.width);
  return Array::from(offsets, {std::ssize(offsets)});
}

int write(Embedder& e) {
  {
    const Evaluating evaluating(*e.model);
    embed(e);
  }
  const std::string& out = e.arguments.out;
  StateDict state;
  if (!e.pooling) state.set("offsets", offsets_of(e));
  const Array values = joined_rows(e);
  if (out.ends_with(".npy")) {
    write_npy(out, values);
  } else {
    state.set(e.pooling ? "embeddings" : "hidden", values);
    state.set("layer", e.layer);
    state.set("pooling", e.arguments.pooling);
    if (e.reads_text()) {
      Ids lengths, ids;
      for (const Ids& text : e.texts) {
        lengths.push_back(std::ssize(text));
        if (!e.pooling) ids.insert(ids.end(), text.begin(), text.end());
      }
      state.set("lengths", Array::from(lengths, {std::ssize(lengths)}));
      if (!e.pooling) state.set("ids", Array::from(ids, {std::ssize(ids)}));
    } else {
      std::vector<std::string> names;
      for (int64_t i = 0; i < e.size(); ++i) names.push_back(e.files.describe(i));
      state.set("names", joined(names, "\n"));
    }
    write_file(out, to_hdf5(state));
  }
  for (const std::string& note : e.reads_text() ? e.notes : e.files.notes) e.console.print(note);
  if (e.cut > 0)
    e.console.print(str("warning: ", grouped(e.cut), " texts have more than ", e.longest,
                        " tokens, the model's context, and were cut"));
  e.console.print(str(out, ": ", grouped(e.size()), " ", e.reads_text() ? "texts" : e.files.what, ", ",
                      values.shape(), " of layer ", e.layer));
  return 0;
}

}  // namespace

Work prepare_embed(const EmbedArguments& arguments) {
  auto e = std::make_shared<Embedder>();
  e->arguments = arguments;
  const EmbedArguments& a = e->arguments;
  const std::pair<const char*, Pooling> poolings[] = {
      {"mean", Pooling::mean}, {"last", Pooling::last}, {"first", Pooling::first}};
  for (const auto& [name, pooling] : poolings)
    if (a.pooling == name) e->pooling = pooling;
  if (!e->pooling && a.pooling != "none")
    fail<ValueError>("--pooling: '", a.pooling, "' is none of mean, last, first and none");
  if (!a.out.ends_with(".h5") && !a.out.ends_with(".hdf5") && !a.out.ends_with(".npy"))
    fail<ValueError>("--out: ", a.out, " is neither FILE.h5 nor FILE.npy");
  if (a.data.empty() == a.texts.empty())
    fail<ValueError>("embed: give --data FILE, or texts behind the model");
  if (a.data.empty() && !a.set.empty()) fail<ValueError>("--set: goes with --data");
  e->opened = open_model(
      a.model, a.last, [&](std::string_view line) { e->console.print(line); }, a.base);
  e->model = built_model(e->opened, a.weights);
  const int64_t layers = e->model->hidden_layers();
  if (layers == 0)
    fail<ValueError>(e->opened.path, ": a ", e->model->kind(),
                     " shows no hidden states: hidden_states() of its class would");
  e->layer = a.layer < 0 ? layers + 1 + a.layer : a.layer;
  if (e->layer < 0 || e->layer > layers)
    fail<ValueError>("--layer ", a.layer, ": the model has ", layers,
                     "; give 0, what the first one reads, to ", layers, ", or -1, the last, to ",
                     -1 - layers);
  const ModelEntry& entry = models().at(e->file().kind);
  if (entry.takes(TaskKind::pictures) || entry.takes(TaskKind::sounds)) {
    e->files = files_shown(e->file(), a.data.empty() ? a.texts : a.data, a.set);
  } else {
    read_texts(*e);
  }
  if (!e->pooling && a.out.ends_with(".npy") && e->size() > 1)
    fail<ValueError>("--out: ", a.out,
                     ": is one array, and of --pooling none there are two, hidden and offsets; give FILE.h5");
  e->signals.emplace();
  check_output(a.out);
  return [e] { return write(*e); };
}

}  // namespace weft::tools
