#include <weft/data/listed_samples.h>

#include <numeric>
#include <set>

namespace weft {

std::vector<int64_t> first_numbers(int64_t count) {
  std::vector<int64_t> all(static_cast<size_t>(count));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

TextProgress of_pass(const TextProgress& progress, int pass, int passes) {
  if (!progress) return nullptr;
  return [&progress, pass, passes](int64_t done, int64_t all) { progress(pass * all + done, passes * all); };
}

std::string joint_hash(const std::string& train, const std::string* apart) {
  Hasher hasher;
  hasher.update(train);
  if (apart != nullptr) hasher.update(*apart);
  return to_hex(hasher.digest());
}

std::vector<std::string> notes_of_shared(const std::vector<Digest>& train, const std::vector<Digest>& apart,
                                         const std::string& what) {
  const std::set<Digest> known(train.begin(), train.end());
  const auto both = std::ranges::count_if(apart, [&](const Digest& one) { return known.contains(one); });
  if (both == 0) return {};
  return {
      str("warning: ", grouped(both), " of the ", what, "s that validate stand among those that train too")};
}

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
    fail<ValueError>(describe(static_cast<int64_t>(i)),
                     ": validates, and nothing that trains has its label '", names[label], "': there ",
                     count == 1 ? "is one " : str("are ", count, " "), what, count == 1 ? "" : "s",
                     " of it; give more of them, or those that validate apart: --val-data FILES");
  }
}

}  // namespace weft
