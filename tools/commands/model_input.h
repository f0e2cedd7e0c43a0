// What a model is given by hand: a text, or a batch of one: ids, what an encoder-decoder has answered, a picture.
#pragma once

#include <weft/data/pictures/fit.h>
#include <weft/data/sounds/log_mel.h>
#include <weft/layers/models/model.h>
#include <weft/train/files/model_file.h>
#include <weft/train/files/opened_model.h>

#include <cstdint>
#include <string>
#include <vector>

namespace weft::tools {

/// A text as those were read that the model was trained on: without carriage returns, if they were dropped then.
std::string as_trained(const ModelFile& model, std::string text);
/// Ids of a text as it was trained. ValueError that begins with `name` for one that the tokenizer does not know; of a
/// carriage return at the end it says how they are taken out of `file`, which the text is a line of, if it is.
std::vector<int64_t> ids_of_text(const ModelFile& model, const std::string& name, const std::string& text,
                                 const std::string& file = {});

/// Reads the next line of standard input; false at its end. ValueError for a line of more than a megabyte, as one without
/// an end would take all memory.
bool next_line(std::string& line);
/// Whether a person types it.
bool input_is_terminal();

/// (1, T).
Array row_of(const std::vector<int64_t>& ids);

/// "0,5,9": what `model` has answered so far, told with the start token before it, which is left out.
/// ValueError as parse_ids(), and when it begins with another token.
std::vector<int64_t> parse_answer(const std::string& name, const std::string& text,
                                  const GenerativeModel& model);
/// The targets (1, 1 + T) of which a decoder reads the start token and `answer`.
Array targets_of(const GenerativeModel& model, std::vector<int64_t> answer);

/// A picture as the model sees it, (channels, height, width): a file of NumPy, float32 of that shape, is taken as it is; any
/// other is fitted to the model's size (data/pictures). Errors as those of read_npy() and read_picture(), and ValueError for
/// other arrays and for values that are not finite.
Array picture_for(const ModelFile& model, const std::string& path);
/// How the model's pictures were fitted.
Fit fit_of(const ModelFile& model);
Batch batch_of_picture(const Array& picture);
/// ValueError for a model that hears sounds, and answers no text.
void refuse_sounds(const OpenedModel& opened);
/// The frames that a model of sounds hears. ValueError for a model that does not know.
LogMel frames_heard_by(const ModelFile& model);

}  // namespace weft::tools
