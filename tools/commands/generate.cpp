#include <weft/data/text/foreign_file.h>
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

/// Ids as text, as they come.
class Decoder {
 public:
  Decoder(const Writer& w, bool begins) : w_(w), begins_(begins) {}
  std::string operator()(int64_t id) {
    if (std::ranges::count(w_.end_ids, id) > 0) return "";
    std::string piece = w_.tokenizer->decode(id);
    if (begins_ && piece.starts_with(' ') && w_.tokenizer->kind() == std::string_view("word"))
      piece.erase(0, 1);
    begins_ = false;
    written_ += piece;
    return piece;
  }
  /// Whether what was written ends with a word that ends it.
  bool stops() const {
    return std::ranges::any_of(w_.arguments.stop,
                               [&](const std::string& stop) { return written_.ends_with(stop); });
  }
  const std::string& text() const { return written_; }

 private:
  const Writer& w_;
  bool begins_;
  std::string written_;
};

std::string text_of(const Writer& w, const Ids& ids) {
  Decoder decoder(w, w.answers());
  for (const int64_t id : ids) {
    decoder(id);
    if (decoder.stops()) break;
  }
  return decoder.text();
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
  std::vector<Decoder> decoders(w.tokenizer ? prompts.size() : 0, Decoder(w, w.answers()));
  return generate_batch(*w.generative, prompts, w.options(), [&](int64_t row, int64_t token) {
    if (w.arguments.stop.empty()) return true;
    Decoder& decoder = decoders[static_cast<size_t>(row)];
    decoder(token);
    return !decoder.stops();
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
  if (w.arguments.beams > 0) return write_out(text_of(w, continued(w, {ids})[0]));
  Decoder decoder(w, w.answers());
  generate(*w.generative, ids, w.options(), [&](int64_t token) {
    write_out(decoder(token));
    return !decoder.stops();
  });
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
    write_out(str(w.answers() ? "" : texts[i], text_of(w, rows[i]), "\n"));
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
