#include <weft/layers/models/decoding/decoded_texts_internal.h>
#include <weft/layers/models/decoding/generation.h>

#include <algorithm>

namespace weft {
namespace {

/// `source`: prompts, or a batch.
template <class Source>
std::vector<std::vector<int64_t>> generated(const GenerativeModel& model, const Source& source,
                                            size_t rows_of_source, const GenerateOptions& options,
                                            const std::function<bool(int64_t, int64_t)>& on_token) {
  options.sampling.check();
  if (options.tokens < 0) fail<ValueError>("generate: ", options.tokens, " tokens");
  for (const std::vector<int64_t>& sequence : options.stop)
    if (sequence.empty()) fail<ValueError>("generate: an empty sequence to stop at");
  if (!options.samples.empty() && options.samples.size() != rows_of_source)
    fail<ValueError>("generate: ", options.samples.size(), " samples for ", rows_of_source, " prompts");
  const RandomKey key = random_key(options.seed, stream_id("generate"));

  std::vector<std::vector<int64_t>> added(rows_of_source);
  const auto ended = [&](const std::vector<int64_t>& tokens) {
    const auto ends_with = [&](const std::vector<int64_t>& sequence) {
      return sequence.size() <= tokens.size() &&
             std::equal(sequence.rbegin(), sequence.rend(), tokens.rbegin());
    };
    return std::ranges::find(options.end_ids, tokens.back()) != options.end_ids.end() ||
           std::ranges::any_of(options.stop, ends_with);
  };

  DecodedTexts texts("generate", model, source);
  std::vector<size_t> open(rows_of_source);  // of each row of `texts`, its prompt
  for (size_t i = 0; i < open.size(); ++i) open[i] = i;
  for (int64_t n = 0; n < options.tokens && !open.empty(); ++n) {
    texts.read();
    std::vector<int64_t> rows, tokens;
    std::vector<size_t> still_open;
    for (int64_t row = 0; row < texts.rows(); ++row) {
      const size_t prompt = open[static_cast<size_t>(row)];
      const uint64_t sample = options.samples.empty() ? 0 : options.samples[prompt];
      const int64_t token = sample_token(texts.logits(row), options.sampling, key, sample,
                                         static_cast<uint64_t>(n), texts.text(row));
      added[prompt].push_back(token);
      if (on_token && !on_token(static_cast<int64_t>(prompt), token)) continue;
      if (ended(added[prompt])) continue;
      rows.push_back(row);
      tokens.push_back(token);
      still_open.push_back(prompt);
    }
    texts.append(rows, tokens);
    open = std::move(still_open);
  }
  return added;
}

}  // namespace

std::vector<std::vector<int64_t>> generate_batch(const GenerativeModel& model,
                                                 const std::vector<std::vector<int64_t>>& prompts,
                                                 const GenerateOptions& options,
                                                 const std::function<bool(int64_t, int64_t)>& on_token) {
  return generated(model, prompts, prompts.size(), options, on_token);
}

std::vector<std::vector<int64_t>> generate_from(const GenerativeModel& model, const Batch& source,
                                                const GenerateOptions& options) {
  return generated(model, source, static_cast<size_t>(source.inputs.dim(0)), options, {});
}

std::vector<int64_t> generate(const GenerativeModel& model, const std::vector<int64_t>& prompt,
                              const GenerateOptions& options, const std::function<bool(int64_t)>& on_token) {
  std::function<bool(int64_t, int64_t)> of_row;
  if (on_token) of_row = [&](int64_t, int64_t token) { return on_token(token); };
  return generate_batch(model, {prompt}, options, of_row)[0];
}

}  // namespace weft
