// A model that writes, opened to do so.
#pragma once

#include <weft/data/text/tokenizer.h>
#include <weft/layers/models/model.h>
#include <weft/train/files/opened_model.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace weft::tools {

struct WritingModel {
  OpenedModel file;
  std::shared_ptr<const Tokenizer> tokenizer;  ///< none of a model of bare ids
  std::unique_ptr<Model> model;
  const GenerativeModel* writer = nullptr;  ///< the model; null of one that writes nothing
  std::vector<int64_t> end_ids;             ///< a text ends with the first of these

  /// Whether it answers a text instead of going on with it.
  bool answers() const { return writer->has_encoder(); }
  /// Ids of a prompt as it was trained; of one that it answers with the end that those had. ValueError, which begins with
  /// `name`, for an empty one and as ids_of_text().
  std::vector<int64_t> encoded(const std::string& name, const std::string& text,
                               const std::string& file = {}) const;

  /// RUN or FILE.h5, as open_model() takes them, with weights as built_model() keeps them: `file` has none.
  static WritingModel open(const std::string& run_or_file, bool last, const Say& say,
                           const std::string& base = {}, const std::string& weights = "float32");
  /// ValueError for a model that writes nothing.
  void check_writes() const;
};

}  // namespace weft::tools
