#include <weft/layers/models/model.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>
#include <weft/lib/base/values.h>
#include <weft/lib/files/npy.h>
#include <weft/train/files/opened_model.h>
#include <weft/train/show/console.h>

#include <memory>

#include "commands.h"
#include "model_input.h"

namespace weft::tools {
namespace {

Batch batch_of_image(const ModelFile& model, const LogitsArguments& a) {
  if (!a.ids.empty() || !a.target_ids.empty())
    fail<ValueError>("--image: a ", model.kind, " reads a picture and nothing else");
  return batch_of_picture(picture_for(model, a.image));
}

Batch batch_of_ids(const Model& model, const LogitsArguments& a) {
  const int64_t vocab_size = model.config_state().integer("vocab_size");
  if (a.ids.empty()) fail<ValueError>("--ids: is needed: a ", model.kind(), " reads ids");
  Batch batch{row_of(parse_ids("--ids", a.ids, vocab_size)), {}};
  const GenerativeModel* const generative = as_writer(model);
  const bool answers = generative && generative->has_encoder();
  if (answers && a.target_ids.empty())
    fail<ValueError>("--target-ids: is needed: a ", model.kind(),
                     " tells what follows them, the start token ", generative->start_id(), " first");
  if (!answers && !a.target_ids.empty())
    fail<ValueError>("--target-ids: a ", model.kind(), " has no decoder that reads them");
  if (answers)
    batch.targets = targets_of(*generative, parse_answer("--target-ids", a.target_ids, *generative));
  return batch;
}

}  // namespace

Work prepare_logits(const LogitsArguments& arguments) {
  Console console;
  const OpenedModel file =
      open_model(arguments.model, arguments.last, [&](std::string_view line) { console.print(line); });
  const std::shared_ptr<Model> model = file.build();
  const bool sees = !model->config_state().contains("vocab_size");
  if (sees && arguments.image.empty())
    fail<ValueError>("--image: is needed: a ", model->kind(), " reads a picture");
  if (!sees && !arguments.image.empty())
    fail<ValueError>("--image: a ", model->kind(), " reads --ids, not a picture");
  const Batch batch =
      sees ? batch_of_image(file.checkpoint.model, arguments) : batch_of_ids(*model, arguments);
  const NoGrad no_grad;
  const Array logits = model->logits(batch).value();  // refuses what is too long, or of another size
  check_output(arguments.out);
  return [=] {
    write_npy(arguments.out, logits.reshape(logits.shape().without(0)).to(float32));
    return 0;
  };
}

}  // namespace weft::tools
