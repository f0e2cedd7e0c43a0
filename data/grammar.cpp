#include <weft/data/grammar.h>
#include <weft/lib/error.h>
#include <weft/lib/math.h>

#include <algorithm>
#include <cctype>
#include <optional>

namespace weft {
namespace {

constexpr size_t end_of_text = SIZE_MAX;

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == at)
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

/// Two texts of which one begins the other (or is it), if there are.
template <class Texts>
std::optional<std::pair<std::string, std::string>> clash_in(const Texts& texts) {
  for (size_t a = 0; a < texts.size(); ++a)
    for (size_t b = 0; b < texts.size(); ++b)
      if (a != b && texts[b].starts_with(texts[a]))
        return std::pair(std::string(texts[a]), std::string(texts[b]));
  return std::nullopt;
}

void check_prefix_free(const std::vector<std::string>& words) {
  if (const auto clash = clash_in(words))
    fail<ValueError>("grammar: '", clash->first, "' begins '", clash->second,
                     "': the text would not say which was chosen");
}

size_t index_of(const std::vector<std::string>& names, std::string_view name, const char* kind) {
  const auto place = std::ranges::find(names, name);
  if (place == names.end()) fail<ValueError>("grammar: there is no ", kind, " '", name, "'");
  return static_cast<size_t>(place - names.begin());
}

double mean_length(const std::vector<std::string>& words) {
  double letters = 0;
  for (const std::string& word : words) letters += static_cast<double>(word.size());
  return letters / static_cast<double>(words.size());
}

}  // namespace

Grammar::Grammar(std::vector<Slot> slots, std::vector<Class> classes, std::vector<Rule> rules)
    : slots_(std::move(slots)), classes_(std::move(classes)) {
  if (rules.empty()) fail<ValueError>("grammar: no rules");
  if (slots_.size() > 64) fail<ValueError>("grammar: at most 64 slots, not ", slots_.size());
  for (const Class& one : classes_) check_prefix_free(one.words);
  for (const Slot& slot : slots_) {
    std::vector<std::vector<std::string>> forms(slot.forms.size());
    for (const std::string& word : slot.words) {
      const std::vector<std::string> parts = split(word, '/');
      if (parts.size() != forms.size())
        fail<ValueError>("grammar: '", word, "' has ", parts.size(), " forms, ", slot.name, " has ",
                         forms.size());
      for (size_t form = 0; form < parts.size(); ++form) forms[form].push_back(parts[form]);
    }
    if (forms.empty() || forms[0].empty()) fail<ValueError>("grammar: ", slot.name, " has no words");
    check_prefix_free(forms[0]);
    words_.push_back(std::move(forms));
  }
  for (const Slot& slot : slots_) {
    if (slot.unlike.empty()) continue;
    const size_t other = slot_of(slot.unlike);
    if (slots_[other].words.size() != slot.words.size() || slot.words.size() < 2)
      fail<ValueError>("grammar: ", slot.name, " and ", slot.unlike,
                       " must have equally many words, at least 2");
  }

  std::vector<std::string> names;
  for (const Rule& rule : rules)
    if (std::ranges::find(names, rule.node) == names.end()) names.push_back(rule.node);
  const auto node_of = [&](const std::string& name) { return index_of(names, name, "node"); };
  nodes_.resize(names.size());
  for (const Rule& rule : rules) {
    if (!(rule.weight > 0))
      fail<ValueError>("grammar: a weight of ", rule.node, " is ", rule.weight, ", not above 0");
    const size_t next = rule.next.empty() ? end_of_text : node_of(rule.next);
    nodes_[node_of(rule.node)].push_back({rule.weight, parse(rule.text), next});
  }
  for (std::vector<Way>& ways : nodes_) {
    double total = 0;
    for (const Way& way : ways) total += way.probability;
    for (Way& way : ways) way.probability /= total;
  }
  check_references(0, 0, 0);
}

size_t Grammar::slot_of(std::string_view name) const {
  const auto place = std::ranges::find(slots_, name, &Slot::name);
  if (place == slots_.end()) fail<ValueError>("grammar: there is no slot '", name, "'");
  return static_cast<size_t>(place - slots_.begin());
}

std::vector<Grammar::Segment> Grammar::parse(const std::string& text) const {
  std::vector<Segment> segments;
  for (size_t at = 0; at < text.size();) {
    const char open = text[at];
    if (open != '{' && open != '[') {
      const size_t end = std::min(text.find_first_of("{[", at), text.size());
      segments.push_back({.kind = Segment::Kind::literal, .words = {text.substr(at, end - at)}});
      at = end;
      continue;
    }
    const size_t close = text.find(open == '{' ? '}' : ']', at);
    if (close == std::string::npos) fail<ValueError>("grammar: '", open, "' is not closed in '", text, "'");
    const std::string inside = text.substr(at + 1, close - at - 1);
    if (open == '{') {
      segments.push_back(parse_slot(inside));
    } else {
      const auto place = std::ranges::find(classes_, inside, &Class::name);
      if (place == classes_.end()) fail<ValueError>("grammar: there is no class '", inside, "'");
      segments.push_back({.kind = Segment::Kind::pick, .words = place->words});
    }
    at = close + 1;
  }
  return segments;
}

