#include <weft/autograd/ops.h>
#include <weft/layers/models/check_ids_internal.h>
#include <weft/layers/models/decoding/prefix_state_internal.h>
#include <weft/layers/models/model.h>

#include <utility>

namespace weft {

Loss Model::loss(const Batch& batch) const {
  check_documents(batch.documents);
  return loss_of(logits(batch), batch.targets);
}

void Model::check_documents(const DocumentBegins& documents) const {
  if (!documents.empty() && !takes_documents())
    fail<ValueError>(kind(),
                     ": takes no documents packed into rows: it would attend from one to another; give it ",
                     "each in a row of its own");
}

void Model::check_layer(int64_t layer) const {
  if (layer < 0 || layer > hidden_layers())
    fail<ValueError>(kind(), ": there are hidden states of layers 0 to ", hidden_layers(), ", not of ",
                     layer);
}

HiddenStates Model::hidden_states(const Batch&, int64_t) const {
  fail<ValueError>(
      kind(), ": shows no hidden states; a class of yours overrides hidden_layers() and hidden_states()");
}

Loss Model::loss_of(const Tensor& logits, const Array& targets) const {
  const LayerScope layer = profile_scope("loss");
  Loss loss =
      cross_entropy(logits, targets,
                    {.ignore_index = Batch::ignored, .label_smoothing = training() ? label_smoothing : 0.0});
  if (count_right && !training() && !is_floating(targets.dtype())) {
    const Array found = logits.argmax(-1);
    loss.right = 0;
    // A target that is ignored is never a class that was found.
    for (int64_t i = 0; i < targets.size(); ++i)
      loss.right += found.data<int64_t>()[i] == targets.data<int64_t>()[i];
  }
  return loss;
}

namespace {

int64_t configured(const GenerativeModel& model, const char* name) {
  const StateDict config = model.config_state();
  if (!config.contains(name))
    fail<StateError>(model.kind(), ": config_state() has no ", name, ": set it there, or override ", name,
                     "()");
  return config.integer(name);
}

}  // namespace

int64_t GenerativeModel::vocab_size() const { return configured(*this, "vocab_size"); }

int64_t GenerativeModel::context() const {
  const StateDict config = config_state();
  return config.contains("block_size") ? config.integer("block_size") : INT64_MAX;
}

int64_t GenerativeModel::start_id() const {
  if (!has_encoder()) fail<ValueError>(kind(), ": has no encoder, and so no start id");
  return configured(*this, "start_id");
}

void GenerativeModel::check_writes() const {
  if (!writes()) fail<ValueError>(kind(), ": tells the class of what it reads and writes nothing");
}

const GenerativeModel* as_writer(const Model& model) {
  const auto* const writer = dynamic_cast<const GenerativeModel*>(&model);
  return writer && writer->writes() ? writer : nullptr;
}

GenerativeModel* as_writer(Model& model) {
  return const_cast<GenerativeModel*>(as_writer(std::as_const(model)));
}

std::unique_ptr<DecoderState> GenerativeModel::start(int64_t rows) const {
  check_writes();
  if (has_encoder()) fail<ValueError>(kind(), ": answers a sequence: start() needs it");
  return std::make_unique<PrefixState>(rows);
}

std::unique_ptr<DecoderState> GenerativeModel::start(const Batch& source) const {
  if (!has_encoder()) fail<ValueError>(kind(), ": has no encoder to read a sequence with");
  return std::make_unique<PrefixState>(source);
}

Tensor GenerativeModel::next(const Array& ids, std::span<const int64_t> lengths, DecoderState& of) const {
  check_writes();
  const NoGrad no_grad;
  auto* const state = dynamic_cast<PrefixState*>(&of);
  if (!state || state->answers() != has_encoder())
    fail<ValueError>(kind(), ": the state is of another model");
  check_next(kind(), ids, lengths, of, context());
  state->append(ids, lengths);
  try {
    if (has_encoder()) state->check_start(kind(), start_id());
    const Tensor all = logits(state->batch());  // (B, T, V)
    if (all.rank() != 3 || all.dim(0) != state->rows())
      fail<ShapeError>(kind(), ": logits() gave ", all.shape(), ": to write, it must give (B, T, V)");
    const int64_t B = all.dim(0), T = all.dim(1), V = all.dim(2);
    Array places({B}, int64);
    for (int64_t b = 0; b < B; ++b) places.mutable_data<int64_t>()[b] = b * T + state->length(b) - 1;
    return embedding(places, reshape(all, {B * T, V}));
  } catch (...) {
    state->take_back(ids, lengths);
    throw;
  }
}

}  // namespace weft
