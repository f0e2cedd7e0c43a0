#include <weft/layers/models/model.h>

namespace weft {

Loss Model::loss(const Batch& batch) const { return loss_of(logits(batch), batch.targets); }

Loss Model::loss_of(const Tensor& logits, const Array& targets) const {
  const LayerScope layer = profile_scope("loss");
  return cross_entropy(
      logits, targets,
      {.ignore_index = Batch::ignored, .label_smoothing = training() ? label_smoothing : 0.0});
}

int64_t GenerativeModel::start_id() const {
  fail<ValueError>(kind(), ": has no encoder, and so no start id");
}

std::unique_ptr<DecoderState> GenerativeModel::start(int64_t) const {
  fail<ValueError>(kind(), ": answers a sequence: start() needs it");
}

std::unique_ptr<DecoderState> GenerativeModel::start(const Batch&) const {
  fail<ValueError>(kind(), ": has no encoder to read a sequence with");
}

}  // namespace weft
