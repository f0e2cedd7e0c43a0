#include <weft/layers/models/decoding/continuous_generation.h>
#include <weft/layers/models/decoding/decoded_texts_internal.h>
#include <weft/lib/machine/parallel.h>

#include <algorithm>
#include <utility>

namespace weft {
namespace {

constexpr const char* what = "generate";

/// A row of the texts.
struct Row {
  uint64_t name = 0;
  ContinuousGeneration::Text text;  ///< without the prompt
  RandomKey key{};
  int64_t begins = 0;  ///< where what is added does
};

/// The next token of row `at`. NumericError as sample_token().
int64_t draw(const DecodedTexts& texts, const Row& row, int64_t at) {
  const std::vector<int64_t>& all = texts.text(at);
  const std::span<const int64_t> added = std::span(all).subspan(static_cast<size_t>(row.begins));
  std::span<const float> logits = texts.logits(at);
  std::vector<float> adjusted;
  if (row.text.adjust) {
    adjusted.assign(logits.begin(), logits.end());
    row.text.adjust(adjusted, added);
    logits = adjusted;
  }
  return sample_token(logits, row.text.sampling, row.key, row.text.sample,
                      static_cast<uint64_t>(added.size()), all);
}

}  // namespace

struct ContinuousGeneration::Parts {
  const GenerativeModel& model;
  const int64_t vocab_size = model.vocab_size();
  DecodedTexts texts{what, model};
  std::vector<Row> rows = {};
  uint64_t last_name = 0;

  /// Row i goes on from row kept[i], with a token.
  void append(const std::vector<int64_t>& kept, const std::vector<int64_t>& tokens) {
    texts.append(kept, tokens);
    std::vector<Row> next;
    for (const int64_t row : kept) next.push_back(std::move(rows[static_cast<size_t>(row)]));
    rows = std::move(next);
  }
};

ContinuousGeneration::ContinuousGeneration(const GenerativeModel& model) : parts_(new Parts{model}) {}
ContinuousGeneration::~ContinuousGeneration() = default;

int64_t ContinuousGeneration::size() const { return std::ssize(parts_->rows); }

uint64_t ContinuousGeneration::add(Text text) {
  Parts& p = *parts_;
  text.sampling.check();
  for (const int64_t id : text.prompt)
    if (id < 0 || id >= p.vocab_size)
      fail<ValueError>(what, ": the prompt has id ", id, ", but there are ", p.vocab_size, " ids");
  p.texts.add({text.prompt});
  text.prompt = {};
  const RandomKey key = random_key(text.seed, stream_id("generate"));
  p.rows.push_back({++p.last_name, std::move(text), key, std::ssize(p.texts.text(p.texts.rows() - 1))});
  return p.last_name;
}

void ContinuousGeneration::remove(uint64_t name) {
  std::vector<int64_t> kept;
  for (int64_t row = 0; row < size(); ++row)
    if (parts_->rows[static_cast<size_t>(row)].name != name) kept.push_back(row);
  if (std::ssize(kept) < size()) parts_->append(kept, std::vector<int64_t>(kept.size(), DecodedTexts::none));
}

void ContinuousGeneration::step(const std::function<bool(const Drawn&)>& on_token, int64_t most_read) {
  Parts& p = *parts_;
  const NoGrad no_grad;
  p.texts.read(most_read);
  std::vector<int64_t> ready;
  for (int64_t row = 0; row < size(); ++row)
    if (p.texts.is_read(row)) ready.push_back(row);
  std::vector<Drawn> drawn(ready.size());
  parallel_for(std::ssize(ready), 1, [&](int64_t i, int64_t) {
    const int64_t at = ready[static_cast<size_t>(i)];
    const Row& row = p.rows[static_cast<size_t>(at)];
    Drawn& one = drawn[static_cast<size_t>(i)] = {row.name, -1, p.texts.logits(at)};
    try {
      one.token = draw(p.texts, row, at);
    } catch (const Error&) {
      one.error = std::current_exception();
    }
  });
  std::vector<int64_t> kept, tokens;
  auto next = drawn.begin();
  for (int64_t row = 0; row < size(); ++row) {
    const bool is_ready = next != drawn.end() && next->name == p.rows[static_cast<size_t>(row)].name;
    const int64_t token = is_ready ? next->token : DecodedTexts::none;
    if (is_ready) {
      const Drawn& one = *next++;
      if (!on_token(one) || one.error) continue;
    }
    kept.push_back(row);
    tokens.push_back(token);
  }
  p.append(kept, tokens);
}

}  // namespace weft
