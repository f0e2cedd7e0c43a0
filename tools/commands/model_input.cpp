#include "model_input.h"

#include <weft/lib/base/error.h>
#include <weft/lib/base/values.h>
#include <weft/lib/files/npy.h>

namespace weft::tools {

Array row_of(const std::vector<int64_t>& ids) {
  return Array::from(ids, {1, static_cast<int64_t>(ids.size())});
}

std::vector<int64_t> parse_answer(const std::string& name, const std::string& text,
                                  const GenerativeModel& model) {
  std::vector<int64_t> ids = parse_ids(name, text, model.config_state().integer("vocab_size"));
  if (ids[0] != model.start_id())
    fail<ValueError>(name, ": begins with ", ids[0], ", not with the start token ", model.start_id());
  ids.erase(ids.begin());
  return ids;
}

Array targets_of(const GenerativeModel& model, std::vector<int64_t> answer) {
  answer.push_back(model.start_id());  // is not read
  return row_of(answer);
}

Array read_picture(const std::string& path) {
  const Array picture = read_npy(path);
  if (picture.dtype() != float32 || picture.rank() != 3)
    fail<ValueError>(path, ": holds ", picture.shape(), " ", picture.dtype(),
                     "; a picture is float32 (channels, height, width)");
  if (!picture.all_finite()) fail<ValueError>(path, ": has NaN or infinity in it, so it is no picture");
  return picture;
}

Batch batch_of_picture(const Array& picture) { return {picture.reshape(picture.shape().inserted(0, 1)), {}}; }

}  // namespace weft::tools
