#include <unistd.h>
#include <weft/data/tasks/table_task.h>
#include <weft/data/text/streaming_decoder.h>
#include <weft/layers/models/decoding/generation.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/values.h>
#include <weft/train/files/opened_model.h>
#include <weft/train/show/console.h>

#include <algorithm>
#include <iterator>

#include "commands.h"
#include "model_input.h"
#include "model_use.h"

namespace weft::tools {
namespace {

using Ids = std::vector<int64_t>;

/// <|user|>, a token, its end and <|assistant|>.
constexpr int64_t least_room = 4;

struct Chat {
  Console console;
  OpenedModel opened;
  ChatArguments arguments;
  std::unique_ptr<Model> model;
  const GenerativeModel* writer = nullptr;
  std::map<std::string, int64_t> marks;
  SpecialIds special;
  Ids unsaid;  ///< special tokens, in rising order: none of what is said
  Ids told;    ///< what the assistant is told first, which stays
  Ids ids;     ///< of all that was said behind it
  int64_t turns = 0;

  const ModelFile& file() const { return opened.checkpoint.model; }
};

Ids turn_of(const Chat& c, const std::string& role, const std::string& text) {
  Ids turn{c.marks.at(str("<|", role, "|>"))};
  const Ids said = ids_of_text(c.file(), role, text, "");
  turn.insert(turn.end(), said.begin(), said.end());
  turn.push_back(c.special.end);
  return turn;
}

/// Tokens of what is said that leave room for an answer.
int64_t room(const Chat& c) {
  return c.writer->context() - std::min(c.arguments.tokens, c.writer->context() / 2) - std::ssize(c.told);
}

/// The first turns go when the context would be full.
void forget(Chat& c) {
  bool forgotten = false;
  while (std::ssize(c.ids) > room(c)) {
    const auto next = std::find(c.ids.begin() + 1, c.ids.end(), c.marks.at("<|user|>"));
    if (next == c.ids.end()) break;
    c.ids.erase(c.ids.begin(), next);
    forgotten = true;
  }
  if (forgotten && c.console.is_terminal())
    c.console.print("(the beginning of the conversation is forgotten)");
}

/// ValueError, and nothing is changed, for a text that the model cannot read.
void ask(Chat& c, const std::string& text) {
  Ids turn = turn_of(c, "user", text);
  turn.push_back(c.marks.at("<|assistant|>"));
  if (std::ssize(turn) > room(c))
    fail<ValueError>("that has ", grouped(std::ssize(turn)), " tokens, and the model reads at most ",
                     grouped(std::max<int64_t>(0, room(c))), " beside its answer");
  c.ids.insert(c.ids.end(), turn.begin(), turn.end());
}

void answer(Chat& c) {
  forget(c);
  Ids read = c.told;
  read.insert(read.end(), c.ids.begin(), c.ids.end());
  StreamingDecoder decoder(*c.file().tokenizer,
                           {.begins = true, .display = ::isatty(STDOUT_FILENO) == 1, .before = {}});
  const Ids said = generate(*c.writer, read,
                            {.tokens = c.arguments.tokens,
                             .sampling = c.arguments.sampling,
                             .seed = c.arguments.seed,
                             .samples = {static_cast<uint64_t>(c.turns++)},
                             .end_ids = c.unsaid},  // a mark begins what somebody else says
                            [&](int64_t token) {
                              if (!std::ranges::binary_search(c.unsaid, token))
                                if (const std::string text = decoder.next(token); !text.empty())
                                  write_out(text);
                              return true;
                            });
  write_out(decoder.rest() + "\n");
  std::ranges::copy_if(said, std::back_inserter(c.ids),
                       [&](int64_t id) { return !std::ranges::binary_search(c.unsaid, id); });
  c.ids.push_back(c.special.end);
}

int converse(Chat& c) {
  const bool people = input_is_terminal();
  if (people) c.console.print("say something; an empty line begins anew, Ctrl-D ends");
  for (std::string line; next_line(line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) {
      c.ids.clear();
      c.turns = 0;
      if (people) c.console.print("(a new conversation)");
      continue;
    }
    try {
      ask(c, line);
    } catch (const ValueError& error) {
      c.console.print(error.what());
      continue;
    }
    answer(c);
  }
  return 0;
}

}  // namespace

Work prepare_chat(const ChatArguments& arguments) {
  arguments.sampling.check();
  auto c = std::make_shared<Chat>();
  c->arguments = arguments;
  c->opened =
      open_model(arguments.model, arguments.last, [&](std::string_view line) { c->console.print(line); });
  c->model = c->opened.build();
  c->writer = as_writer(*c->model);
  const Tokenizer* const tokenizer = c->file().tokenizer.get();
  if (tokenizer) {
    c->marks = tokenizer->special_tokens();
    c->special = SpecialIds::of(*tokenizer);
    c->unsaid = special_ids(*tokenizer);
  }
  if (!c->writer || c->writer->has_encoder() || c->special.end < 0 ||
      std::ranges::any_of(table_form("chat").special, [&](const std::string& name) {
        return name.starts_with("<|") && !c->marks.contains(name);
      }))
    fail_with<ValueError>(use_of(c->opened, arguments.model), c->opened.path, ": was not trained to chat; ",
                          program_name(), " train --task chat --data FILE does. This one is used by:");
  if (!arguments.system.empty()) c->told = turn_of(*c, "system", arguments.system);
  if (room(*c) < least_room)
    fail<ValueError>("--system: has ", c->told.size(), " tokens, of the ", c->writer->context(),
                     " that the model reads");
  return [c] { return converse(*c); };
}

}  // namespace weft::tools
