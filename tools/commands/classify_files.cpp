#include <weft/layers/models/registry.h>
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
#include "files_shown.h"

namespace weft::tools {
namespace {

/// Files that are looked at together.
constexpr int64_t files_together = 64;

struct FileClassifier {
  Console console;
  OpenedModel opened;
  ClassifyArguments arguments;
  FilesShown shown;
  std::shared_ptr<Model> model;
  std::unique_ptr<AtomicFile> out;
  std::optional<StopSignals> signals;  ///< with `out`, of which else something would stay

  const ModelFile& file() const { return opened.checkpoint.model; }
  bool as_table() const { return !arguments.data.empty(); }
};

int classify(FileClassifier& c) {
  const auto write = [&](const std::string& line) { c.out ? c.out->write(line) : write_out(line); };
  const std::vector<std::string>& names = c.file().class_names;
  if (c.as_table()) write(table_header("file", names));
  for (int64_t first = 0; first < c.shown.size; first += files_together) {
    const int64_t count = std::min(files_together, c.shown.size - first);
    const auto found = class_probabilities(c.model->logits(c.shown.batch(first, count)).value());
    for (int64_t i = 0; i < count; ++i) {
      const std::string name = c.shown.describe(first + i);
      const std::vector<double>& p = found[static_cast<size_t>(i)];
      write(c.as_table() ? table_row(name, names, p) : str(name, "  ", ranked_line(names, p)));
    }
    if (const int signal = StopSignals::received()) throw Stopped{signal};
    c.console.renew(str("classified: ", grouped(first + count)));
  }
  c.console.clear();
  for (const std::string& note : c.shown.notes) c.console.print(note);
  if (c.out) {
    c.out->commit();
    c.console.print(str(c.arguments.out, ": ", grouped(c.shown.size), " ", c.shown.what));
  }
  return 0;
}

}  // namespace

Work prepare_file_classify(OpenedModel opened, const ClassifyArguments& arguments) {
  auto c = std::make_shared<FileClassifier>();
  c->opened = std::move(opened);
  c->arguments = arguments;
  const ModelFile& file = c->file();
  const bool sees = models().at(file.kind).takes(TaskKind::pictures);
  const char* const what = sees ? "pictures" : "sounds";
  if (file.settings.contains("segmentation") && file.settings.integer("segmentation") != 0)
    fail<ValueError>(c->opened.path, ": tells the class of each patch, not of pictures; ", program_name(),
                     " logits RUN --image FILE writes what it says, ", program_name(),
                     " eval RUN --data scores it");
  if (file.class_names.empty())
    fail<ValueError>(c->opened.path, ": tells no classes of ", what, " by name; ", program_name(),
                     " train --model ", sees ? "vit" : "speech",
                     " --task classify --data FOLDER makes a model that does");
  if (arguments.data.empty() == arguments.texts.empty())
    fail<ValueError>("classify: give --data FOLDER or FILE, or ", what, " behind the model");
  if (arguments.data.empty() && (!arguments.out.empty() || !arguments.set.empty()))
    fail<ValueError>("--out and --set: go with --data");
  const std::vector<std::string>& paths = arguments.data.empty() ? arguments.texts : arguments.data;
  c->shown = files_shown(file, paths, arguments.set);  // what is none is refused before anything is written
  if (!arguments.out.empty()) {
    c->signals.emplace();
    check_output(arguments.out);
    c->out = std::make_unique<AtomicFile>(arguments.out);
  }
  c->model = c->opened.build();
  return [c] {
    const Evaluating evaluating(*c->model);
    return classify(*c);
  };
}

}  // namespace weft::tools
