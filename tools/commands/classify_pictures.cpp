#include <weft/autograd/ops/normalization.h>
#include <weft/data/mixture.h>
#include <weft/data/pictures/picture_task.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>
#include <weft/lib/base/values.h>
#include <weft/train/evaluate.h>
#include <weft/train/files/opened_model.h>
#include <weft/train/run_config.h>
#include <weft/train/show/console.h>
#include <weft/train/signals.h>

#include <algorithm>
#include <optional>

#include "classify_internal.h"
#include "commands.h"
#include "model_input.h"

namespace weft::tools {
namespace {

/// Pictures that are looked at together.
constexpr int64_t together = 64;

struct PictureClassifier {
  Console console;
  OpenedModel opened;
  ClassifyArguments arguments;
  std::shared_ptr<const PictureSource> pictures;
  std::shared_ptr<Model> model;
  std::unique_ptr<AtomicFile> out;
  std::optional<StopSignals> signals;  ///< with `out`, of which else something would stay

  const ModelFile& file() const { return opened.checkpoint.model; }
  bool as_table() const { return !arguments.data.empty(); }
};

std::vector<std::vector<double>> probabilities(const PictureClassifier& c, int64_t first, int64_t count) {
  const int64_t channels = c.file().settings.integer("n_channel"),
                side = c.file().settings.integer("image_size");
  std::vector<Batch> rows;
  for (int64_t i = first; i < first + count; ++i)
    rows.push_back(
        {picture_input(c.pictures->picture(i), fit_of(c.file()), channels, side), Array::zeros({1}, int64)});
  return class_probabilities(c.model->logits(stacked(rows)).value());
}

int classify_pictures(PictureClassifier& c) {
  const auto write = [&](const std::string& line) { c.out ? c.out->write(line) : write_out(line); };
  if (c.as_table()) write(table_header("file", c.file().class_names));
  for (int64_t first = 0; first < c.pictures->size(); first += together) {
    const int64_t count = std::min(together, c.pictures->size() - first);
    const auto found = probabilities(c, first, count);
    for (int64_t i = 0; i < count; ++i) {
      const std::string name = c.pictures->describe(first + i);
      const std::vector<double>& p = found[static_cast<size_t>(i)];
      write(c.as_table() ? table_row(name, c.file().class_names, p)
                         : str(name, "  ", ranked_line(c.file().class_names, p)));
    }
    if (const int signal = StopSignals::received()) throw Stopped{signal};
    c.console.renew(str("classified: ", grouped(first + count)));
  }
  c.console.clear();
  for (const std::string& note : c.pictures->notes()) c.console.print(note);
  if (c.out) {
    c.out->commit();
    c.console.print(str(c.arguments.out, ": ", grouped(c.pictures->size()), " pictures"));
  }
  return 0;
}

}  // namespace

Work prepare_picture_classify(OpenedModel opened, const ClassifyArguments& arguments) {
  auto c = std::make_shared<PictureClassifier>();
  c->opened = std::move(opened);
  c->arguments = arguments;
  const ModelFile& file = c->file();
  if (file.class_names.empty())
    fail<ValueError>(c->opened.path, ": tells no classes of pictures by name; ", program_name(),
                     " train --model vit --task classify --data FOLDER makes a model that does");
  if (arguments.data.empty() == arguments.texts.empty())
    fail<ValueError>("classify: give --data FOLDER or FILE, or pictures behind the model");
  if (arguments.data.empty() && (!arguments.out.empty() || !arguments.set.empty()))
    fail<ValueError>("--out and --set: go with --data");
  PictureSourceOptions options{.labelled = false};
  for (const std::string& typed : arguments.set) {
    const Assignment given = setting_typed(typed);
    if (given.key != "file")
      fail<ValueError>(given.where, "of pictures file alone is set, the column with the file");
    options.file = std::get<std::string>(given.value);
  }
  c->pictures = open_pictures(arguments.data.empty() ? arguments.texts : arguments.data, options);
  // What is none is refused before anything is written.
  for (int64_t i = 0; i < c->pictures->size(); ++i)
    if (const std::string error = c->pictures->look(i).error; !error.empty()) fail<FileError>(error);
  if (!arguments.out.empty()) {
    c->signals.emplace();
    check_output(arguments.out);
    c->out = std::make_unique<AtomicFile>(arguments.out);
  }
  c->model = c->opened.build();
  return [c] {
    const Evaluating evaluating(*c->model);
    return classify_pictures(*c);
  };
}

}  // namespace weft::tools
