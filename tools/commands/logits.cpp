#include <weft/data/sounds/sound_task.h>
#include <weft/layers/models/registry.h>
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

/// With what a decoder reads, if there is one.
Batch with_targets(const Model& model, const LogitsArguments& a, Batch batch) {
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

Batch batch_of_ids(const Model& model, const LogitsArguments& a) {
  const int64_t vocab_size = model.config_state().integer("vocab_size");
  if (a.ids.empty()) fail<ValueError>("--ids: is needed: a ", model.kind(), " reads ids");
  return with_targets(model, a, {row_of(parse_ids("--ids", a.ids, vocab_size)), {}});
}

Batch batch_of_audio(const Model& model, const ModelFile& file, const LogitsArguments& a) {
  if (!a.ids.empty()) fail<ValueError>("--ids: a ", file.kind, " hears --audio, and reads no ids");
  return with_targets(model, a, {sound_input(read_sound(a.audio), frames_heard_by(file)), {}});
}

}  // namespace

Work prepare_logits(const LogitsArguments& arguments) {
  Console console;
  const OpenedModel file = open_model(
      arguments.model, arguments.last, [&](std::string_view line) { console.print(line); }, arguments.base);
  const std::shared_ptr<Model> model = file.build();
  const bool hears = models().at(file.checkpoint.model.kind).takes(TaskKind::sounds);
  const bool sees = !hears && !model->config_state().contains("vocab_size");
  const auto needs = [&](bool it, const std::string& given, const char* option, const char* thing) {
    if (it && given.empty())
      fail<ValueError>(option, ": is needed: a ", model->kind(), hears ? " hears " : " reads ", thing);
    if (!it && !given.empty())
      fail<ValueError>(option, ": a ", model->kind(), " ",
                       hears  ? "hears --audio"
                       : sees ? "sees --image"
                              : "reads --ids",
                       ", not ", thing);
  };
  needs(sees, arguments.image, "--image", "a picture");
  needs(hears, arguments.audio, "--audio", "a sound");
  const Batch batch = sees    ? batch_of_image(file.checkpoint.model, arguments)
                      : hears ? batch_of_audio(*model, file.checkpoint.model, arguments)
                              : batch_of_ids(*model, arguments);
  const NoGrad no_grad;
  const Array logits = model->logits(batch).value();  // refuses what is too long, or of another size
  check_output(arguments.out);
  return [=] {
    write_npy(arguments.out, logits.reshape(logits.shape().without(0)).to(float32));
    return 0;
  };
}

}  // namespace weft::tools
