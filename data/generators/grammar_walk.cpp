#include <weft/data/generators/grammar.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/math.h>

#include <algorithm>

namespace weft {

// One derivation under way.
struct Grammar::Walk {
  const Grammar& grammar;
  const Chooser& choose;
  std::vector<size_t> memory;
  Derivation result;

  /// The text of the segments from `at` up to the next choice; moves `at` there.
  std::string certain(const std::vector<Segment>& segments, size_t& at) const {
    std::string text;
    for (; at < segments.size(); ++at) {
      const Segment& segment = segments[at];
      if (segment.kind == Segment::Kind::literal) {
        text += segment.words[0];
      } else if (segment.kind == Segment::Kind::reference) {
        text += grammar.said(segment, memory[segment.slot]);
      } else {
        break;
      }
    }
    return text;
  }

  /// Notes what segments [from, to), which are certain, mention; they are written from `begin` on.
  void note(const std::vector<Segment>& segments, size_t from, size_t to, size_t begin) {
    for (; from < to; ++from) {
      const Segment& segment = segments[from];
      const bool literal = segment.kind == Segment::Kind::literal;
      const size_t end =
          begin + (literal ? segment.words[0] : grammar.said(segment, memory[segment.slot])).size();
      if (!literal) result.mentions.push_back({segment.name, segment.form, begin, end});
      begin = end;
    }
  }

  void write(std::string_view text) {
    result.text += text;
    result.nats.resize(result.text.size(), 0.0);
  }

  size_t take(const std::vector<Option>& options) {
    if (options.size() == 1) return write(options[0].text), 0;
    const size_t taken = choose(options, result.text);
    if (taken >= options.size())
      fail<ValueError>("grammar: option ", taken, " of ", options.size(), " was chosen");
    const std::string_view text = options[taken].text;
    std::vector<Option> possible = options;
    const auto mass_of = [&] {
      double mass = 0;
      for (const Option& option : possible) mass += option.probability;
      return mass;
    };
    double mass = mass_of();
    for (size_t i = 0; i < text.size(); ++i) {
      std::erase_if(possible, [&](const Option& o) { return o.text.size() <= i || o.text[i] != text[i]; });
      const double left = mass_of();
      result.nats.push_back(left == mass ? 0.0 : -math::log(left / mass));
      mass = left;
    }
    result.text += text;
    result.log_probability += math::log(options[taken].probability);
    return taken;
  }

  size_t take_word(const std::vector<std::string>& words, size_t without) {
    std::vector<Option> options;
    const double count = static_cast<double>(words.size()) - (without < words.size() ? 1 : 0);
    for (size_t word = 0; word < words.size(); ++word)
      if (word != without) options.push_back({words[word], 1 / count});
    const size_t taken = take(options);
    return taken < without ? taken : taken + 1;
  }

  const Way& take_way(const std::vector<Way>& ways, size_t& at) {
    std::vector<std::string> texts;
    std::vector<size_t> ends;
    for (const Way& way : ways) {
      size_t stop = 0;
      texts.push_back(certain(way.segments, stop));
      ends.push_back(stop);
    }
    check_prefix_free(texts);
    std::vector<Option> options;
    for (size_t i = 0; i < ways.size(); ++i) options.push_back({texts[i], ways[i].probability});
    const size_t taken = take(options);
    at = ends[taken];
    return ways[taken];
  }

  size_t node(const std::vector<Way>& ways) {
    size_t at = 0, begin = result.text.size();
    const Way& way = take_way(ways, at);
    note(way.segments, 0, at, begin);
    while (at < way.segments.size()) {
      const Segment& segment = way.segments[at++];
      begin = result.text.size();
      if (segment.kind == Segment::Kind::draw) {
        const std::string& unlike = grammar.slots_[segment.slot].unlike;
        memory[segment.slot] = take_word(grammar.words_[segment.slot][0],
                                         unlike.empty() ? SIZE_MAX : memory[grammar.slot_of(unlike)]);
      } else {
        take_word(segment.words, SIZE_MAX);
      }
      result.mentions.push_back({segment.name, 0, begin, result.text.size()});
      const size_t from = at;
      begin = result.text.size();
      write(certain(way.segments, at));
      note(way.segments, from, at, begin);
    }
    if (!way.event.empty()) result.events.push_back(way.event);
    return way.next;
  }
};

Grammar::Derivation Grammar::derive(const Chooser& choose) const {
  Walk walk{.grammar = *this, .choose = choose, .memory = std::vector<size_t>(slots_.size()), .result = {}};
  for (size_t node = 0; node != end_of_text;) node = walk.node(nodes_[node]);
  return std::move(walk.result);
}

}  // namespace weft
