// What a model is given by hand, as a batch of one: ids, what an encoder-decoder has answered, a picture.
#pragma once

#include <weft/layers/models/model.h>

#include <cstdint>
#include <string>
#include <vector>

namespace weft::tools {

/// (1, T).
Array row_of(const std::vector<int64_t>& ids);

/// "0,5,9": what `model` has answered so far, told with the start token before it, which is left out.
/// ValueError as parse_ids(), and when it begins with another token.
std::vector<int64_t> parse_answer(const std::string& name, const std::string& text,
                                  const GenerativeModel& model);
/// The targets (1, 1 + T) of which a decoder reads the start token and `answer`.
Array targets_of(const GenerativeModel& model, std::vector<int64_t> answer);

/// A file of NumPy, float32 (channels, height, width). Errors as read_npy(), and ValueError for other arrays and
/// for values that are not finite.
Array read_picture(const std::string& path);
Batch batch_of_picture(const Array& picture);

}  // namespace weft::tools
