#include <weft/data/text/data_files.h>
#include <weft/data/text/document_reader.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/join.h>

#include <algorithm>

namespace weft {

std::string TextFiles::how() const {
  std::string text = name_of(newlines);
  if (by_file) text += " files";
  if (records)
    text += str(" records ", records->format, " ", joined(records->columns, ","), " ",
                static_cast<int>(records->header), " ", static_cast<int>(records->invalid), " ",
                static_cast<int>(records->empty), " ", static_cast<int>(records->quotes));
  return text;
}

DocumentReader::DocumentReader(TextFiles files, Options options)
    : files_(std::move(files)), options_(std::move(options)) {
  if (!files_.records) {
    text_.emplace(files_.paths, TextReader::Options{.utf8 = options_.utf8,
                                                    .refuse_nul = options_.refuse_nul,
                                                    .newlines = files_.newlines,
                                                    .piece_bytes = options_.piece_bytes,
                                                    .progress = options_.progress});
    paths_ = data_files(files_.paths);
    return;
  }
  RecordOptions records = *files_.records;
  records.progress = options_.progress;
  records_.emplace(files_.paths, records);
  paths_ = records_->files();
  if (const std::vector<std::string>& columns = records_->columns(); columns.size() != 1)
    fail<ValueError>(paths_.at(0), ": its records have ", columns.size(), " columns (", joined(columns),
                     "); text=COLUMN says which holds the text");
}

std::optional<DocumentPiece> DocumentReader::next() {
  for (;;) {
    const auto piece = records_ ? read_record() : read();
    if (!piece) return {};
    text_bytes_ += static_cast<int64_t>(piece->text.size());
    if (!options_.wanted || options_.wanted(documents_ - 1)) return piece;
  }
}

std::optional<DocumentPiece> DocumentReader::read() {
  const std::string_view text = text_->next();
  if (text.empty()) return {};
  const bool fresh = file_bytes_.empty() || text_->file() != file_;
  if (fresh) {
    file_ = text_->file();
    file_bytes_.push_back(0);
    line_ = 1;
  }
  const DocumentPiece piece{text, documents_ == 0 || (fresh && files_.by_file), file_, line_,
                            file_bytes_.back()};
  file_bytes_.back() += static_cast<int64_t>(text.size());
  documents_ += piece.begins;
  line_ += std::count(text.begin(), text.end(), '\n');
  return piece;
}

std::optional<DocumentPiece> DocumentReader::read_record() {
  auto record = records_->next();
  if (!record) return {};
  field_ = std::move(record->fields.at(0));
  carriage_returns_ += std::ranges::count(field_, '\r');
  if (files_.newlines == Newlines::lf) std::erase(field_, '\r');
  ++documents_;
  return DocumentPiece{field_, true, record->place.file, record->place.line};
}

TextNotes DocumentReader::notes() const {
  if (text_) return text_->notes();
  // A byte-order mark of records is passed over.
  return {.carriage_returns = carriage_returns_,
          .replaced = records_->notes().replaced,
          .skipped = records_->notes().skipped};
}

std::string DocumentReader::content_hash() const {
  if (records_) return records_->content_hash();
  if (!files_.by_file || file_bytes_.size() < 2) return text_->content_hash();
  // The same bytes, cut elsewhere, are other documents.
  Hasher hasher;
  hasher.update(text_->content_hash());
  for (const int64_t bytes : file_bytes_) hasher.update(str(" ", bytes));
  return to_hex(hasher.digest());
}

}  // namespace weft
