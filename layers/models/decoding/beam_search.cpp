#include <weft/layers/models/decoding/decoded_texts_internal.h>
#include <weft/layers/models/decoding/generation.h>
#include <weft/lib/base/math.h>

#include <algorithm>
#include <cmath>

namespace weft {
namespace {

constexpr int64_t most_beams = 10'000;

/// A text that goes on: a row, and the sum of the log-probabilities of what was added.
struct Beam {
  int64_t row = 0;
  double score = 0;
};

struct Continuation {
  int64_t row, token;
  double score;
};

/// The likeliest `count` continuations of the beams, in order; of equal ones the first beam's lowest token.
std::vector<Continuation> likeliest(const DecodedTexts& texts, const std::vector<Beam>& beams, size_t count) {
  std::vector<Continuation> all;
  for (const Beam& beam : beams) {
    const std::span<const float> logits = texts.logits(beam.row);
    const double total = log_total(logits, "beam_search");
    for (size_t token = 0; token < logits.size(); ++token)
      if (logits[token] != -INFINITY)
        all.push_back({beam.row, static_cast<int64_t>(token),
                       beam.score + (static_cast<double>(logits[token]) - total)});
  }
  const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(count, all.size()));
  std::partial_sort(all.begin(), end, all.end(), [](const Continuation& a, const Continuation& b) {
    if (a.score != b.score) return a.score > b.score;
    return a.row != b.row ? a.row < b.row : a.token < b.token;
  });
  all.erase(end, all.end());
  return all;
}

/// The search for one prompt.
class Search {
 public:
  Search(const BeamSearchOptions& options, size_t prompt_length, int64_t row)
      : options_(options), prompt_length_(prompt_length), beams_{{row, 0.0}} {}

  bool over() const { return beams_.empty(); }
  std::vector<Hypothesis> take() { return std::move(found_); }

  /// One token more. The rows of the texts that go on, and their tokens, are put behind `rows` and `tokens`.
  void step(const DecodedTexts& texts, int64_t length, std::vector<int64_t>& rows,
            std::vector<int64_t>& tokens) {
    const auto most = static_cast<size_t>(options_.beams);
    const double divisor = math::pow(static_cast<double>(length), options_.length_penalty);
    const size_t candidates = std::max<size_t>(2, 1 + options_.end_ids.size()) * most;
    std::vector<Beam> beams;
    size_t rank = 0;
    for (const Continuation& c : likeliest(texts, beams_, candidates)) {
      const bool ends =
          length == options_.tokens || std::ranges::find(options_.end_ids, c.token) != options_.end_ids.end();
      if (ends && rank < most) {
        const std::vector<int64_t>& text = texts.text(c.row);
        Hypothesis hypothesis{{text.begin() + static_cast<std::ptrdiff_t>(prompt_length_), text.end()},
                              c.score / divisor};
        hypothesis.tokens.push_back(c.token);
        add(std::move(hypothesis));
      } else if (!ends && beams.size() < most) {
        beams.push_back({static_cast<int64_t>(rows.size()), c.score});
        rows.push_back(c.row);
        tokens.push_back(c.token);
      }
      ++rank;
    }
    beams_ = std::move(beams);
    if (!beams_.empty() && found_.size() == most && beams_[0].score / divisor <= found_.back().score) {
      rows.resize(rows.size() - beams_.size());
      tokens.resize(rows.size());
      beams_.clear();
    }
  }

 private:
  void add(Hypothesis hypothesis) {
    const auto place =
        std::ranges::find_if(found_, [&](const Hypothesis& h) { return h.score < hypothesis.score; });
    found_.insert(place, std::move(hypothesis));
    if (found_.size() > static_cast<size_t>(options_.beams)) found_.pop_back();
  }

  const BeamSearchOptions& options_;
  size_t prompt_length_;
  std::vector<Beam> beams_;
  std::vector<Hypothesis> found_;
};

/// `source`: prompts, or a batch.
template <class Source>
std::vector<std::vector<Hypothesis>> searched(const GenerativeModel& model, const Source& source,
                                              const BeamSearchOptions& options) {
  if (options.beams < 1 || options.beams > most_beams)
    fail<ValueError>("beam_search: ", options.beams, " beams, not between 1 and ", most_beams);
  if (options.tokens < 0) fail<ValueError>("beam_search: ", options.tokens, " tokens");
  if (!std::isfinite(options.length_penalty))
    fail<ValueError>("beam_search: length_penalty ", options.length_penalty, " is not a finite number");
  DecodedTexts texts("beam_search", model, source);
  std::vector<Search> searches;
  for (int64_t row = 0; row < texts.rows(); ++row)
    searches.emplace_back(options, texts.text(row).size(), row);
  for (int64_t length = 1; length <= options.tokens && texts.rows() > 0; ++length) {
    texts.read();
    std::vector<int64_t> rows, tokens;
    for (Search& search : searches)
      if (!search.over()) search.step(texts, length, rows, tokens);
    texts.append(rows, tokens);
  }
  std::vector<std::vector<Hypothesis>> found;
  for (Search& search : searches)
    found.push_back(options.tokens == 0 ? std::vector<Hypothesis>(1) : search.take());
  return found;
}

}  // namespace

std::vector<std::vector<Hypothesis>> beam_search(const GenerativeModel& model,
                                                 const std::vector<std::vector<int64_t>>& prompts,
                                                 const BeamSearchOptions& options) {
  return searched(model, prompts, options);
}

std::vector<std::vector<Hypothesis>> beam_search_from(const GenerativeModel& model, const Batch& source,
                                                      const BeamSearchOptions& options) {
  return searched(model, source, options);
}

}  // namespace weft
