// Files of texts of which each is answered.
#pragma once

#include <weft/data/records/record_options.h>
#include <weft/train/files/model_file.h>

#include <string>
#include <vector>

namespace weft::tools {

/// How the records of `data` are read, one column of each: the one that --set or the model's own training names (text=2), else
/// that called text; of lines each whole. An empty text is kept, unless --set says otherwise. ValueError for keys that are none.
RecordOptions text_records(const ModelFile& model, const std::vector<std::string>& data,
                           const std::vector<std::string>& set);

}  // namespace weft::tools
