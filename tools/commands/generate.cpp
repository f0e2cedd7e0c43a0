#include <unistd.h>
#include <weft/data/text/foreign_file.h>
#include <weft/data/text/streaming_decoder.h>
#include <weft/data/text/tokenizer_registry.h>
#include <weft/layers/models/decoding/generation.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>
#include <weft/lib/base/values.h>
#include <weft/train/files/opened_model.h>
#include <weft/train/show/console.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <ranges>
#include <string_view>

#include "commands.h"
#include "model_input.h"

namespace weft::tools {
namespace {

using Ids = std::vector<int64_t>;

struct Writer {
  Console console;
  GenerateArguments arguments;
  OpenedModel file;
  std::shared_ptr<const Tokenizer> tokenizer;
  std::unique_ptr<Model> model;
  const GenerativeModel* generative = nullptr;
  Ids end_ids;

  bool answers() const { return generative->has_encoder(); }
  GenerateOptions options() const {
    return {.tokens = arguments.tokens,
            .sampling = arguments.sampling,
            .seed = arguments.seed,
            .end_ids = end_ids};
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
  for (const std::string& stop : a.stop)
    if (stop.empty()) fail<ValueError>("--stop: is empty");
  if (!a.stop.empty() && !a.ids.empty()) fail<ValueError>("--stop: is text, which --ids goes without");
}

Ids encoded(const Writer& w, const std::string& name, const std::string& text, const std::string& file = {}) {
  if (text.empty()) fail<ValueError>(name, ": is empty; give at least one character");
  Ids ids = ids_of_text(w.file.checkpoint.model, name, text, file);
  // As the sequences that it was trained to answer end.
  if (w.answers() && !w.end_ids.empty()) ids.push_back(w.end_ids[0]);
  return ids;
}

/// What is written of the tokens of one text, as they come.
class Written {
 public:
  /// `before`: what goes before them.
  Written(const Writer& w, std::string_view before)
      : w_(&w),
        decoder_(*w.tokenizer, {.begins = w.answers(),
                                .display = ::isatty(STDOUT_FILENO) == 1,
                                .before = w.answers() ? std::string_view() : before}) {}
  std::string operator()(int64_t id) {
    return std::ranges::count(w_->end_ids, id) > 0 ? "" : decoder_.next(id);
  }
  std::string rest() const { return decoder_.rest(); }
  /// Whether they end with a text that ends them.
  bool stops() const {
    return std::ranges::any_of(w_->arguments.stop,
                               [&](const std::string& stop) { return decoder_.bytes().ends_with(stop); });
  }

