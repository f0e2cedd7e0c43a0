#include "sample.h"

#include <weft/layers/models/decoding/generation.h>
#include <weft/lib/base/error.h>

#include <string>

#include "evaluate.h"
#include "model_file.h"
#include "scoring.h"

namespace weft {
namespace {

/// Characters that would steer the terminal are shown as dots.
std::string printable(std::string text) {
  for (char& c : text)
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7f) c = '.';
  return text;
}

void print_answer(Session& s) {
  const TaskDataset& task = *s.task.generated;
  const Batch batch = task.batch(s.step, 1);
  s.console.print(str("---\n", task.input_text(batch, 0), "\n-> ", task.target_text(batch, 0), "\n=> ",
                      answer_of(*s.model, task, batch, 0), "\n---"));
}

}  // namespace

void print_sample(Session& s) {
  const Averaged averaged(s);
  if (s.task.generated && s.config.sample_tokens > 0) return print_answer(s);
  const auto* const model = dynamic_cast<const GenerativeModel*>(s.model.get());
  if (s.config.sample_tokens == 0 || s.task.kind != TaskKind::language || !model) return;
  const Evaluating evaluating(*s.model);
  const Tokenizer& tokenizer = *s.task.tokenizer;
  const auto ids = generate(*model, tokenizer.encode(default_prompt(tokenizer)),
                            {.tokens = s.config.sample_tokens, .seed = static_cast<uint64_t>(s.config.seed)},
                            [](int64_t) { return StopSignals::received() == 0; });
  s.console.print(str("---\n", printable(tokenizer.decode(ids)), "\n---"));
}

}  // namespace weft