Grammar::Segment Grammar::parse_slot(std::string_view inside) const {
  Segment segment{.kind = Segment::Kind::reference, .words = {}};
  if (inside.ends_with('!')) {
    segment.kind = Segment::Kind::draw;
    inside.remove_suffix(1);
  }
  const std::vector<std::string> parts = split(inside, '.');
  std::string name = parts[0];
  if (!name.empty() && name[0] >= 'A' && name[0] <= 'Z') {
    segment.capital = true;
    name[0] = static_cast<char>(name[0] - 'A' + 'a');
  }
  segment.slot = slot_of(name);
  const bool plain = parts.size() == 1;
  if (segment.kind == Segment::Kind::draw && (segment.capital || !plain))
    fail<ValueError>("grammar: {", inside, "!}: a slot is drawn in its first form and as it is");
  if (!plain) segment.form = index_of(slots_[segment.slot].forms, parts[1], "form");
  return segment;
}

void Grammar::check_references(size_t node, uint64_t drawn, size_t depth) const {
  if (depth > nodes_.size()) fail<ValueError>("grammar: a text can come back to a node it has been at");
  for (const Way& way : nodes_[node]) {
    uint64_t now = drawn;
    const auto has = [&](size_t slot) { return (now >> slot & 1) != 0; };
    for (const Segment& segment : way.segments) {
      const bool draws = segment.kind == Segment::Kind::draw;
      if (!draws && segment.kind != Segment::Kind::reference) continue;
      const Slot& slot = slots_[segment.slot];
      if (draws ? has(segment.slot) : !has(segment.slot))
        fail<ValueError>("grammar: {", slot.name, "} is ",
                         draws ? "drawn twice" : "referred to before it is drawn");
      if (!draws) continue;
      if (!slot.unlike.empty() && !has(slot_of(slot.unlike)))
        fail<ValueError>("grammar: {", slot.name, "} is drawn before {", slot.unlike,
                         "}, which it is unlike");
      now |= uint64_t{1} << segment.slot;
    }
    if (way.next != end_of_text) check_references(way.next, now, depth + 1);
  }
}

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
        const size_t begin = text.size();
        text += grammar.words_[segment.slot][segment.form][memory[segment.slot]];
        if (segment.capital) text[begin] = static_cast<char>(std::toupper(text[begin]));
      } else {
        break;
      }
    }
    return text;
  }

  void write(std::string_view text) {
    result.text += text;
    result.nats.resize(result.text.size(), 0.0);
  }

  size_t take(const std::vector<Option>& options) {
    if (options.size() == 1) return write(options[0].text), 0;
    const size_t taken = choose(options, result.text.size());
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
    if (const auto clash = clash_in(texts))
      fail<StateError>("grammar: '", clash->first, "' begins '", clash->second,
                       "': the text would not say which was chosen");
    std::vector<Option> options;
    for (size_t i = 0; i < ways.size(); ++i) options.push_back({texts[i], ways[i].probability});
    const size_t taken = take(options);
    at = ends[taken];
    return ways[taken];
  }

  size_t node(const std::vector<Way>& ways) {
    size_t at = 0;
    const Way& way = take_way(ways, at);
    while (at < way.segments.size()) {
      const Segment& segment = way.segments[at++];
      if (segment.kind == Segment::Kind::draw) {
        const std::string& unlike = grammar.slots_[segment.slot].unlike;
        memory[segment.slot] = take_word(grammar.words_[segment.slot][0],
                                         unlike.empty() ? SIZE_MAX : memory[grammar.slot_of(unlike)]);
      } else {
        take_word(segment.words, SIZE_MAX);
      }
      write(certain(way.segments, at));
    }
    return way.next;
  }
};

Grammar::Derivation Grammar::derive(const Chooser& choose) const {
  Walk walk{.grammar = *this, .choose = choose, .memory = std::vector<size_t>(slots_.size()), .result = {}};
  for (size_t node = 0; node != end_of_text;) node = walk.node(nodes_[node]);
  return std::move(walk.result);
}

Grammar::Statistics Grammar::statistics() const {
  std::vector<std::optional<Statistics>> known(nodes_.size());
  const std::function<Statistics(size_t)> from = [&](size_t node) -> Statistics {
    if (node == end_of_text) return {};
    if (known[node]) return *known[node];
    Statistics sum;
    for (const Way& way : nodes_[node]) {
      Statistics one = from(way.next);
      one.nats -= math::log(way.probability);
      for (const Segment& segment : way.segments) {
        const bool pick = segment.kind == Segment::Kind::pick, draw = segment.kind == Segment::Kind::draw;
        const bool own = pick || segment.kind == Segment::Kind::literal;
        const std::vector<std::string>& words = own ? segment.words : words_[segment.slot][segment.form];
        one.characters += mean_length(words);
        const bool one_less = draw && !slots_[segment.slot].unlike.empty();
        if (pick || draw) one.nats += math::log(static_cast<double>(words.size() - (one_less ? 1 : 0)));
      }
      sum.nats += way.probability * one.nats;
      sum.characters += way.probability * one.characters;
    }
    return *(known[node] = sum);
  };
  return from(0);
}

}  // namespace weft
