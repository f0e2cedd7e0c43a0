#include <weft/lib/base/error.h>
#include <weft/train/vocabulary_change.h>

#include <algorithm>
#include <deque>
#include <string>
#include <unordered_map>

namespace weft {
namespace {

/// Means over the kept entries of (outer, V, inner), (outer, inner).
template <class T>
std::vector<double> means(const T* values, int64_t outer, int64_t entries, int64_t inner,
                          const std::vector<int64_t>& from, int64_t kept) {
  std::vector<double> sums(static_cast<size_t>(outer * inner));
  for (int64_t o = 0; o < outer; ++o)
    for (const int64_t id : from)
      for (int64_t i = 0; id >= 0 && i < inner; ++i)
        sums[static_cast<size_t>(o * inner + i)] +=
            static_cast<double>(values[(o * entries + id) * inner + i]);
  for (double& sum : sums) sum /= static_cast<double>(kept);
  return sums;
}

}  // namespace

VocabularyChange::VocabularyChange(const Tokenizer& before, const Tokenizer& now)
    : before_(before.vocab_size()) {
  std::unordered_map<std::string, std::deque<int64_t>> ids;
  for (int64_t id = 0; id < before_; ++id) ids[before.decode(id)].push_back(id);
  for (int64_t id = 0; id < now.vocab_size(); ++id) {
    const auto same = ids.find(now.decode(id));
    const bool there = same != ids.end() && !same->second.empty();
    from_.push_back(there ? same->second.front() : -1);
    if (there) same->second.pop_front();
    kept_ += there;
  }
}

bool VocabularyChange::none() const {
  for (int64_t id = 0; id < now(); ++id)
    if (from_[static_cast<size_t>(id)] != id) return false;
  return now() == before_;
}

Array VocabularyChange::applied(const Array& array, int axis, Fresh fresh) const {
  const Shape& shape = array.shape();
  if (shape.dim(axis) != before_)
    fail<ShapeError>("VocabularyChange: ", shape, " has no entry for each of ", before_, " ids on axis ",
                     axis);
  if (fresh == Fresh::mean && kept_ == 0 && now() > 0)
    fail<ValueError>("VocabularyChange: no token is kept, so that there is no mean of them");
  int64_t outer = 1, inner = 1;
  for (int i = 0; i < axis; ++i) outer *= shape[i];
  for (int i = axis + 1; i < shape.rank(); ++i) inner *= shape[i];
  Array result = Array::zeros(shape.with(axis, now()), array.dtype());
  visit_floating("VocabularyChange", array.dtype(), [&]<class T>(T) {
    const T* const values = array.data<T>();
    T* out = result.mutable_data<T>();
    std::vector<double> mean;
    if (fresh == Fresh::mean && kept_ < now()) mean = means(values, outer, before_, inner, from_, kept_);
    for (int64_t o = 0; o < outer; ++o)
      for (const int64_t id : from_) {
        if (id >= 0)
          std::copy_n(values + (o * before_ + id) * inner, inner, out);
        else if (!mean.empty())
          std::transform(mean.begin() + o * inner, mean.begin() + (o + 1) * inner, out,
                         [](double value) { return static_cast<T>(value); });
        out += inner;
      }
  });
  return result;
}

}  // namespace weft