 private:
  const Writer* w_;
  StreamingDecoder decoder_;
};

std::string text_of(const Writer& w, std::string_view before, const Ids& ids) {
  Written written(w, before);
  std::string text;
  for (const int64_t id : ids) {
    text += written(id);
    if (written.stops()) break;
  }
  return text + written.rest();
}

/// Best texts of a search, or texts drawn, for all prompts at once.
std::vector<Ids> continued(const Writer& w, const std::vector<Ids>& prompts) {
  if (w.arguments.beams > 0) {
    std::vector<Ids> best;
    for (const auto& found : beam_search(*w.generative, prompts,
                                         {.beams = w.arguments.beams,
                                         .tokens = w.arguments.tokens,
                                         .length_penalty = w.arguments.length_penalty,
                                         .end_ids = w.end_ids}))
      best.push_back(found.at(0).tokens);
    return best;
  }
  std::vector<Written> written;
  for (size_t row = 0; !w.arguments.stop.empty() && row < prompts.size(); ++row) written.emplace_back(w, "");
  return generate_batch(*w.generative, prompts, w.options(), [&](int64_t row, int64_t token) {
    if (written.empty()) return true;
    written[static_cast<size_t>(row)](token);
    return !written[static_cast<size_t>(row)].stops();
  });
}

void note_length(Writer& w, const Ids& ids) {
  const auto size = static_cast<int64_t>(ids.size());
  if (!w.answers() && size > w.generative->context())
    w.console.print(str("weft: the prompt has ", grouped(size), " tokens; the model reads the last ",
                        w.generative->context(), " of them"));
}

/// Writes as tokens come.
void stream(Writer& w, const std::string& prompt, const Ids& ids) {
  note_length(w, ids);
  if (!w.answers()) write_out(prompt);
  if (w.arguments.beams > 0) return write_out(text_of(w, prompt, continued(w, {ids})[0]));
  Written written(w, prompt);
  generate(*w.generative, ids, w.options(), [&](int64_t token) {
    if (const std::string text = written(token); !text.empty()) write_out(text);
    return !written.stops();
  });
  if (const std::string rest = written.rest(); !rest.empty()) write_out(rest);
}

int write_ids(Writer& w, const Ids& prompt) {
  note_length(w, prompt);
  Ids all = w.answers() ? Ids() : prompt;
  const Ids added = continued(w, {prompt})[0];
  all.insert(all.end(), added.begin(), added.end());
  std::string line;
  for (const int64_t id : all) line += str(line.empty() ? "" : ",", id);
  write_out(line + "\n");
  return 0;
}

int write_rows(Writer& w, const std::vector<std::string>& texts, const std::vector<Ids>& prompts) {
  const std::vector<Ids> rows = continued(w, prompts);
  for (size_t i = 0; i < rows.size(); ++i)
    write_out(str(w.answers() ? "" : texts[i], text_of(w, texts[i], rows[i]), "\n"));
  return 0;
}

int converse(Writer& w) {
  w.console.print("a line is read and answered; end with Ctrl-D");
  for (std::string line; std::getline(std::cin, line);) {
    line = as_trained(w.file.checkpoint.model, std::move(line));
    try {
      if (!line.empty()) stream(w, line, encoded(w, "line", line));
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
  if (const auto foreign = foreign_file(text, path); foreign && tokenizers().at(w.tokenizer->kind()).utf8)
    fail<ValueError>(foreign->message(path));
  for (const auto part : std::views::split(as_trained(w.file.checkpoint.model, text), '\n'))
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
  w->file =
      open_model(arguments.model, arguments.last, [&](std::string_view line) { w->console.print(line); });
  w->tokenizer = w->file.checkpoint.model.tokenizer;
  w->model = w->file.build();
  w->generative = dynamic_cast<const GenerativeModel*>(w->model.get());
  if (!w->generative)
    fail<ValueError>(w->file.path, ": is a ", w->model->kind(), ", which does not write; ", program_name(),
                     " eval and ", program_name(), " logits say what it knows");
  w->end_ids = w->file.checkpoint.model.end_ids;
  if (!arguments.ids.empty()) {
    const Ids ids = parse_ids("--ids", arguments.ids, w->generative->vocab_size());
    return [=] { return write_ids(*w, ids); };
  }
  if (!w->tokenizer) fail<ValueError>(w->file.path, ": has no tokenizer; give --ids instead of text");
  if (arguments.interactive) return [=] { return converse(*w); };
  if (!arguments.prompts.empty()) {
    const std::vector<std::string> texts = lines_of(*w, arguments.prompts);
    std::vector<Ids> prompts;
    for (size_t i = 0; i < texts.size(); ++i)
      prompts.push_back(encoded(*w, str(arguments.prompts, ":", i + 1), texts[i], arguments.prompts));
    return [=] { return write_rows(*w, texts, prompts); };
  }
  if (w->answers() && !arguments.prompt)
    fail<ValueError>("--prompt: is needed: a ", w->model->kind(), " answers what it reads");
  const std::string prompt =
      as_trained(w->file.checkpoint.model, arguments.prompt.value_or(default_prompt(*w->tokenizer)));
  const Ids ids = encoded(*w, "--prompt", prompt);
  return [=] {
    stream(*w, prompt, ids);
    if (w->answers()) write_out("\n");
    return 0;
  };
}

}  // namespace weft::tools
