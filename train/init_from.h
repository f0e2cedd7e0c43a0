// Fine-tuning: a new run that begins from the weights of another one.
#pragma once

#include <memory>
#include <optional>

#include "model_file.h"
#include "session.h"

namespace weft {

/// What a new model must share with the one whose weights it takes, unless told otherwise.
void take_shape(Config& config, const Config& source);

/// The source's tokenizer when it has an id for every character of the text, else none.
std::shared_ptr<const Tokenizer> tokenizer_of(const std::optional<ModelFile>& source, const Config& config);

/// Gives the session's model the weights that fit by name and shape, and notes what was taken, what is new
/// and what was left. With another tokenizer than the source's the token embedding is new. ValueError when
/// nothing fits.
void take_weights(Session& session, const ModelFile& source);

}  // namespace weft
