#include <weft/lib/base/advice.h>
#include <weft/tools/commands/built_model.h>
#include <weft/tools/commands/model_input.h>
#include <weft/tools/commands/model_use.h>
#include <weft/tools/writing/writing_model.h>
#include <weft/train/show/console.h>

namespace weft::tools {

std::vector<int64_t> WritingModel::encoded(const std::string& name, const std::string& text,
                                           const std::string& in_file) const {
  if (text.empty())
    fail_with<ValueError>({.typed = {name, ""}}, name,
                          ": is empty; give at least one character, or leave it out");
  std::vector<int64_t> ids = ids_of_text(file.checkpoint.model, name, text, in_file);
  // As the sequences that it was trained to answer end.
  if (answers() && !end_ids.empty()) ids.push_back(end_ids[0]);
  return ids;
}

WritingModel WritingModel::open(const std::string& run_or_file, bool last, const Say& say,
                                const std::string& base, const std::string& weights) {
  WritingModel opened;
  opened.file = open_model(run_or_file, last, say, base);
  opened.tokenizer = opened.file.checkpoint.model.tokenizer;
  opened.model = built_model(opened.file, weights);
  opened.writer = as_writer(*opened.model);
  opened.end_ids = opened.file.checkpoint.model.end_ids;
  return opened;
}

void WritingModel::check_writes() const {
  refuse_sounds(file);
  if (!writer)
    fail_with<ValueError>(use_of(file, file.run ? file.run->path : file.path), file.path, ": is a ",
                          model->kind(), ", which does not write. It is used by:");
}

}  // namespace weft::tools
