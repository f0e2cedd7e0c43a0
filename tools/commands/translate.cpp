#include <weft/data/tasks/table_task.h>
#include <weft/data/text/streaming_decoder.h>
#include <weft/layers/models/decoding/generation.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/values.h>
#include <weft/train/files/opened_model.h>
#include <weft/train/show/console.h>

#include <algorithm>
#include <numeric>

#include "built_model.h"
#include "commands.h"
#include "model_input.h"
#include "model_use.h"

namespace weft::tools {
namespace {

/// Lines that are read before they are written, so that those of about one length go together; rows of a batch.
constexpr size_t ahead = 512, together = 64;

using Ids = std::vector<int64_t>;

struct Translator {
  Console console;
  OpenedModel opened;
  TranslateArguments arguments;
  std::unique_ptr<Model> model;
  const GenerativeModel* writer = nullptr;
  Ids unsaid;  ///< special tokens, in rising order: none of what is said

  const ModelFile& file() const { return opened.checkpoint.model; }
};

/// Without what ends and marks it, on one line.
std::string text_of(const Translator& t, const Ids& ids) {
  Ids said;
  for (const int64_t id : ids) {
    if (std::ranges::count(t.file().end_ids, id) > 0) break;
    if (!std::ranges::binary_search(t.unsaid, id)) said.push_back(id);
  }
  std::string text = decode_whole(*t.file().tokenizer, said, {.begins = true});
  std::ranges::replace(text, '\n', ' ');
  return text;
}

/// Tokens of an answer at most. Of the line alone, so that it has the answer that it has alone; and the same for lines of
/// about one length, so that they go together.
int64_t tokens_for(const Translator& t, const Ids& row) {
  if (t.arguments.tokens > 0) return t.arguments.tokens;
  const int64_t size = (std::ssize(row) + 7) / 8 * 8;
  return std::max<int64_t>(1, std::min<int64_t>(2 * size + 10, t.writer->context() - 1));
}

std::vector<Ids> written(const Translator& t, const std::vector<Ids>& rows) {
  const int64_t tokens = tokens_for(t, rows[0]);
  if (t.arguments.beams == 1)
    return generate_batch(*t.writer, rows,
                          {.tokens = tokens, .sampling = {.temperature = 0}, .end_ids = t.file().end_ids});
  std::vector<Ids> best;
  for (const std::vector<Hypothesis>& found : beam_search(*t.writer, rows,
                                                          {.beams = t.arguments.beams,
                                                          .tokens = tokens,
                                                          .length_penalty = t.arguments.length_penalty,
                                                          .end_ids = t.file().end_ids}))
    best.push_back(found.at(0).tokens);
  return best;
}

/// A line for each line.
void translate(const Translator& t, int64_t first, const std::vector<std::string>& lines) {
  std::vector<Ids> rows(lines.size());
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].empty()) continue;
    const std::string name = str("line ", first + static_cast<int64_t>(i));
    rows[i] = ids_of_text(t.file(), name, lines[i], "");
    rows[i].push_back(t.file().end_ids.at(0));
    if (std::ssize(rows[i]) > t.writer->context())
      fail<ValueError>(name, ": has ", rows[i].size(), " tokens, and the model reads at most ",
                       t.writer->context());
  }
  std::vector<size_t> order(lines.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, {}, [&](size_t i) { return rows[i].size(); });
  std::erase_if(order, [&](size_t i) { return rows[i].empty(); });
  std::vector<std::string> texts(lines.size());
  for (size_t begin = 0; begin < order.size();) {
    std::vector<Ids> some;
    size_t end = begin;
    for (; end < std::min(order.size(), begin + together); ++end) {
      if (end > begin && tokens_for(t, rows[order[end]]) != tokens_for(t, some[0])) break;
      some.push_back(rows[order[end]]);
    }
    const std::vector<Ids> answers = written(t, some);
    for (size_t i = begin; i < end; ++i) texts[order[i]] = text_of(t, answers[i - begin]);
    begin = end;
  }
  std::string all;
  for (const std::string& text : texts) all += text + "\n";
  write_out(all);
}

int work(Translator& t) {
  std::vector<std::string> lines;
  int64_t done = 0;
  const auto flush = [&] {
    translate(t, done + 1, lines);
    done += std::ssize(lines);
    lines.clear();
    t.console.renew(str("translated: ", grouped(done), " lines"));
  };
  const bool by_line = input_is_terminal();
  for (std::string line; next_line(line);) {
    if (line.ends_with('\r')) line.pop_back();
    lines.push_back(std::move(line));
    if (by_line || lines.size() == ahead) flush();
    line.clear();
  }
  if (!lines.empty()) flush();
  t.console.clear();
  return 0;
}

}  // namespace

Work prepare_translate(const TranslateArguments& arguments) {
  auto t = std::make_shared<Translator>();
  t->arguments = arguments;
  t->opened = open_model(
      arguments.model, arguments.last, [&](std::string_view line) { t->console.print(line); },
      arguments.base);
  if (arguments.beams == 1 && arguments.length_penalty != TranslateArguments().length_penalty)
    fail<ValueError>("--length-penalty: is of a search; --beams 1 makes none");
  refuse_sounds(t->opened);
  t->model = built_model(t->opened, arguments.weights);
  t->writer = as_writer(*t->model);
  if (!t->writer || !t->writer->has_encoder())
    fail_with<ValueError>(use_of(t->opened, arguments.model), t->opened.path, ": is a ", t->file().kind,
                          ", which does not answer a sequence with another. It is used by:");
  if (!t->file().tokenizer || t->file().end_ids.empty())
    fail<ValueError>(t->opened.path, ": has no tokenizer with an end of text; ", program_name(),
                     " generate --ids takes ids");
  t->unsaid = special_ids(*t->file().tokenizer);
  return [t] { return work(*t); };
}

}  // namespace weft::tools
