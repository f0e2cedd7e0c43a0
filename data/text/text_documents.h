// Where the documents of a text begin among its tokens, and in which file and line.
#pragma once

#include <weft/data/text/tokens.h>

#include <cstdint>
#include <memory>
#include <utility>

namespace weft {

/// Rows of three numbers, kept beside the ids: nothing that grows with a text is held in memory. Any number of threads may
/// read it.
class TextDocuments {
 public:
  struct Row {
    int64_t begin = 0;  ///< its first token
    int64_t file = 0;   ///< the number of its file
    int64_t line = 1;   ///< in which it begins
  };
  TextDocuments() = default;
  /// One document, of all the tokens.
  explicit TextDocuments(int64_t tokens) : tokens_(tokens) {}
  /// `numbers` has three for each document, in order. ValueError when they are not whole rows.
  TextDocuments(std::shared_ptr<const Tokens> numbers, int64_t tokens);

  int64_t size() const { return numbers_ ? numbers_->size() / 3 : 1; }
  Row operator[](int64_t index) const;
  /// The first tokens of documents [first, first + out.size()); number size() is the end of all.
  void begins(int64_t first, std::span<int64_t> out) const;
  /// The document that holds a token; of an end of text, the one it ends.
  int64_t at(int64_t token) const;
  /// The first document that begins at that token or behind it; size() without one.
  int64_t from(int64_t token) const;
  int64_t tokens() const { return tokens_; }

 private:
  std::shared_ptr<const Tokens> numbers_;
  int64_t tokens_ = 0;
};

}  // namespace weft
