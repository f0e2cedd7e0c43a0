#include <weft/data/text/streaming_decoder.h>
#include <weft/layers/models/decoding/generation.h>
#include <weft/lib/base/error.h>
#include <weft/train/evaluate.h>
#include <weft/train/files/opened_model.h>
#include <weft/train/scoring.h>
#include <weft/train/show/sample.h>
#include <weft/train/signals.h>

namespace weft {
namespace {

/// Characters that would steer the terminal are shown as dots.
std::string printable(std::string text) {
  for (char& c : text)
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7f) c = '.';
  return text;
}

}  // namespace

std::string sample_text(Model& model, const TaskData& task, const SampleOptions& options) {
  if (options.tokens == 0) return "";
  if (task.held_out) {
    const TaskDataset& asked = *task.held_out;
    const Batch batch = asked.batch(options.number % asked.samples_per_epoch(), 1);
    return str(printable(asked.input_text(batch, 0)), "\n-> ", printable(asked.target_text(batch, 0)),
               "\n=> ", printable(answer_of(model, asked, batch, 0)));
  }
  const GenerativeModel* const writer = as_writer(model);
  if (task.shape.kind != TaskKind::language || !writer || !task.tokenizer) return "";
  const Evaluating evaluating(model);
  const Tokenizer& tokenizer = *task.tokenizer;
  const auto ids = generate(*writer, tokenizer.encode(default_prompt(tokenizer)),
                            {.tokens = options.tokens, .seed = options.seed},
                            [](int64_t) { return StopSignals::received() == 0; });
  return printable(decode_whole(tokenizer, ids, {.display = true}));
}

}  // namespace weft
