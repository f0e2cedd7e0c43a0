#include <weft/autograd/ops/normalization.h>
#include <weft/data/records/record_reader.h>
#include <weft/data/tasks/table_task.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>
#include <weft/lib/base/values.h>
#include <weft/train/evaluate.h>
#include <weft/train/files/opened_model.h>
#include <weft/train/show/console.h>
#include <weft/train/signals.h>

#include <algorithm>
#include <optional>

#include "classify_internal.h"
#include "commands.h"
#include "eval_task.h"
#include "model_use.h"
#include "text_records.h"

namespace weft::tools {
namespace {

/// Texts that are read at once.
constexpr size_t texts_together = 64;

struct Classifier {
  Console console;
  OpenedModel opened;
  ClassifyArguments arguments;
  SpecialIds special;
  std::shared_ptr<Model> model;
  std::unique_ptr<RecordReader> records;
  std::unique_ptr<AtomicFile> out;
  std::optional<StopSignals> signals;  ///< with `out`, of which else something would stay
  int64_t longest = 0;                 ///< tokens that it reads; 0: no limit
  int64_t cut = 0;

  const ModelFile& file() const { return opened.checkpoint.model; }
  void write(const std::string& text) {
    if (out)
      out->write(text);
    else
      write_out(text);
  }
};

std::vector<int64_t> ids_of(const Classifier& c, const std::string& text, const std::string& where) {
  try {
    return framed(*c.file().tokenizer, text, c.special);
  } catch (const ValueError& error) {
    fail<FileError>(where, ": ", error.what());
  }
}

void warn_of_cut(Classifier& c) {
  if (c.cut > 0)
    c.console.print(str("warning: ", grouped(c.cut), " texts have more than ", c.longest,
                        " tokens, the model's context, and were cut"));
}

/// Probabilities of the classes for each text.
std::vector<std::vector<double>> probabilities(Classifier& c, const std::vector<std::string>& texts,
                                               const std::function<std::string(size_t)>& where) {
  Batch batch;
  std::vector<std::vector<int64_t>> rows;
  for (size_t i = 0; i < texts.size(); ++i) {
    std::vector<int64_t>& ids = rows.emplace_back(ids_of(c, texts[i], where(i)));
    c.cut += cut_framed(ids, c.longest);
    batch.lengths.push_back(std::ssize(ids));
  }
  batch.inputs = padded_rows(rows, std::max<int64_t>(0, c.special.pad));
  batch.targets = Array::zeros({std::ssize(rows)}, int64);
  return class_probabilities(c.model->logits(batch).value());
}

int classify_texts(Classifier& c) {
  const auto all = probabilities(c, c.arguments.texts, [](size_t i) { return str("text ", i + 1); });
  for (const std::vector<double>& p : all) write_out(ranked_line(c.file().class_names, p));
  warn_of_cut(c);
  return 0;
}

int classify_records(Classifier& c) {
  c.write(table_header("text", c.file().class_names));
  int64_t done = 0;
  for (bool more = true; more;) {
    std::vector<std::string> texts;
    std::vector<Place> places;
    while (texts.size() < texts_together) {
      auto record = c.records->next();
      more = record.has_value();
      if (!more) break;
      texts.push_back(std::move(record->fields[0]));
      places.push_back(record->place);
    }
    if (texts.empty()) break;
    const auto all = probabilities(c, texts, [&](size_t i) { return c.records->describe(places[i]); });
    for (size_t i = 0; i < texts.size(); ++i) c.write(table_row(texts[i], c.file().class_names, all[i]));
    done += std::ssize(texts);
    if (const int signal = StopSignals::received()) throw Stopped{signal};
    c.console.renew(str("classified: ", grouped(done)));
  }
  c.console.clear();
  for (const std::string& note : c.records->notes().lines()) c.console.print(note);
  if (c.out) {
    c.out->commit();
    c.console.print(str(c.arguments.out, ": ", grouped(done), " records"));
  }
  warn_of_cut(c);
  return 0;
}

/// A field of a csv.
std::string quoted_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == text.npos) return text;
  std::string all = "\"";
  for (const char c : text) all += c == '"' ? std::string("\"\"") : std::string(1, c);
  return all + "\"";
}

}  // namespace

