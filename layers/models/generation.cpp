#include <weft/layers/models/generation.h>

#include <algorithm>

namespace weft {

namespace {

Array as_ids(std::span<const int64_t> ids) { return Array::from(ids, {1, static_cast<int64_t>(ids.size())}); }

std::span<const int64_t> last(std::span<const int64_t> ids, int64_t count) {
  return ids.last(std::min(ids.size(), static_cast<size_t>(count)));
}

}  // namespace

std::vector<int64_t> generate(const GenerativeModel& model, const std::vector<int64_t>& prompt,
                              const GenerateOptions& options, const std::function<bool(int64_t)>& on_token) {
  options.sampling.check();
  if (options.tokens < 0) fail<ValueError>("generate: ", options.tokens, " tokens");
  if (prompt.empty()) fail<ValueError>("generate: the prompt is empty");
  const int64_t context = model.context();
  const RandomKey key = random_key(options.seed, stream_id("generate"));

  std::vector<int64_t> all = prompt;
  std::unique_ptr<DecoderState> state = model.start(1);
  std::span<const int64_t> unread = last(all, context);
  for (int64_t n = 0; n < options.tokens; ++n) {
    const Tensor logits = model.next(as_ids(unread), {}, *state);
    const int64_t token = sample_token(logits.value().to(float32).values<float>(), options.sampling, key, 0,
                                       static_cast<uint64_t>(n));
    all.push_back(token);
    if (on_token && !on_token(token)) break;
    if (state->length(0) < context) {
      unread = last(all, 1);
    } else {
      state = model.start(1);
      unread = last(all, std::max<int64_t>(1, context / 2));
    }
  }
  return {all.begin() + static_cast<std::ptrdiff_t>(prompt.size()), all.end()};
}

}  // namespace weft
