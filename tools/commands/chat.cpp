#include <unistd.h>
#include <weft/layers/models/decoding/generation.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/values.h>
#include <weft/tools/writing/chat_turns.h>
#include <weft/tools/writing/written_text.h>
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
  ChatArguments arguments;
  WritingModel model;
  std::optional<ChatTurns> turns;
  Ids told;  ///< what the assistant is told first, which stays
  Ids ids;   ///< of all that was said behind it
  int64_t answers = 0;
};

/// Tokens of what is said that leave room for an answer.
int64_t room(const Chat& c) {
  const int64_t context = c.model.writer->context();
  return context - std::min(c.arguments.tokens, context / 2) - std::ssize(c.told);
}

/// The first turns go when the context would be full.
void forget(Chat& c) {
  bool forgotten = false;
  while (std::ssize(c.ids) > room(c)) {
    const auto next = std::find(c.ids.begin() + 1, c.ids.end(), c.turns->mark("user"));
    if (next == c.ids.end()) break;
    c.ids.erase(c.ids.begin(), next);
    forgotten = true;
  }
  if (forgotten && c.console.is_terminal())
    c.console.print("(the beginning of the conversation is forgotten)");
}

/// ValueError, and nothing is changed, for a text that the model cannot read.
void ask(Chat& c, const std::string& text) {
  Ids turn = c.turns->turn("user", text);
  turn.push_back(c.turns->mark("assistant"));
  if (std::ssize(turn) > room(c))
    fail<ValueError>("that has ", grouped(std::ssize(turn)), " tokens, and the model reads at most ",
                     grouped(std::max<int64_t>(0, room(c))), " beside its answer");
  c.ids.insert(c.ids.end(), turn.begin(), turn.end());
}

void answer(Chat& c) {
  forget(c);
  Ids read = c.told;
  read.insert(read.end(), c.ids.begin(), c.ids.end());
  const Ids& unsaid = c.turns->unsaid();
  WrittenText written(*c.model.tokenizer,
                      {.decoding = {.begins = true, .display = ::isatty(STDOUT_FILENO) == 1, .before = {}},
                       .silent = unsaid});
  const Ids said = generate(*c.model.writer, read,
                            {.tokens = c.arguments.tokens,
                             .sampling = c.arguments.sampling,
                             .seed = c.arguments.seed,
                             .samples = {static_cast<uint64_t>(c.answers++)},
                             .end_ids = unsaid},
                            [&](int64_t token) {
                              if (const std::string text = written.next(token); !text.empty())
                                write_out(text);
                              return true;
                            });
  write_out(written.rest() + "\n");
  std::ranges::copy_if(said, std::back_inserter(c.ids),
                       [&](int64_t id) { return !std::ranges::binary_search(unsaid, id); });
  c.ids.push_back(c.turns->end());
}

int converse(Chat& c) {
  const bool people = input_is_terminal();
  if (people) c.console.print("say something; an empty line begins anew, Ctrl-D ends");
  for (std::string line; next_line(line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) {
      c.ids.clear();
      c.answers = 0;
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
  c->model = WritingModel::open(
      arguments.model, arguments.last, [&](std::string_view line) { c->console.print(line); }, arguments.base,
      arguments.weights);
  c->turns = ChatTurns::of(c->model);
  if (!c->turns)
    fail_with<ValueError>(use_of(c->model.file, arguments.model), c->model.file.path,
                          ": was not trained to chat; ", program_name(),
                          " train --task chat --data FILE does. This one is used by:");
  if (!arguments.system.empty()) c->told = c->turns->turn("system", arguments.system);
  if (room(*c) < least_room)
    fail<ValueError>("--system: has ", c->told.size(), " tokens, of the ", c->model.writer->context(),
                     " that the model reads");
  return [c] { return converse(*c); };
}

}  // namespace weft::tools
