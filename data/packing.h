// Whole documents packed into blocks, so that no place is spent on the text of another document.
#pragma once

#include <weft/data/dataset.h>
#include <weft/data/text/text_documents.h>
#include <weft/data/text/tokens.h>

#include <cstdint>
#include <span>
#include <vector>

namespace weft {

/// Blocks of T inputs. A document of n tokens gives n - 1 inputs, each with the token behind it as target: the last
/// target is its end of text, where it has one, and no target is in another document. Its first T, next T, ... inputs are
/// blocks of their own; what is left, or a document that is shorter, shares a block with others of its group of 1,024
/// documents, by best fit in the order of falling lengths (Johnson, "Near-optimal bin packing algorithms", MIT 1973). A
/// document of one token gives nothing. Which blocks there are is a function of the documents alone; a block is found
/// without those before it, and what is kept in memory is one number a group. Any number of threads may read it.
class PackedBlocks {
 public:
  /// Of the documents that begin in `tokens`, and of the one it begins within. ValueError when block_size is below 1 or
  /// there is no document of two tokens.
  PackedBlocks(TokenRange tokens, TextDocuments documents, int64_t block_size);

  /// So many inputs from `begin` in the range, of one document; the targets lie one behind.
  struct Piece {
    int64_t begin = 0, length = 0;
    bool operator==(const Piece&) const = default;
  };
  int64_t size() const { return first_blocks_.back(); }
  std::vector<Piece> operator[](int64_t block) const;
  /// A row a block (B, T), with Batch::documents; padded by id 0 and Batch::ignored.
  Batch batch(std::span<const int64_t> blocks) const;
  /// Targets in all blocks.
  int64_t scored() const { return scored_; }
  /// The share of the places in all blocks that hold a token.
  double filled() const;
  int64_t block_size() const { return block_size_; }
  const TokenRange& tokens() const { return tokens_; }

 private:
  struct Group;
  Group group(int64_t number) const;

  TokenRange tokens_;
  TextDocuments documents_;
  int64_t block_size_, first_document_, end_document_, scored_ = 0;
  std::vector<int64_t> first_blocks_;  ///< of each group, then of all
};

/// Each block once in every epoch, in an order drawn from (seed, epoch).
class PackedDataset : public Dataset {
 public:
  PackedDataset(PackedBlocks blocks, uint64_t seed) : blocks_(std::move(blocks)), seed_(seed) {}

  int64_t samples_per_epoch() const override { return blocks_.size(); }
  Batch batch(int64_t first, int64_t count) const override;
  /// Of each document in the block.
  std::vector<std::vector<SamplePlace>> places(int64_t first, int64_t count) const override;
  /// The block that sample n of the run is.
  int64_t block_of(int64_t sample) const;
  const PackedBlocks& blocks() const { return blocks_; }

 private:
  PackedBlocks blocks_;
  uint64_t seed_;
};

}  // namespace weft
