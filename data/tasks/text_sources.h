// The texts that the task `text` reads: one, or several with weights, each divided into what trains and what validates.
#pragma once

#include <weft/data/tasks/task_data.h>
#include <weft/data/tasks/text_task.h>
#include <weft/data/text/tokenize.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace weft {

/// A part of a text that one thing is done with. Files and document numbers are those of `text`.
struct TextStretch {
  TokenizedText text;
  TextFiles files;
  TextScan scan;
  TextPart part = TextPart::all;  ///< documents of the files that `text` holds
  TokenRange tokens;
  double weight = 1;

  /// The documents that begin in it, or within which it begins.
  int64_t documents() const;
};

struct TextSources {
  std::shared_ptr<const Tokenizer> tokenizer;  ///< none of ids that are ready made, unless one was given
  int64_t vocab_size = 0;  ///< of the tokenizer; without one all ids that there are, up to the largest
  std::vector<TextStretch> training, validation;
  bool weighted = false;
  int64_t end_id = -1;
  std::string content_hash;
  std::vector<std::string> notes;  ///< of files that look like records, and of equal documents on both sides
};

/// Opens request.data, and request.val_data where there are some, as its settings say:
///   boundaries, text, format, ...   what a document is (text_files)
///   split    end: the first 90 % of each source train and the rest validates (split_text); of packed documents up to the
///            beginning of one. hash: a tenth of the documents validate, which ones says their text alone, so that each
///            stays where it is when others are added
///   data     "a.txt:3" has three times the weight of "b.txt:1"; without a weight all paths are one source
/// With val_data all of `data` trains, and they are read as `data` are, without weights. A tokenizer is learned from what
/// trains of all sources. With format=ids nothing is tokenised, and windows alone can be made of them. ValueError for
/// split=hash with none of the documents on one side; FileError, OtherText and ValueError as tokenize_files throws them.
TextSources open_text_sources(const TaskRequest& request);

}  // namespace weft
