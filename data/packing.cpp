#include <weft/data/packing.h>
#include <weft/lib/array/random.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <numeric>
#include <set>

namespace weft {
namespace {

constexpr int64_t in_group = 1024;  // documents

}  // namespace

/// The documents of a group, and how what is left of them shares blocks.
struct PackedBlocks::Group {
  std::vector<int64_t> begins;              ///< of its documents in the range, then their end
  std::vector<std::vector<size_t>> shared;  ///< documents of each block that several share
  int64_t whole = 0;                        ///< blocks that one document fills
  int64_t scored = 0;

  int64_t size() const { return whole + std::ssize(shared); }
  int64_t inputs(size_t document) const {
    return std::max<int64_t>(0, begins[document + 1] - begins[document] - 1);
  }
};

PackedBlocks::PackedBlocks(TokenRange tokens, TextDocuments documents, int64_t block_size)
    : tokens_(std::move(tokens)),
      documents_(std::move(documents)),
      block_size_(block_size),
      first_blocks_{0} {
  if (block_size < 1) fail<ValueError>("PackedBlocks: block_size must be at least 1, not ", block_size);
  const int64_t end = tokens_.begin + tokens_.size;
  first_document_ = tokens_.size > 0 ? documents_.at(tokens_.begin) : 0;
  end_document_ = tokens_.size > 0 ? documents_.from(end) : 0;
  for (int64_t number = 0; first_document_ + number * in_group < end_document_; ++number) {
    const Group made = group(number);
    scored_ += made.scored;
    first_blocks_.push_back(first_blocks_.back() + made.size());
  }
  if (size() == 0)
    fail<ValueError>(tokens_.name,
                     ": no document has two tokens, which make an input and a target; there are ",
                     tokens_.size, " tokens in ", end_document_ - first_document_, " documents");
}

PackedBlocks::Group PackedBlocks::group(int64_t number) const {
  Group made;
  const int64_t first = first_document_ + number * in_group,
                count = std::min(in_group, end_document_ - first);
  made.begins.resize(static_cast<size_t>(count) + 1);
  documents_.begins(first, made.begins);
  for (int64_t& begin : made.begins) begin = std::clamp<int64_t>(begin - tokens_.begin, 0, tokens_.size);
  std::vector<std::pair<int64_t, size_t>>
      left;  // inputs, negative so that the longest come first, and document
  for (size_t document = 0; document < static_cast<size_t>(count); ++document) {
    const int64_t inputs = made.inputs(document);
    made.scored += inputs;
    made.whole += inputs / block_size_;
    if (const int64_t rest = inputs % block_size_; rest > 0) left.emplace_back(-rest, document);
  }
  std::ranges::sort(left);
  std::set<std::pair<int64_t, size_t>> room;  // of each block, with its number
  for (const auto& [negative, document] : left) {
    const int64_t inputs = -negative;
    auto found = room.lower_bound({inputs, 0});
    std::pair<int64_t, size_t> block{block_size_, made.shared.size()};
    if (found == room.end())
      made.shared.emplace_back();
    else
      block = *found, room.erase(found);
    made.shared[block.second].push_back(document);
    if (block.first > inputs) room.emplace(block.first - inputs, block.second);
  }
  return made;
}

std::vector<PackedBlocks::Piece> PackedBlocks::operator[](int64_t block) const {
  if (block < 0 || block >= size()) fail<ValueError>("PackedBlocks: block ", block, " of ", size());
  const auto after = std::ranges::upper_bound(first_blocks_, block);
  const auto number = after - first_blocks_.begin() - 1;
  const Group found = group(number);
  int64_t place = block - first_blocks_[static_cast<size_t>(number)];
  std::vector<Piece> pieces;
  if (place < found.whole) {
    size_t document = 0;
    for (; place >= found.inputs(document) / block_size_; ++document)
      place -= found.inputs(document) / block_size_;
    return {{found.begins[document] + place * block_size_, block_size_}};
  }
  for (const size_t document : found.shared[static_cast<size_t>(place - found.whole)]) {
    const int64_t inputs = found.inputs(document), rest = inputs % block_size_;
    pieces.push_back({found.begins[document] + inputs - rest, rest});
  }
  return pieces;
}

Batch PackedBlocks::batch(std::span<const int64_t> blocks) const {
  const int64_t rows = std::ssize(blocks);
  Batch batch{Array::zeros({rows, block_size_}, int64),
              Array::full({rows, block_size_}, double{Batch::ignored}, int64)};
  int64_t* const inputs = batch.inputs.mutable_data<int64_t>();
  int64_t* const targets = batch.targets.mutable_data<int64_t>();
  std::vector<int64_t> ids;
  for (int64_t row = 0; row < rows; ++row) {
    std::vector<int64_t>& begins = batch.documents.emplace_back();
    int64_t at = row * block_size_;
    for (const auto [begin, length] : (*this)[blocks[static_cast<size_t>(row)]]) {
      begins.push_back(at - row * block_size_);
      ids.resize(static_cast<size_t>(length) + 1);
      tokens_.read(begin, ids);
      std::copy(ids.begin(), ids.end() - 1, inputs + at);
      std::copy(ids.begin() + 1, ids.end(), targets + at);
      at += length;
    }
  }
  return batch;
}

double PackedBlocks::filled() const {
  return static_cast<double>(scored_) / static_cast<double>(size()) / static_cast<double>(block_size_);
}

int64_t PackedDataset::block_of(int64_t sample) const {
  const auto all = static_cast<uint64_t>(blocks_.size());
  const auto number = static_cast<uint64_t>(sample);
  return static_cast<int64_t>(
      permuted(random_key(seed_, stream_id("data.order"), number / all), number % all, all));
}

Batch PackedDataset::batch(int64_t first, int64_t count) const {
  check_samples("PackedDataset", first, count);
  std::vector<int64_t> blocks;
  for (int64_t n = first; n < first + count; ++n) blocks.push_back(block_of(n));
  return blocks_.batch(blocks);
}

std::vector<std::vector<SamplePlace>> PackedDataset::places(int64_t first, int64_t count) const {
  check_samples("PackedDataset", first, count);
  std::vector<int64_t> ends;
  std::vector<size_t> stretches;
  for (int64_t n = first; n < first + count; ++n) {
    const auto pieces = blocks_[block_of(n)];
    stretches.push_back(pieces.size());
    for (const auto [begin, length] : pieces) ends.insert(ends.end(), {begin, begin + length});
  }
  return places_of(blocks_.tokens(), ends, stretches);
}

}  // namespace weft
