#include <weft/autograd/autocast_internal.h>
#include <weft/autograd/ops/attention_internal.h>
#include <weft/lib/kernels/movement.h>

namespace weft {

using namespace detail;

namespace {

/// `settings.mask` tells what of the cache each row holds.
Tensor attention_to(const char* op, const KeyValueCache& cache, const Layouts& at, const Tensor& q,
                    AttentionOptions settings) {
  const int64_t S = cache.length();
  settings.bias = raised_bias(settings.bias, q.dim(0), at.q.heads, q.dim(1), S);
  if (q.dtype() != float32) {
    const auto held = [&](const Array& room) {
      return Tensor(kernels::slice(kernels::slice(room, 0, 0, q.dim(0)), 1, 0, S));
    };
    return detail::attention(op, at.q, q, held(cache.keys()), held(cache.values()), settings);
  }
  const Problem problem(at, q, S, settings);
  Array out(q.shape(), float32), lse({problem.p.B, problem.p.H, problem.p.T}, float32);
  kernels::attention(problem.p, at.q.view(q.value()), at.kv.view(cache.keys()), at.kv.view(cache.values()),
                     at.q.view_mutable(out), lse.mutable_data<float>());
  return Tensor(out);
}

}  // namespace

Tensor cached_attention(const Tensor& given_q, const Tensor& given_k, const Tensor& given_v, int64_t heads,
                        KeyValueCache& cache, std::span<const int64_t> lengths,
                        const AttentionOptions& options) {
  const NoGrad no_grad;
  const Tensor q = widened(given_q), k = widened(given_k), v = widened(given_v);
  const char* const op = "cached_attention";
  const Layouts at = layouts_of(op, side_by_side(op, q, heads), q, k.shape(), v.shape());
  if (q.dim(1) != k.dim(1))
    fail<ShapeError>(op, ": q is ", q.shape(), ", k ", k.shape(), ": needs as many tokens in both");
  const Mask& mask = options.mask;
  if (!mask.key_lengths.empty() || mask.allow.defined() || mask.causal_offset != 0 ||
      !mask.causal_offsets.empty())
    fail<ValueError>(op, ": offsets, lengths and what is allowed come of the cache, not of a mask");
  check_slopes(op, options, heads);
  AttentionOptions settings = options;
  settings.mask.is_causal = true;
  settings.mask.causal_offset = cache.length();
  if (!cache.same_length()) settings.mask.causal_offsets = cache.lengths();
  cache.append(k.value(), v.value(), lengths);
  if (!cache.same_length()) settings.mask.key_lengths = cache.lengths();
  return attention_to(op, cache, at, q, settings);
}

Tensor memory_attention(const Tensor& given, int64_t heads, const KeyValueCache& memory,
                        const AttentionOptions& options) {
  const NoGrad no_grad;
  const Tensor q = widened(given);
  const char* const op = "memory_attention";
  if (!memory.keys().defined()) fail<StateError>(op, ": the memory was never given values");
  const Shape held = memory.keys().shape().with(0, static_cast<int64_t>(memory.lengths().size()));
  const Layouts at = layouts_of(op, side_by_side(op, q, heads), q, held, held);
  if (!options.mask.empty()) fail<ValueError>(op, ": lengths come of the memory, not of a mask");
  check_slopes(op, options, heads);
  AttentionOptions settings = options;
  if (!memory.same_length()) settings.mask.key_lengths = memory.lengths();
  return attention_to(op, memory, at, q, settings);
}

}  // namespace weft
