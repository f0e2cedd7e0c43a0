#include <weft/data/generators/dialogues.h>
#include <weft/data/generators/stories.h>
#include <weft/lib/base/advice.h>
#include <weft/lib/base/file.h>
#include <weft/lib/base/values.h>
#include <weft/train/files/run_folder.h>
#include <weft/train/show/console.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "commands.h"

namespace weft::tools {
namespace {

int work_stories(const StoriesArguments& arguments) {
  const Stories made = generate_stories(arguments.bytes, arguments.seed);
  write_file(arguments.out, made.text);

  const double rate = story_statistics().entropy_rate;
  const auto characters = static_cast<int64_t>(made.text.size());
  // What weft eval scores: the last tenth but for its first character.
  const int64_t first = characters * 9 / 10 + 1;
  const double nats = made.total_nats / static_cast<double>(characters);
  const double validation = made.nats_from(first) / static_cast<double>(characters - first);
  if (arguments.json) {
    write_out(nlohmann::ordered_json{{"bytes", characters},
                                     {"stories", made.stories},
                                     {"entropy_rate", rate},
                                     {"nats_per_character", nats},
                                     {"validation_nats_per_character", validation}}
                  .dump() +
              "\n");
    return 0;
  }
  write_out(str(arguments.out, ": ", grouped(made.stories), " stories, ", grouped(characters),
                " characters\nentropy rate of the grammar       ", fixed(rate, 6),
                " nats a character\n-log p of this text               ", fixed(nats, 6),
                " nats a character\n-log p of its validation split    ", fixed(validation, 6),
                " nats a character\n"));
  return 0;
}

std::string dialogue_line(const Dialogue& dialogue) {
  auto messages = nlohmann::ordered_json::array();
  for (const Dialogue::Turn& turn : dialogue.turns)
    messages.push_back({{"role", turn.role}, {"content", turn.text}});
  return nlohmann::ordered_json{{"messages", messages}}.dump() + "\n";
}

int work_dialogues(const StoriesArguments& arguments) {
  const Split split = arguments.split == "validation" ? Split::validation : Split::train;
  std::string text;
  int64_t dialogues = 0, answers = 0;
  while (arguments.count > 0 ? dialogues < arguments.count : std::ssize(text) < arguments.bytes) {
    const Dialogue dialogue = make_dialogue(split, arguments.seed, static_cast<uint64_t>(dialogues++));
    text += dialogue_line(dialogue);
    answers += std::ranges::count(dialogue.turns, "assistant", &Dialogue::Turn::role);
  }
  write_file(arguments.out, text);
  write_out(
      arguments.json
          ? nlohmann::ordered_json{{"bytes", text.size()}, {"dialogues", dialogues}, {"answers", answers}}
                    .dump() +
                "\n"
          : str(arguments.out, ": ", grouped(dialogues), " dialogues, ", grouped(answers), " answers, ",
                grouped(std::ssize(text)), " bytes\n"));
  return 0;
}

}  // namespace

Work prepare_stories(const StoriesArguments& arguments) {
  const bool dialogues = arguments.kind == "dialogues";
  if (!dialogues && arguments.kind != "stories")
    fail<ValueError>("--kind: '", arguments.kind, "' is neither stories nor dialogues");
  if (!dialogues && arguments.count > 0)
    fail<ValueError>("--count: goes with --kind dialogues; of stories, --bytes");
  if (!dialogues && !arguments.split.empty()) fail<ValueError>("--split: goes with --kind dialogues");
  if (!arguments.split.empty() && arguments.split != "train" && arguments.split != "validation")
    fail<ValueError>("--split: '", arguments.split, "' is neither train nor validation");
  if (arguments.bytes > 0 && arguments.count > 0)
    fail<ValueError>("--bytes, --count: one of them says how much");
  if (arguments.bytes == 0 && arguments.count == 0)
    fail_with<ValueError>({.more = {"--bytes", "1000000"}},
                          dialogues ? "--bytes or --count is required" : "--bytes is required");
  check_output(arguments.out);
  return [arguments, dialogues] { return dialogues ? work_dialogues(arguments) : work_stories(arguments); };
}

}  // namespace weft::tools
