#include <weft/data/tokenizers/token_trie.h>

#include <utility>

namespace weft {
namespace {

uint64_t key_of(int32_t node, char byte) {
  return static_cast<uint64_t>(static_cast<uint32_t>(node)) << 8 | static_cast<uint8_t>(byte);
}

}  // namespace

TokenTrie::TokenTrie() : slots_(64), values_{none} {}

size_t TokenTrie::slot_of(uint64_t key) const {
  const size_t mask = slots_.size() - 1;
  size_t at = (key * 0x9e3779b97f4a7c15 >> 32) & mask;
  while (slots_[at].node != none && slots_[at].key != key) at = (at + 1) & mask;
  return at;
}

void TokenTrie::grow() {
  const std::vector<Slot> before = std::exchange(slots_, std::vector<Slot>(2 * slots_.size()));
  for (const Slot& slot : before)
    if (slot.node != none) slots_[slot_of(slot.key)] = slot;
}

void TokenTrie::add(std::string_view key, int32_t value) {
  int32_t node = root;
  for (const char byte : key) {
    if (2 * values_.size() > slots_.size()) grow();
    Slot& slot = slots_[slot_of(key_of(node, byte))];
    if (slot.node == none) {
      slot = {key_of(node, byte), static_cast<int32_t>(values_.size())};
      values_.push_back(none);
    }
    node = slot.node;
  }
  values_[static_cast<size_t>(node)] = value;
}

int32_t TokenTrie::next(int32_t node, char byte) const { return slots_[slot_of(key_of(node, byte))].node; }

TokenTrie::Found TokenTrie::longest(std::string_view text) const {
  Found found;
  int32_t node = root;
  for (size_t i = 0; i < text.size(); ++i) {
    node = next(node, text[i]);
    if (node == none) break;
    if (value(node) != none) found = {i + 1, value(node)};
  }
  return found;
}

int32_t TokenTrie::find(std::string_view text) const {
  int32_t node = root;
  for (const char byte : text)
    if ((node = next(node, byte)) == none) return none;
  return value(node);
}

}  // namespace weft
