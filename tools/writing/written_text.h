// What is written of tokens, as they come: without those that end a text, and up to a text that stops it.
#pragma once

#include <weft/data/text/streaming_decoder.h>

#include <cstdint>
#include <string>
#include <vector>

namespace weft::tools {

class WrittenText {
 public:
  struct Options {
    StreamingDecoder::Options decoding = {};
    std::vector<int64_t> silent = {};    ///< ids of which nothing is written
    std::vector<std::string> stop = {};  ///< the text stops once it has one of these; none is empty
    /// Whether the stop itself is left out, with what follows it in its token. Then what may be the beginning of one is
    /// held back until it is none.
    bool without_stop = false;
  };
  /// The tokenizer must outlive it.
  WrittenText(const Tokenizer& tokenizer, Options options);

  /// What is to be written now that this token has come.
  std::string next(int64_t id);
  /// What is to be written at the end.
  std::string rest();
  /// Whether one of the stops was written.
  bool stops() const { return stops_; }
  /// Bytes of the text up to now: those that were written, and those that are held back beside them.
  size_t written() const { return written_; }
  size_t size() const { return text_.size(); }

 private:
  size_t held_back() const;

  Options options_;
  StreamingDecoder decoder_;
  std::string text_;
  size_t written_ = 0;
  bool stops_ = false;
};

}  // namespace weft::tools
