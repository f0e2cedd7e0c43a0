#include <weft/train/evaluate.h>

#include <cstring>

namespace weft {
namespace {

struct Head {
  int64_t rows, count, right;
};

}  // namespace

void SharedLosses::add(const Loss& loss) {
  const Array rows = loss.rows.to(float64);
  const Head head{rows.size(), loss.count, loss.right};
  packed_.append(reinterpret_cast<const char*>(&head), sizeof head);
  packed_.append(static_cast<const char*>(rows.bytes()), rows.nbytes());
}

void SharedLosses::gather(Processes& processes, LossMeter& meter) const {
  for (const std::string& theirs : processes.gather(packed_)) {
    for (size_t at = 0; at < theirs.size();) {
      Head head;
      std::memcpy(&head, theirs.data() + at, sizeof head);
      at += sizeof head;
      Array rows({head.rows}, float64);
      std::memcpy(rows.mutable_bytes(), theirs.data() + at, rows.nbytes());
      at += rows.nbytes();
      meter.add({.sum = {}, .count = head.count, .rows = rows, .right = head.right});
    }
  }
}

}  // namespace weft
