#include <weft/autograd/ops.h>
#include <weft/layers/models/check_ids_internal.h>

namespace weft {

void check_ids(const char* model, const Array& ids, int64_t block_size) {
  if (ids.rank() != 2) fail<ShapeError>(model, ": ids are ", ids.shape(), ": needs (B, T)");
  if (ids.dim(1) > block_size)
    fail<ShapeError>(model, ": ids ", ids.shape(), " go beyond the block_size ", block_size);
}

Mask causal_mask(const char* model, const Array& ids, const std::vector<int64_t>& lengths,
                 const DocumentBegins& documents) {
  Mask mask = Mask::causal();
  if (!lengths.empty()) mask = mask & Mask::lengths(lengths);
  if (documents.empty()) return mask;
  check_documents(model, documents, ids.dim(0), ids.dim(1));
  return mask & Mask::documents(documents);
}

namespace {

/// Tokens that count in row b of ids (B, T).
int64_t tokens_of_row(const std::string& model, const Shape& ids, std::span<const int64_t> lengths,
                      int64_t b) {
  const int64_t T = ids[1], count = lengths.empty() ? T : lengths[static_cast<size_t>(b)];
  if (count < 1 || count > T) fail<ShapeError>(model, ": row ", b, " has ", count, " tokens, in ids ", ids);
  return count;
}

}  // namespace

Tensor last_tokens(const std::string& model, const Tensor& x, std::span<const int64_t> lengths) {
  const int64_t B = x.dim(0), T = x.dim(1), C = x.dim(2);
  if (T < 1) fail<ShapeError>(model, ": ids are ", Shape{B, T}, ": needs at least one token");
  if (lengths.empty()) return reshape(slice(x, 1, T - 1, T), {B, C});
  if (std::ssize(lengths) != B)
    fail<ShapeError>(model, ": ", lengths.size(), " lengths for ids ", Shape{B, T});
  Array places({B}, int64);
  for (int64_t b = 0; b < B; ++b)
    places.mutable_data<int64_t>()[b] = b * T + tokens_of_row(model, {B, T}, lengths, b) - 1;
  return embedding(places, reshape(x, {B * T, C}));
}

void check_next(const std::string& model, const Array& ids, std::span<const int64_t> lengths,
                const DecoderState& state, int64_t context) {
  if (ids.rank() != 2 || ids.dim(0) != state.rows())
    fail<ShapeError>(model, ": ids are ", ids.shape(), ": needs (B, T) for ", state.rows(), " rows");
  const int64_t T = ids.dim(1);
  if (T < 1) fail<ShapeError>(model, ": ids are ", ids.shape(), ": decoding needs at least one token");
  if (!lengths.empty() && static_cast<int64_t>(lengths.size()) != state.rows())
    fail<ShapeError>(model, ": ", lengths.size(), " lengths for ids ", ids.shape());
  for (int64_t b = 0; b < state.rows(); ++b) {
    const int64_t added = tokens_of_row(model, ids.shape(), lengths, b);
    if (state.length(b) > context - added)
      fail<ShapeError>(model, ": row ", b, " has read ", state.length(b), " tokens; ", added,
                       " more go beyond the context of ", context);
  }
}

}  // namespace weft
