// What one pass over a text finds before it is tokenised: its characters, its digest, which documents validate.
#pragma once

#include <weft/data/text/document_reader.h>
#include <weft/data/text/tokenizer_registry.h>

#include <cstdint>
#include <functional>

namespace weft {

struct ScanOptions {
  bool utf8 = true;  ///< check, and collect the characters
  /// A NUL is an error (TextReader::Options). What makes a tokenizer of characters asks for it; a tokenizer that is there
  /// reads what it knows, so that a run goes on that had one in its text.
  bool refuse_nul = false;
  double validation =
      -1;                ///< from 0 on: which documents validate, by their text alone, and this share of them
  bool digests = false;  ///< of documents, to find equal ones
  int64_t piece_bytes = 1 << 20;
  TextProgress progress = nullptr;
};
/// One pass over a text. FileError as DocumentReader throws them.
TextScan scan_text(const TextFiles& files, const ScanOptions& options);

/// Documents of a text: all, those of a scan that validate, or the others.
enum class TextPart { all, training, validation };
/// For DocumentReader::Options: whether a document is of the part; nothing for all. The scan must outlive it.
std::function<bool(int64_t document)> wanted_documents(const TextScan& scan, TextPart part);

}  // namespace weft
