// A probabilistic grammar whose texts have exactly one derivation, so that their probability is known
// exactly.
//
// A text is a walk over nodes. At each choice the possible texts are prefix-free (none begins another), so
// the text alone says which was chosen, from left to right, and P(character | all before it) is a ratio of
// sums over the choices that are still possible.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

class Grammar {
 public:
  /// A thing to remember: drawn once, uniformly, then referred to. A word has one form for each of `forms`,
  /// separated by '/': forms {"name", "she"}, words {"Mia/she", "Tom/he"}. The first is the one that is
  /// drawn. `unlike` names another slot of the same number of words, whose number is not drawn again.
  struct Slot {
    std::string name;
    std::vector<std::string> forms;
    std::vector<std::string> words;
    std::string unlike = {};
  };
  /// Words to choose from, each as likely: nothing is remembered.
  struct Class {
    std::string name;
    std::vector<std::string> words;
  };
  /// One way on from `node`, taken with probability weight / (sum of the node's weights); "" ends the text.
  /// In `text`
  ///   [class]      is one of the words of the class,
  ///   {slot!}      draws the slot and writes its first form,
  ///   {slot}       writes the first form again, {slot.form} another, {Slot.form} with a capital.
  struct Rule {
    std::string node;
    double weight;
    std::string text;
    std::string next;
    std::string event = {};  ///< what it tells, for Derivation::events
  };
  /// The walk begins at the first rule's node. ValueError on text that cannot be read or is not ASCII, an
  /// unknown name, a cycle, a slot referred to before it is drawn or drawn twice, or words that are not
  /// prefix-free.
  Grammar(std::vector<Slot> slots, std::vector<Class> classes, const std::vector<Rule>& rules);

  struct Option {
    std::string_view text;
    double probability;
  };
  /// Takes one of two or more options, by number, knowing the text so far.
  using Chooser = std::function<size_t(std::span<const Option>, std::string_view written)>;
  /// Where the text says something that is remembered, or names a word of a class: [begin, end).
  struct Mention {
    std::string name;  ///< of the slot or the class
    size_t form = 0;   ///< of the slot
    size_t begin = 0;
    size_t end = 0;
  };
  struct Derivation {
    std::string text;
    std::vector<double> nats;    ///< -log p of each character given all before it
    double log_probability = 0;  ///< sum over the choices
    std::vector<Mention> mentions = {};
    std::vector<std::string> events = {};  ///< of the rules taken, in their order
  };
  /// One walk. ValueError when the ways on from a node turn out not to be prefix-free.
  Derivation derive(const Chooser& choose) const;

  struct Statistics {
    double nats = 0;        ///< expected -log p of a text
    double characters = 0;  ///< expected length
  };
  /// Exact, by one pass over the nodes: which way is taken does not depend on what is remembered, and each
  /// slot is uniform, so expectations add up.
  Statistics statistics() const;
  /// Every word of every text, separated by spaces, where slots and classes are whole words or digits: each
  /// with what stands right before it in some text.
  std::string words() const;

 private:
  struct Segment {
    enum class Kind { literal, pick, draw, reference } kind;
    std::vector<std::string> words = {};  ///< one for a literal
    std::string name = {};                ///< of the class or slot
    size_t slot = 0;
    size_t form = 0;
    bool capital = false;
  };
  struct Way {
    double probability;
    std::vector<Segment> segments;
    size_t next;
    std::string event;
  };
  struct Walk;
  static constexpr size_t end_of_text = SIZE_MAX;

  static void check_prefix_free(const std::vector<std::string>& texts);
  static void check_words(const std::string& name, const std::vector<std::string>& words);
  static std::vector<std::vector<std::string>> forms_of(const Slot& slot);
  void add_rules(const std::vector<Rule>& rules);
  std::vector<Segment> parse(const std::string& text) const;
  Segment parse_slot(std::string_view inside) const;
  size_t slot_of(std::string_view name) const;
  /// What a segment that draws or refers says of a word.
  std::string said(const Segment& segment, size_t word) const;
  /// All that a segment can say.
  std::vector<std::string> texts_of(const Segment& segment) const;
  void check_references(size_t node, uint64_t drawn, size_t depth) const;

  std::vector<Slot> slots_;
  std::vector<Class> classes_;
  std::vector<std::vector<std::vector<std::string>>> words_;  ///< by slot, form and word
  std::vector<std::vector<Way>> nodes_;
};

}  // namespace weft
