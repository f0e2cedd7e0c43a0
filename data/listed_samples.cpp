#include <weft/data/listed_samples.h>

namespace weft {

ListedSplit split_by_digest(const std::vector<Digest>& digests, double share, const std::string& path,
                            const std::string& what) {
  ListedSplit split;
  for (size_t i = 0; i < digests.size(); ++i)
    (is_validation(digests[i], share) ? split.validation : split.train).push_back(static_cast<int64_t>(i));
  if (split.train.empty() || split.validation.empty())
    fail<ValueError>(path, ": ", grouped(std::ssize(digests)), " ", what, "s leave none to ",
                     split.train.empty() ? "train" : "validate", " with val_share = ", share,
                     "; give more of them, or those that validate: --val-data FILES");
  return split;
}

void check_all_train(const std::vector<int64_t>& classes, const std::vector<int64_t>& train,
                     const std::vector<std::string>& names, const std::string& what,
                     const std::function<std::string(int64_t place)>& describe) {
  std::vector<char> trains(names.size());
  for (const int64_t place : train) trains[static_cast<size_t>(classes[static_cast<size_t>(place)])] = 1;
  for (size_t i = 0; i < classes.size(); ++i) {
    const auto label = static_cast<size_t>(classes[i]);
    if (trains[label] != 0) continue;
    const auto count = std::ranges::count(classes, classes[i]);
    fail<ValueError>(describe(static_cast<int64_t>(i)), ": validates, and nothing that trains has its label '", names[label],
                     "': there ", count == 1 ? "is one " : str("are ", count, " "), what, count == 1 ? "" : "s",
                     " of it; give more of them, or those that validate apart: --val-data FILES");
  }
}

}  // namespace weft
