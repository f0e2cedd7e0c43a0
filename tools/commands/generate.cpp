#include <unistd.h>
#include <weft/data/text/foreign_file.h>
#include <weft/data/text/tokenizer_registry.h>
#include <weft/layers/models/decoding/generation.h>
#include <weft/lib/base/advice.h>
#include <weft/lib/base/file.h>
#include <weft/lib/base/join.h>
#include <weft/lib/base/values.h>
#include <weft/tools/writing/writing_model.h>
#include <weft/tools/writing/written_text.h>
#include <weft/train/show/console.h>

#include <algorithm>
#include <map>
#include <memory>
#include <ranges>
#include <span>
#include <string_view>

#include "commands.h"
#include "model_input.h"

namespace weft::tools {
namespace {

using Ids = std::vector<int64_t>;

/// Rows that are written together: what each says does not depend on it.
constexpr int64_t prompts_together = 64;

struct Prompt {
  std::string text;  ///< empty where ids are all there is
  Ids ids;
};

struct Writer {
  Console console;
  GenerateArguments arguments;
  WritingModel model = {};
  std::map<Ids, uint64_t> asked = {};  ///< how often each prompt was

  bool answers() const { return model.answers(); }
  GenerateOptions options(std::vector<uint64_t> samples) const {
    return {.tokens = arguments.tokens,
            .sampling = arguments.sampling,
            .seed = arguments.seed,
            .samples = std::move(samples),
            .end_ids = model.end_ids};
  }
  /// What is written of the tokens of one text, as they come; `before`: what goes before them.
  WrittenText written(std::string_view before) const {
    return {*model.tokenizer,
            {.decoding = {.begins = answers(),
                          .display = ::isatty(STDOUT_FILENO) == 1,
                          .before = answers() ? std::string_view() : before},
             .silent = model.end_ids,
             .stop = arguments.stop}};
  }
};

void check_arguments(const GenerateArguments& a) {
  a.sampling.check();
  const int given = a.prompt.has_value() + !a.ids.empty() + !a.prompts.empty() + a.interactive;
  if (given > 1)
    fail<ValueError>("--prompt, --ids, --prompts and --interactive each say what is read; give one of them");
  if (a.interactive && a.beams > 0)
    fail<ValueError>(
        "--interactive: writes as tokens come, but beams are known at the end; leave out --beams");
  const GenerateArguments plain;
  if (a.beams > 0 && (a.sampling != plain.sampling || a.seed != plain.seed))
    fail<ValueError>(
        "--beams: searches for the likeliest text and draws nothing; leave out --temperature, --top-k, "
        "--top-p, "
        "--min-p, --repetition-penalty and --seed");
  if (a.beams > 0 && a.samples > a.beams)
    fail<ValueError>("--samples ", a.samples, ": a search with ", a.beams, " beams finds ", a.beams,
                     " texts at most; give more --beams");
  for (const std::string& stop : a.stop)
    if (stop.empty()) fail<ValueError>("--stop: is empty");
  if (!a.stop.empty() && !a.ids.empty()) fail<ValueError>("--stop: is text, which --ids goes without");
}

std::string text_of(const Writer& w, std::string_view before, const Ids& ids) {
  WrittenText written = w.written(before);
  std::string text;
  for (const int64_t id : ids) {
    text += written.next(id);
    if (written.stops()) break;
  }
  return text + written.rest();
}

/// A text drawn for each row, the next sample of its prompt.
std::vector<std::vector<Ids>> drawn(Writer& w, const std::vector<Ids>& rows) {
  std::vector<uint64_t> samples;
  for (const Ids& row : rows) samples.push_back(w.asked[row]++);
  std::vector<WrittenText> written;
  for (size_t row = 0; !w.arguments.stop.empty() && row < rows.size(); ++row)
    written.push_back(w.written(""));
  const auto goes_on = [&](int64_t row, int64_t token) {
    if (written.empty()) return true;
    written[static_cast<size_t>(row)].next(token);
    return !written[static_cast<size_t>(row)].stops();
  };
  std::vector<std::vector<Ids>> texts;
  for (Ids& text : generate_batch(*w.model.writer, rows, w.options(std::move(samples)), goes_on))
    texts.push_back({std::move(text)});
  return texts;
}

/// The best texts that a search finds for each row.
std::vector<std::vector<Ids>> searched(const Writer& w, const std::vector<Ids>& rows) {
  std::vector<std::vector<Ids>> texts;
  for (const std::vector<Hypothesis>& found : beam_search(*w.model.writer, rows,
                                                          {.beams = w.arguments.beams,
                                                          .tokens = w.arguments.tokens,
                                                          .length_penalty = w.arguments.length_penalty,
                                                          .end_ids = w.model.end_ids})) {
    texts.emplace_back();
    for (const Hypothesis& one : found | std::views::take(w.arguments.samples))
      texts.back().push_back(one.tokens);
  }
  return texts;
}

/// Hands over what is written for each prompt, its samples one after another.
template <class Each>
void continue_each(Writer& w, const std::vector<Prompt>& prompts, Each each) {
  const int64_t beams = w.arguments.beams;
  std::vector<const Prompt*> rows;
  for (const Prompt& prompt : prompts)
    rows.insert(rows.end(), static_cast<size_t>(beams > 0 ? 1 : w.arguments.samples), &prompt);
  const auto most = static_cast<size_t>(std::max<int64_t>(1, prompts_together / std::max<int64_t>(1, beams)));
  for (size_t first = 0; first < rows.size(); first += most) {
    const std::span some = std::span(rows).subspan(first, std::min(most, rows.size() - first));
    std::vector<Ids> ids;
    for (const Prompt* const row : some) ids.push_back(row->ids);
    const std::vector<std::vector<Ids>> texts = beams > 0 ? searched(w, ids) : drawn(w, ids);
    for (size_t i = 0; i < some.size(); ++i)
      for (const Ids& text : texts[i]) each(*some[i], text);
  }
}

void note_length(Writer& w, const Ids& ids) {
  const auto size = static_cast<int64_t>(ids.size());
  if (!w.answers() && size > w.model.writer->context())
    w.console.print(str("weft: the prompt has ", grouped(size), " tokens; the model reads the last ",
                        w.model.writer->context(), " of them"));
}

/// Writes as tokens come.
void stream(Writer& w, const Prompt& prompt) {
  if (!w.answers()) write_out(prompt.text);
  WrittenText written = w.written(prompt.text);
  generate(*w.model.writer, prompt.ids, w.options({w.asked[prompt.ids]++}), [&](int64_t token) {
    if (const std::string text = written.next(token); !text.empty()) write_out(text);
    return !written.stops();
  });
  if (const std::string rest = written.rest(); !rest.empty()) write_out(rest);
}

std::string whole_text(const Writer& w, const Prompt& prompt, const Ids& added) {
  return (w.answers() ? "" : prompt.text) + text_of(w, prompt.text, added);
}

/// One text, or several with lines of --- between them.
void write_one(Writer& w, const Prompt& prompt) {
  note_length(w, prompt.ids);
  if (w.arguments.samples == 1 && w.arguments.beams == 0) return stream(w, prompt);
  bool first = true;
  continue_each(w, {prompt}, [&](const Prompt&, const Ids& added) {
    write_out((first ? "" : "\n---\n") + whole_text(w, prompt, added));
    first = false;
  });
}

/// A line for each text.
int write_lines(Writer& w, const std::vector<Prompt>& prompts) {
  continue_each(w, prompts, [&](const Prompt& prompt, const Ids& added) {
    write_out(whole_text(w, prompt, added) + "\n");
  });
  return 0;
}

int write_ids(Writer& w, const Prompt& prompt) {
  note_length(w, prompt.ids);
  continue_each(w, {prompt}, [&](const Prompt&, const Ids& added) {
    Ids all = w.answers() ? Ids() : prompt.ids;
    all.insert(all.end(), added.begin(), added.end());
    write_out(joined(all, ",") + "\n");
  });
  return 0;
}

int converse(Writer& w) {
  w.console.print("a line is read and answered; end with Ctrl-D");
  for (std::string line; next_line(line);) {
    line = as_trained(w.model.file.checkpoint.model, std::move(line));
    try {
      if (!line.empty()) write_one(w, {line, w.model.encoded("line", line)});
    } catch (const ValueError& error) {
      w.console.print(error.what());
      continue;
    }
    write_out("\n");
  }
  return 0;
}

std::vector<std::string> lines_of(const Writer& w, const std::string& path) {
  std::vector<std::string> lines;
  const std::string text = read_text(path);
  if (const auto foreign = foreign_file(text, path);
      foreign && tokenizers().at(w.model.tokenizer->kind()).utf8)
    fail<ValueError>(foreign->message(path));
  for (const auto part : std::views::split(as_trained(w.model.file.checkpoint.model, text), '\n'))
    lines.emplace_back(part.begin(), part.end());
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  if (lines.empty()) fail<ValueError>(path, ": is empty; needs a prompt a line");
  return lines;
}

}  // namespace

Work prepare_generate(const GenerateArguments& arguments) {
  check_arguments(arguments);
  auto w = std::make_shared<Writer>();
  w->arguments = arguments;
  w->model = WritingModel::open(
      arguments.model, arguments.last, [&](std::string_view line) { w->console.print(line); }, arguments.base,
      arguments.weights);
  const WritingModel& model = w->model;
  model.check_writes();
  if (!arguments.ids.empty()) {
    const Prompt prompt{"", parse_ids("--ids", arguments.ids, model.writer->vocab_size())};
    return [=] { return write_ids(*w, prompt); };
  }
  if (!model.tokenizer) fail<ValueError>(model.file.path, ": has no tokenizer; give --ids instead of text");
  if (arguments.interactive) return [=] { return converse(*w); };
  if (!arguments.prompts.empty()) {
    std::vector<Prompt> prompts;
    for (const std::string& line : lines_of(*w, arguments.prompts))
      prompts.push_back(
          {line, model.encoded(str(arguments.prompts, ":", prompts.size() + 1), line, arguments.prompts)});
    return [=] { return write_lines(*w, prompts); };
  }
  if (w->answers() && !arguments.prompt)
    fail_with<ValueError>({.more = {"--prompt", "TEXT"}}, "--prompt: is needed: a ", model.model->kind(),
                          " answers what it reads");
  const std::string text =
      as_trained(model.file.checkpoint.model, arguments.prompt.value_or(default_prompt(*model.tokenizer)));
  const Prompt prompt{text, model.encoded("--prompt", text)};
  return [=] {
    write_one(*w, prompt);
    if (w->answers() || arguments.samples > 1) write_out("\n");
    return 0;
  };
}

}  // namespace weft::tools
