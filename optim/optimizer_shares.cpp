#include <weft/optim/optimizer_shares.h>

#include <algorithm>
#include <cstring>

namespace weft {
namespace {

/// Elements that stay together, a line of the cache of them.
constexpr int64_t line = 16;
constexpr int64_t most_at_once = int64_t{1} << 22;

NumberRange both(const NumberRange& a, const NumberRange& b) {
  const int64_t begin = std::max(a.begin, b.begin);
  return {begin, std::max(begin, std::min(a.end, b.end))};
}

}  // namespace

OptimizerShares::OptimizerShares(const std::vector<NamedTensor>& parameters,
                                 const std::vector<bool>& by_element, Processes& processes)
    : processes_(processes), places_(parameters.size()) {
  std::vector<size_t> whole;
  for (size_t i = 0; i < parameters.size(); ++i) {
    if (!by_element[i]) {
      whole.push_back(i);
      continue;
    }
    places_[i].line = lines_;
    lines_ += (parameters[i].tensor.size() + line - 1) / line;
  }
  // What takes longest first, to who has least to do: a matrix takes as long as to multiply it by itself.
  const auto work = [&](size_t i) {
    const Tensor& tensor = parameters[i].tensor;
    return tensor.size() * (tensor.rank() == 2 ? std::min(tensor.dim(0), tensor.dim(1)) : 1);
  };
  std::ranges::stable_sort(whole, [&](size_t a, size_t b) { return work(a) > work(b); });
  std::vector<int64_t> load(static_cast<size_t>(processes.size()), 0);
  for (const size_t i : whole) {
    const auto least = std::ranges::min_element(load);
    *least += work(i);
    places_[i].owner = static_cast<int>(least - load.begin());
  }
}

NumberRange OptimizerShares::of(size_t parameter, int rank, int64_t size) const {
  const Place& place = places_[parameter];
  if (place.owner >= 0) return {0, place.owner == rank ? size : 0};
  const NumberRange lines = part_of(lines_, processes_.size(), rank);
  const auto element = [&](int64_t at) { return std::clamp<int64_t>((at - place.line) * line, 0, size); };
  return {element(lines.begin), element(lines.end)};
}

void OptimizerShares::gather(const std::vector<Item>& items, size_t bytes_each) const {
  struct Window {
    const Item* item;
    NumberRange elements;
  };
  std::vector<Window> windows;
  int64_t held = 0;
  const auto exchange = [&] {
    std::string given;
    for (const auto& [item, elements] : windows) {
      const NumberRange own = mine(item->parameter, item->size), part = both(own, elements);
      if (part.begin < part.end)
        given.append(
            static_cast<const char*>(item->mine) + static_cast<size_t>(part.begin - own.begin) * bytes_each,
            static_cast<size_t>(part.end - part.begin) * bytes_each);
    }
    const std::vector<std::string> all = processes_.gather(given);
    for (size_t r = 0; r < all.size(); ++r) {
      const char* from = all[r].data();
      for (const auto& [item, elements] : windows) {
        const NumberRange part = both(of(item->parameter, static_cast<int>(r), item->size), elements);
        const size_t bytes = static_cast<size_t>(part.end - part.begin) * bytes_each;
        if (item->whole != nullptr && bytes > 0)
          std::memcpy(static_cast<char*>(item->whole) + static_cast<size_t>(part.begin) * bytes_each, from,
                      bytes);
        from += bytes;
      }
    }
    windows.clear();
    held = 0;
  };
  for (const Item& item : items)
    for (int64_t begin = 0; begin < item.size;) {
      const int64_t count = std::min(item.size - begin, most_at_once - held);
      windows.push_back({&item, {begin, begin + count}});
      begin += count;
      held += count;
      if (held == most_at_once) exchange();
    }
  if (!windows.empty()) exchange();
}

}  // namespace weft
