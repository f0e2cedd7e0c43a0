#include <doctest/doctest.h>
#include <weft/data/tokenizers/step.h>

#include "checks.h"

namespace weft {

using test::refuses;

TEST_CASE("steps: what they say is read once and all of it, and kept in a state") {
  const TokenizerStep step{
      .type = "Strip", .texts = {{"content", " "}}, .numbers = {{"start", 2}, {"loud", 1}}};
  StepReader reader(step, "decoder");
  CHECK(reader.text("content") == " ");
  CHECK(reader.number("start", 0) == 2);
  CHECK(reader.number("stop", 7) == 7);
  CHECK(reader.text("other", "x") == "x");
  refuses<ValueError>([&] { reader.finish(); }, {"decoder Strip", "setting loud"});
  CHECK(reader.flag("loud", false));
  reader.finish();
  refuses<ValueError>([&] { reader.text("missing"); }, {"decoder Strip", "missing"});
  const std::vector<TokenizerStep> steps = {step, {.type = "Fuse"}};
  CHECK(steps_of(state_of(steps)) == steps);
  CHECK(steps_of(state_of({})).empty());
}

}  // namespace weft
