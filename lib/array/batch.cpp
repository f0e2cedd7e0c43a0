#include <weft/lib/array/batch.h>

#include <algorithm>

namespace weft {

Array padded_rows(const std::vector<std::vector<int64_t>>& rows, int64_t with) {
  size_t longest = 0;
  for (const std::vector<int64_t>& row : rows) longest = std::max(longest, row.size());
  Array ids({std::ssize(rows), static_cast<int64_t>(longest)}, int64);
  int64_t* out = ids.mutable_data<int64_t>();
  for (const std::vector<int64_t>& row : rows) {
    std::fill(std::ranges::copy(row, out).out, out + longest, with);
    out += longest;
  }
  return ids;
}

}  // namespace weft
