#include <weft/layers/models/decoding/ctc.h>
#include <weft/lib/base/error.h>
#include <weft/lib/kernels/fused/ctc.h>

#include <algorithm>
#include <limits>
#include <map>

namespace weft {
namespace {

constexpr double none = -std::numeric_limits<double>::infinity();

/// Of a beginning: of its alignments up to now, those that end in a blank and those that end in its last id.
struct Beginning {
  double blank = none, said = none;
  double both() const { return kernels::log_add_exp(blank, said); }
};
using Beginnings = std::map<std::vector<int64_t>, Beginning>;

std::vector<std::pair<std::vector<int64_t>, Beginning>> best_of(const Beginnings& all, int64_t beams) {
  std::vector<std::pair<std::vector<int64_t>, Beginning>> kept(all.begin(), all.end());
  std::ranges::stable_sort(kept, std::greater<>(), [](const auto& one) { return one.second.both(); });
  if (std::ssize(kept) > beams) kept.resize(static_cast<size_t>(beams));
  return kept;
}

}  // namespace

CtcHypothesis ctc_greedy(const CtcFrames& frames) {
  CtcHypothesis found;
  int64_t before = frames.blank;
  for (int64_t t = 0; t < frames.frames(); ++t) {
    const auto row =
        frames.log_p.subspan(static_cast<size_t>(t * frames.classes), static_cast<size_t>(frames.classes));
    const auto best = std::ranges::max_element(row);
    const int64_t id = best - row.begin();
    found.score += *best;
    if (id != frames.blank && id != before) found.ids.push_back(id);
    before = id;
  }
  return found;
}

std::vector<CtcHypothesis> ctc_beam_search(const CtcFrames& frames, int64_t beams) {
  if (beams < 1) fail<ValueError>("ctc_beam_search: needs at least one beam, not ", beams);
  std::vector<std::pair<std::vector<int64_t>, Beginning>> beam{{{}, {.blank = 0}}};
  for (int64_t t = 0; t < frames.frames(); ++t) {
    const float* const log_p = frames.log_p.data() + t * frames.classes;
    Beginnings next;
    for (const auto& [ids, before] : beam) {
      const double both = before.both();
      Beginning& same = next[ids];
      same.blank = kernels::log_add_exp(same.blank, both + log_p[frames.blank]);
      if (!ids.empty()) same.said = kernels::log_add_exp(same.said, before.said + log_p[ids.back()]);
      std::vector<int64_t> longer = ids;
      longer.push_back(0);
      for (int64_t id = 0; id < frames.classes; ++id) {
        if (id == frames.blank) continue;
        longer.back() = id;
        Beginning& one = next[longer];
        // The same id once more is another one only behind a blank.
        one.said = kernels::log_add_exp(one.said,
                                        (!ids.empty() && id == ids.back() ? before.blank : both) + log_p[id]);
      }
    }
    beam = best_of(next, beams);
  }
  std::vector<CtcHypothesis> found;
  for (auto& [ids, at] : beam) found.push_back({ids, at.both()});
  return found;
}

std::vector<CtcSpan> ctc_align(const CtcFrames& frames, std::span<const int64_t> ids) {
  const int64_t T = frames.frames(), S = 2 * std::ssize(ids) + 1;
  const auto label = [&](int64_t s) { return s % 2 == 0 ? frames.blank : ids[static_cast<size_t>(s / 2)]; };
  std::vector<double> best(static_cast<size_t>(S), none);
  std::vector<int8_t> steps(static_cast<size_t>(T * S));
  for (int64_t t = 0; t < T; ++t) {
    const float* const log_p = frames.log_p.data() + t * frames.classes;
    for (int64_t s = S; s-- > 0;) {
      const auto i = static_cast<size_t>(s);
      double from = t == 0 ? (s < 2 ? 0 : none) : best[i];
      int8_t step = 0;
      if (t > 0 && s >= 1 && best[i - 1] > from) {
        from = best[i - 1];
        step = 1;
      }
      if (t > 0 && s >= 3 && s % 2 == 1 && label(s) != label(s - 2) && best[i - 2] > from) {
        from = best[i - 2];
        step = 2;
      }
      best[i] = from + log_p[label(s)];
      steps[static_cast<size_t>(t * S) + i] = step;
    }
  }
  if (ids.empty() || T == 0) return {};
  int64_t s = best[static_cast<size_t>(S - 1)] > best[static_cast<size_t>(S - 2)] ? S - 1 : S - 2;
  if (best[static_cast<size_t>(s)] == none) return {};
  std::vector<CtcSpan> spans(ids.size());
  for (int64_t t = T; t-- > 0;) {
    if (s % 2 == 1) {
      CtcSpan& span = spans[static_cast<size_t>(s / 2)];
      if (span.end == 0) span.end = t + 1;
      span.begin = t;
    }
    s -= steps[static_cast<size_t>(t * S + s)];
  }
  return spans;
}

std::vector<CtcSpan> ctc_pieces(const CtcFrames& frames, int64_t least) {
  if (least < 1) fail<ValueError>("ctc_pieces: pieces have at least one frame, not ", least);
  std::vector<CtcSpan> pieces;
  int64_t begin = 0;
  for (int64_t t = 0; t < frames.frames(); ++t) {
    const auto row =
        frames.log_p.subspan(static_cast<size_t>(t * frames.classes), static_cast<size_t>(frames.classes));
    const bool silent = std::ranges::max_element(row) - row.begin() == frames.blank;
    if (t + 1 - begin < least || !silent) continue;
    pieces.push_back({begin, t + 1});
    begin = t + 1;
  }
  if (begin < frames.frames()) pieces.push_back({begin, frames.frames()});
  return pieces;
}

}  // namespace weft
