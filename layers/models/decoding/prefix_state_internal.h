// What is remembered of rows that a model without a cache reads and writes: their ids.
#pragma once

#include <weft/layers/models/model.h>

#include <span>
#include <string>
#include <vector>

namespace weft {

class PrefixState : public DecoderState {
 public:
  /// `rows` rows that have read nothing. ValueError for a negative number of rows.
  explicit PrefixState(int64_t rows);
  /// Rows that answer what stands in the source, one each.
  explicit PrefixState(const Batch& source);
  void select(std::span<const int64_t> rows) override;
  /// Sources of tokens or frames may differ in length.
  bool join(DecoderState& other) override;
  int64_t length(int64_t row) const override;
  int64_t rows() const override { return static_cast<int64_t>(read_.size()); }

  /// The ids (B, T), of which lengths[b] in row b count (empty: all), join what each row has read.
  void append(const Array& ids, std::span<const int64_t> lengths);
  /// Takes back what append() added last.
  void take_back(const Array& ids, std::span<const int64_t> lengths);
  /// What Model::logits() takes to say something to all that was read: (B, T) ids with padding on the right,
  /// or, for an encoder-decoder, the source, and as targets what each row has read but for its first id, the
  /// start id.
  Batch batch() const;
  /// Whether there is a source that the rows answer.
  bool answers() const { return source_.inputs.defined(); }
  /// ValueError, naming the model, when a row has not begun with the start id.
  void check_start(const std::string& model, int64_t start_id) const;

 private:
  Batch source_;
  std::vector<std::vector<int64_t>> read_;
};

}  // namespace weft
