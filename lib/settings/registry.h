// Registry: parts by name, ours and a user's. One of a kind is a function-local static, filled with ours first.
#pragma once

#include <weft/lib/base/error.h>
#include <weft/lib/base/join.h>

#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// Entry has a member `name`. Any thread may ask and add; an entry stays where it is.
template <class Entry>
class Registry {
 public:
  /// `what` is said in messages: "model".
  explicit Registry(const char* what) : what_(what) {}

  /// ValueError for a name that is taken, and for one that is empty or holds anything but letters, digits, '-', '_',
  /// '.' and '+'.
  void add(Entry entry) {
    const std::lock_guard lock(mutex_);
    const std::string allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.+";
    if (entry.name.empty() || entry.name.find_first_not_of(allowed) != std::string::npos)
      fail<ValueError>("register_", what_, ": '", entry.name, "' is no name: letters, digits and -_.+ make one");
    if (find_in(entries_, entry.name))
      fail<ValueError>("register_", what_, ": there is a ", what_, " '", entry.name,
                       "' already; register each under a name of its own");
    entries_.push_back(std::move(entry));
  }
  /// nullptr for a name that nobody knows.
  const Entry* find(std::string_view name) const {
    const std::lock_guard lock(mutex_);
    return find_in(entries_, name);
  }
  /// ValueError that names those that there are, and the nearest.
  const Entry& at(std::string_view name) const {
    if (const Entry* const found = find(name)) return *found;
    const std::vector<std::string> all = names();
    const std::string near = nearest(name, all.data(), all.data() + all.size());
    fail<ValueError>("there is no ", what_, " '", name, "'; ",
                     near.empty() ? str("there are ", joined(all)) : str("did you mean '", near, "'?"));
  }
  /// In the order in which they were added.
  std::vector<std::string> names() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> all;
    for (const Entry& entry : entries_) all.push_back(entry.name);
    return all;
  }
  std::vector<const Entry*> entries() const {
    const std::lock_guard lock(mutex_);
    std::vector<const Entry*> all;
    for (const Entry& entry : entries_) all.push_back(&entry);
    return all;
  }

 private:
  static const Entry* find_in(const std::deque<Entry>& entries, std::string_view name) {
    for (const Entry& entry : entries)
      if (entry.name == name) return &entry;
    return nullptr;
  }

  const char* what_;
  mutable std::mutex mutex_;
  std::deque<Entry> entries_;
};

}  // namespace weft
