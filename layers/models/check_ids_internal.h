// What models ask of the ids that they read, and which of them they go by.
#pragma once

#include <weft/layers/models/model.h>
#include <weft/lib/array/mask.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace weft {

/// ShapeError, naming the model, unless ids are (B, T) with T at most block_size.
void check_ids(const char* model, const Array& ids, int64_t block_size);

/// Causal in ids (B, T), of which lengths count (empty: all), inside documents (empty: each row is one). ValueError,
/// naming the model, for documents that do not fit.
Mask causal_mask(const char* model, const Array& ids, const std::vector<int64_t>& lengths,
                 const DocumentBegins& documents);

/// The last token that counts of each row: x (B, T, C), of which lengths[b] tokens count (empty: all) -> (B, C).
/// ShapeError, naming the model, for lengths that are not B numbers from 1 to T, and for T 0.
Tensor last_tokens(const std::string& model, const Tensor& x, std::span<const int64_t> lengths);

/// What GenerativeModel::next() asks of its arguments, whatever the model remembers.
/// ShapeError, naming the model, unless ids are (B, T) for the state's rows with T at least 1, the lengths
/// are B numbers from 1 to T or none at all, and no row goes beyond the context.
void check_next(const std::string& model, const Array& ids, std::span<const int64_t> lengths,
                const DecoderState& state, int64_t context);

}  // namespace weft
