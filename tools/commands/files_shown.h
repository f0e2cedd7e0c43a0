// Files of pictures or of sounds, as a model sees or hears them.
#pragma once

#include <weft/lib/array/batch.h>
#include <weft/train/files/model_file.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace weft::tools {

struct FilesShown {
  const char* what = "";  ///< "pictures"
  int64_t size = 0;
  std::function<std::string(int64_t)> describe;
  std::function<std::string(int64_t)> error;  ///< why it is none; empty: it may be one
  std::function<Batch(int64_t first, int64_t count)> batch;
  std::vector<std::string> notes;
};

/// Files, folders of them, and tables that name them, for a model of pictures or of sounds; `set` may say which column does so,
/// file=COLUMN (ValueError for anything else). FileError that names a file that is none.
FilesShown files_shown(const ModelFile& file, const std::vector<std::string>& paths,
                       const std::vector<std::string>& set);

}  // namespace weft::tools
