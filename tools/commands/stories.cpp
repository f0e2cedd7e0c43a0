#include <weft/data/generators/stories.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>
#include <weft/lib/base/values.h>
#include <weft/train/files/run_folder.h>
#include <weft/train/show/console.h>

#include <nlohmann/json.hpp>

#include "commands.h"

namespace weft::tools {
namespace {

int work(const StoriesArguments& arguments) {
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

}  // namespace

Work prepare_stories(const StoriesArguments& arguments) {
  check_output(arguments.out);
  return [arguments] { return work(arguments); };
}

}  // namespace weft::tools