std::vector<std::vector<double>> class_probabilities(const Array& logits) {
  const Array all = softmax(Tensor(logits.to(float64))).value();
  const auto values = all.values<double>();
  const auto classes = static_cast<size_t>(all.dim(1));
  std::vector<std::vector<double>> found;
  for (size_t at = 0; at < values.size(); at += classes) {
    const auto row = values.subspan(at, classes);
    found.emplace_back(row.begin(), row.end());
  }
  return found;
}

std::string ranked_line(const std::vector<std::string>& class_names, const std::vector<double>& p) {
  std::vector<size_t> order(p.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, std::greater<>(), [&](size_t i) { return p[i]; });
  std::string line;
  constexpr size_t most = 5;
  for (size_t i = 0; i < std::min(most, order.size()); ++i)
    line += str(i == 0 ? "" : "  ", class_names[order[i]], " ", fixed(p[order[i]], 4));
  return line + "\n";
}

std::string table_header(const std::string& what, const std::vector<std::string>& class_names) {
  std::string line = what + ",label,probability";
  for (const std::string& name : class_names) line += "," + quoted_field(name);
  return line + "\n";
}

std::string table_row(const std::string& what, const std::vector<std::string>& class_names,
                      const std::vector<double>& p) {
  const auto best = static_cast<size_t>(std::ranges::max_element(p) - p.begin());
  std::string line = str(quoted_field(what), ",", quoted_field(class_names[best]), ",", fixed(p[best], 6));
  for (const double one : p) line += str(",", fixed(one, 6));
  return line + "\n";
}

Work prepare_classify(const ClassifyArguments& arguments) {
  auto c = std::make_shared<Classifier>();
  c->arguments = arguments;
  c->opened = open_model(
      arguments.model, arguments.last, [&](std::string_view line) { c->console.print(line); },
      arguments.base);
  const ModelFile& file = c->file();
  const ModelEntry& entry_of_model = models().at(file.kind);
  if (entry_of_model.takes(TaskKind::pictures) || entry_of_model.takes(TaskKind::sounds))
    return prepare_file_classify(std::move(c->opened), arguments);
  if (file.class_names.empty() || !file.tokenizer)
    fail_with<ValueError>(use_of(c->opened, arguments.model), c->opened.path,
                          ": tells no classes of texts by name; ", program_name(),
                          " train --task classify --data FILE makes a model that does. This one is used by:");
  if (arguments.data.empty() == arguments.texts.empty())
    fail<ValueError>("classify: give --data FILE, or texts behind the model");
  c->longest = longest_read(file);
  c->special = SpecialIds::of(*file.tokenizer);
  if (c->special.cls < 0 || c->special.sep < 0)
    fail<ValueError>(c->opened.path, ": its tokenizer has no <cls> and <sep>, between which texts are read");
  if (!arguments.data.empty()) {
    const RecordOptions options = text_records(file, arguments.data, arguments.set);
    // All is read before anything is written, so that bad input is refused at once.
    c->records = std::make_unique<RecordReader>(arguments.data, options);
    while (const auto record = c->records->next())
      ids_of(*c, record->fields[0], c->records->describe(record->place));
    c->records = std::make_unique<RecordReader>(arguments.data, options);
    if (!arguments.out.empty()) {
      c->signals.emplace();  // before the first file
      check_output(arguments.out);
      c->out = std::make_unique<AtomicFile>(arguments.out);
    }
  } else if (!arguments.out.empty() || !arguments.set.empty()) {
    fail<ValueError>("--out and --set: go with --data");
  }
  for (size_t i = 0; i < arguments.texts.size(); ++i) ids_of(*c, arguments.texts[i], str("text ", i + 1));
  c->model = c->opened.build();
  return [c] {
    const Evaluating evaluating(*c->model);
    return c->records ? classify_records(*c) : classify_texts(*c);
  };
}

}  // namespace weft::tools
