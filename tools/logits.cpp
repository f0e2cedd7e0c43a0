#include <weft/layers/models/model.h>
#include <weft/lib/error.h>
#include <weft/lib/file.h>
#include <weft/lib/npy.h>

#include <memory>

#include "commands.h"
#include "console.h"
#include "model_file.h"
#include "values.h"

namespace weft::tools {
namespace {

Array row_of(const std::vector<int64_t>& ids) {
  return Array::from(ids, {1, static_cast<int64_t>(ids.size())});
}

/// What the decoder is to read, as the targets that make it read that: they follow the start token.
Array targets_of(const GenerativeModel& model, const std::vector<int64_t>& read) {
  if (read[0] != model.start_id())
    fail<ValueError>("--target-ids: begins with ", read[0], ", not with the start token ", model.start_id());
  std::vector<int64_t> targets(read.begin() + 1, read.end());
  targets.push_back(model.start_id());  // is not read any more
  return row_of(targets);
}

Batch batch_of_image(const Model& model, const LogitsArguments& a) {
  if (!a.ids.empty() || !a.target_ids.empty())
    fail<ValueError>("--image: a ", model.kind(), " reads a picture and nothing else");
  const Array image = read_npy(a.image);
  if (image.dtype() != float32 || image.rank() != 3)
    fail<ValueError>(a.image, ": holds ", image.shape(), " ", image.dtype(),
                     "; a picture is float32 (channels, height, width)");
  return {image.reshape(image.shape().inserted(0, 1)), {}};
}

Batch batch_of_ids(const Model& model, const LogitsArguments& a) {
  const int64_t vocab_size = model.config_state().integer("vocab_size");
  if (a.ids.empty()) fail<ValueError>("--ids: is needed: a ", model.kind(), " reads ids");
  Batch batch{row_of(parse_ids("--ids", a.ids, vocab_size)), {}};
  const auto* const generative = dynamic_cast<const GenerativeModel*>(&model);
  const bool answers = generative && generative->has_encoder();
  if (answers && a.target_ids.empty())
    fail<ValueError>("--target-ids: is needed: a ", model.kind(),
                     " tells what follows them, the start token ", generative->start_id(), " first");
  if (!answers && !a.target_ids.empty())
    fail<ValueError>("--target-ids: a ", model.kind(), " has no decoder that reads them");
  if (answers) batch.targets = targets_of(*generative, parse_ids("--target-ids", a.target_ids, vocab_size));
  return batch;
}

}  // namespace

Work prepare_logits(const LogitsArguments& arguments) {
  Console console;
  const ModelFile file =
      open_model(arguments.model, arguments.last, [&](std::string_view line) { console.print(line); });
  const std::shared_ptr<Model> model = file.checkpoint.build_model();
  const bool sees = !model->config_state().contains("vocab_size");
  if (sees && arguments.image.empty())
    fail<ValueError>("--image: is needed: a ", model->kind(), " reads a picture");
  if (!sees && !arguments.image.empty())
    fail<ValueError>("--image: a ", model->kind(), " reads --ids, not a picture");
  const Batch batch = sees ? batch_of_image(*model, arguments) : batch_of_ids(*model, arguments);
  const AtomicFile writable(arguments.out);
  return [=] {
    const NoGrad no_grad;
    const Array logits = model->logits(batch).value();
    write_npy(arguments.out, logits.reshape(logits.shape().without(0)).to(float32));
    return 0;
  };
}

}  // namespace weft::tools
