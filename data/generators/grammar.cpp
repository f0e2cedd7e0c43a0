#include <weft/data/generators/grammar.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/math.h>

#include <algorithm>
#include <limits>
#include <optional>

namespace weft {
namespace {

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

void check_ascii(const std::string& text) {
  for (const char byte : text)
    if (static_cast<uint8_t>(byte) >= 0x80) fail<ValueError>("grammar: '", text, "' is not ASCII");
}

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

double mean_length(const std::vector<std::string>& words) {
  double letters = 0;
  for (const std::string& word : words) letters += static_cast<double>(word.size());
  return letters / static_cast<double>(words.size());
}

}  // namespace

Grammar::Grammar(std::vector<Slot> slots, std::vector<Class> classes, const std::vector<Rule>& rules)
    : slots_(std::move(slots)), classes_(std::move(classes)) {
  if (rules.empty()) fail<ValueError>("grammar: no rules");
  if (slots_.size() > 64) fail<ValueError>("grammar: at most 64 slots, not ", slots_.size());
  for (const Class& one : classes_) check_words(one.name, one.words);
  for (const Slot& slot : slots_) words_.push_back(forms_of(slot));
  for (const Slot& slot : slots_) {
    const size_t other = slot.unlike.empty() ? 0 : slots_[slot_of(slot.unlike)].words.size();
    if (!slot.unlike.empty() && (other != slot.words.size() || other < 2))
      fail<ValueError>("grammar: ", slot.name, " and ", slot.unlike,
                       " must have equally many words, at least 2");
  }
  add_rules(rules);
  check_references(0, 0, 0);
}

void Grammar::check_prefix_free(const std::vector<std::string>& texts) {
  for (size_t a = 0; a < texts.size(); ++a)
    for (size_t b = 0; b < texts.size(); ++b)
      if (a != b && texts[b].starts_with(texts[a]))
        fail<ValueError>("grammar: '", texts[a], "' begins '", texts[b],
                         "': the text would not say which was chosen");
}

void Grammar::check_words(const std::string& name, const std::vector<std::string>& words) {
  if (words.empty()) fail<ValueError>("grammar: ", name, " has no words");
  for (const std::string& word : words) check_ascii(word);
  check_prefix_free(words);
}

std::vector<std::vector<std::string>> Grammar::forms_of(const Slot& slot) {
  std::vector<std::vector<std::string>> forms(slot.forms.size());
  for (const std::string& word : slot.words) {
    const std::vector<std::string> parts = split(word, '/');
    if (parts.size() != forms.size())
      fail<ValueError>("grammar: '", word, "' has ", parts.size(), " forms, ", slot.name, " has ",
                       forms.size());
    check_ascii(word);
    for (size_t form = 0; form < parts.size(); ++form) forms[form].push_back(parts[form]);
  }
  if (forms.empty()) fail<ValueError>("grammar: ", slot.name, " has no forms");
  check_words(slot.name, forms[0]);
  return forms;
}

size_t index_of(const std::vector<std::string>& names, std::string_view name, const char* kind) {
  const auto place = std::ranges::find(names, name);
  if (place == names.end()) fail<ValueError>("grammar: there is no ", kind, " '", name, "'");
  return static_cast<size_t>(place - names.begin());
}

void Grammar::add_rules(const std::vector<Rule>& rules) {
  std::vector<std::string> names;
  for (const Rule& rule : rules)
    if (std::ranges::find(names, rule.node) == names.end()) names.push_back(rule.node);
  nodes_.resize(names.size());
  for (const Rule& rule : rules) {
    if (!(rule.weight > 0 && rule.weight < std::numeric_limits<double>::infinity()))
      fail<ValueError>("grammar: a weight of ", rule.node, " is ", rule.weight, ", not above 0 and finite");
    const size_t next = rule.next.empty() ? end_of_text : index_of(names, rule.next, "node");
    nodes_[index_of(names, rule.node, "node")].push_back({rule.weight, parse(rule.text), next, rule.event});
  }
  for (std::vector<Way>& ways : nodes_) {
    double total = 0;
    for (const Way& way : ways) total += way.probability;
    for (Way& way : ways) way.probability /= total;
  }
}

size_t Grammar::slot_of(std::string_view name) const {
  const auto place = std::ranges::find(slots_, name, &Slot::name);
  if (place == slots_.end()) fail<ValueError>("grammar: there is no slot '", name, "'");
  return static_cast<size_t>(place - slots_.begin());
}

std::vector<Grammar::Segment> Grammar::parse(const std::string& text) const {
  check_ascii(text);
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
      segments.push_back({.kind = Segment::Kind::pick, .words = place->words, .name = inside});
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
  if (is_upper(name[0])) {
    segment.capital = true;
    name[0] = static_cast<char>(name[0] - 'A' + 'a');
  }
  segment.slot = slot_of(name);
  segment.name = name;
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

std::string Grammar::said(const Segment& segment, size_t word) const {
  std::string text = words_[segment.slot][segment.form][word];
  if (segment.capital && !text.empty()) text[0] = upper(text[0]);
  return text;
}

std::vector<std::string> Grammar::texts_of(const Segment& segment) const {
  if (segment.kind == Segment::Kind::pick || segment.kind == Segment::Kind::literal) return segment.words;
  std::vector<std::string> texts;
  for (size_t word = 0; word < slots_[segment.slot].words.size(); ++word)
    texts.push_back(said(segment, word));
  return texts;
}

std::string Grammar::words() const {
  std::string all;
  for (const std::vector<Way>& ways : nodes_)
    for (const Way& way : ways) {
      std::string before;  // what was written since the last space
      for (const Segment& segment : way.segments) {
        const std::vector<std::string> texts = texts_of(segment);
        for (const std::string& text : texts) all += before + text + " ";
        before += texts[0];
        before.erase(0, before.rfind(' ') + 1);  // npos + 1 is 0
      }
    }
  return all;
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
        const std::vector<std::string> words = texts_of(segment);
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
