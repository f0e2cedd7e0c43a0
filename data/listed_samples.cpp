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

}  // namespace weft
