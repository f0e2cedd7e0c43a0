#include <weft/lib/files/hdf5_links_internal.h>

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

namespace weft::hdf5 {
namespace {

using Bytes = std::span<const uint8_t>;

/// Bytes in which numbers up to `most` are kept.
size_t width_for(uint64_t most) { return static_cast<size_t>(std::bit_width(most) + 7) / 8; }

/// A B-tree of version 2: the records of all its nodes.
class Tree {
 public:
  Tree(UntrustedBytes& file, uint64_t at, uint8_t type, size_t record)
      : file_(file), type_(type), record_(record) {
    Fields header = file.fields(at, 38, "B-tree");
    header.expect("BTHD");
    header.expect(1, 0, "version");
    header.expect(1, type, "type");
    header.expect(4, node_bytes, "node size");
    header.expect(2, record, "record size");
    const size_t depth = header.number<uint16_t>();
    if (depth >= levels_.size()) file.refuse("its B-tree is ", depth, " levels deep");
    header.expect(2, 0x2864, "splitting and merging");
    const auto root = header.number<uint64_t>();
    const size_t count = header.number<uint16_t>();
    const auto total = header.number<uint64_t>();
    measure();
    if (total > 0) read(root, depth, count);
    if (records_.size() != total) file.refuse("its B-tree holds ", records_.size(), " records, not ", total);
  }

  const std::vector<Bytes>& records() const { return records_; }

 private:
  static constexpr size_t node_bytes = 512, node_overhead = 10;
  struct Level {
    size_t records = 0;       ///< most of a node
    uint64_t with_below = 0;  ///< and of those below
  };

  /// Bytes that point to a node of a level: address, its records, and those with all below where there are such.
  size_t pointer_bytes(size_t level) const {
    return 8 + width_for(levels_[0].records) + (level > 0 ? width_for(levels_[level].with_below) : 0);
  }
  void measure() {
    const size_t leaf = (node_bytes - node_overhead) / record_;
    levels_[0] = {leaf, leaf};
    for (size_t level = 1; level < levels_.size(); ++level) {
      const size_t pointer = pointer_bytes(level - 1);
      const size_t most = (node_bytes - node_overhead - pointer) / (record_ + pointer);
      levels_[level] = {most, (most + 1) * levels_[level - 1].with_below + most};
    }
  }

  void read(uint64_t at, size_t level, size_t count) {
    if (count > levels_[level].records) file_.refuse("a node of its B-tree holds ", count, " records");
    Fields node = file_.fields(at, node_bytes, "node of a B-tree");
    node.expect(level > 0 ? "BTIN" : "BTLF");
    node.expect(1, 0, "version");
    node.expect(1, type_, "type");
    for (size_t i = 0; i < count; ++i) records_.push_back(node.bytes(record_));
    if (level == 0) return;
    for (size_t i = 0; i <= count; ++i) {
      const auto child = node.number<uint64_t>();
      const size_t records = node.number(width_for(levels_[0].records));
      if (level > 1) node.bytes(width_for(levels_[level - 1].with_below));
      read(child, level - 1, records);
    }
  }

  UntrustedBytes& file_;
  uint8_t type_;
  size_t record_;
  std::array<Level, 9> levels_;  ///< from the leaves up: more than 2^40 records
  std::vector<Bytes> records_;
};

/// A fractal heap: objects by their identifiers of seven bytes. One of up to 4,096 bytes lies in a block, of which there
/// are four in a row, 512 bytes each in the first two rows and twice as many in each that follows; from 64 KiB on
/// a place of a row holds a table of rows of its own. A larger object lies alone, and a B-tree tells where.
class Heap {
 public:
  Heap(UntrustedBytes& file, uint64_t at) : file_(file), at_(at) {
    Fields header = file.fields(at, 146, "heap");
    header.expect("FRHP");
    header.expect(1, 0, "version");
    header.expect(2, id_bytes, "identifier size");
    header.expect(2, 0, "filter size");
    header.expect(1, 2, "flags");
    header.expect(4, 4096, "largest object in a block");
    header.bytes(8);  // the next number of a large object
    const auto large = header.number<uint64_t>();
    header.bytes(8 *
                 6);  // bytes free, where those are kept, bytes in use and allocated, where to go on; objects
    header.bytes(8 * 2);  // bytes and number of the large objects
    header.expect(8, 0, "bytes of tiny objects");
    header.expect(8, 0, "number of tiny objects");
    header.expect(2, width, "table width");
    header.expect(8, first_block, "first block");
    header.expect(8, largest_block, "largest block");
    header.expect(2, 8 * offset_bytes, "bits of an offset");
    header.expect(2, 1, "rows at first");
    const auto root = header.number<uint64_t>();
    const size_t rows = header.number<uint16_t>();
    if (rows > rows_of(uint64_t{1} << 8 * offset_bytes)) file.refuse("its heap has ", rows, " rows");
    if (rows > 0)
      read_table(root, rows, 0);
    else if (root != no_address)
      read_block(root, first_block, 0);
    if (large != no_address) read_large(large);
  }

  /// Each only once.
  Bytes object(Bytes id) {
    Fields fields(file_, id, "heap identifier");
    const uint8_t kind = fields.number<uint8_t>();
    if (kind == large_object) {
      const auto found = large_.find(fields.number(id_bytes - 1));
      if (found == large_.end()) file_.refuse("its heap has no large object of a number that it names");
      return file_.take(found->second.first, found->second.second, "entry");
    }
    if (kind != 0) file_.refuse("its heap has an object of the kind ", int{kind});
    const uint64_t offset = fields.number(offset_bytes), size = fields.number<uint16_t>();
    const auto behind = std::ranges::upper_bound(blocks_, offset, {}, &Block::offset);
    if (behind == blocks_.begin()) file_.refuse("its heap holds nothing at ", offset);
    const Block& block = *std::prev(behind);
    const uint64_t within = offset - block.offset;
    if (within < block_overhead || within > block.bytes.size() || size > block.bytes.size() - within ||
        !objects_.add(offset, size))
      file_.refuse("its heap holds no object of ", size, " bytes at ", offset);
    return block.bytes.subspan(within, size);
  }

 private:
  static constexpr size_t id_bytes = 7, offset_bytes = 4, width = 4;
  static constexpr uint64_t first_block = 512, largest_block = 65536;
  static constexpr size_t block_overhead = 4 + 1 + 8 + offset_bytes + 4;
  static constexpr uint8_t large_object = 0x10;
  struct Block {
    uint64_t offset;
    Bytes bytes;
  };

  /// Rows of which `bytes` consist.
  static size_t rows_of(uint64_t bytes) {
    return static_cast<size_t>(std::bit_width(bytes) - std::bit_width(first_block * width)) + 1;
  }

  Fields begun(Bytes bytes, const char* what, std::string_view signature, uint64_t offset) {
    Fields fields(file_, bytes, what);
    fields.expect(signature);
    fields.expect(1, 0, "version");
    fields.expect(8, at_, "heap's address");
    fields.expect(offset_bytes, offset, "offset");
    return fields;
  }

  void read_block(uint64_t at, uint64_t size, uint64_t offset) {
    const Bytes bytes = file_.take(at, size, "block of a heap");
    begun(bytes, "block of a heap", "FHDB", offset);
    blocks_.push_back({offset, bytes});
  }

  void read_table(uint64_t at, size_t rows, uint64_t offset) {
    const Bytes bytes = file_.take(at, block_overhead + 8 * width * rows, "table of a heap");
    Fields table = begun(bytes, "table of a heap", "FHIB", offset);
    for (size_t row = 0; row < rows; ++row) {
      const uint64_t size = first_block << (row > 0 ? row - 1 : 0);
      for (size_t column = 0; column < width; ++column, offset += size) {
        const auto child = table.number<uint64_t>();
        if (child == no_address) continue;
        if (size > largest_block)
          read_table(child, rows_of(size), offset);
        else
          read_block(child, size, offset);
      }
    }
  }

  void read_large(uint64_t at) {
    const Tree tree(file_, at, 1, 24);
    for (const Bytes record : tree.records()) {
      Fields fields(file_, record, "large object");
      const auto begin = fields.number<uint64_t>(), size = fields.number<uint64_t>();
      large_[fields.number<uint64_t>()] = {begin, size};
    }
  }

  UntrustedBytes& file_;
  uint64_t at_;
  std::vector<Block> blocks_;                                ///< in the order of their offsets
  std::map<uint64_t, std::pair<uint64_t, uint64_t>> large_;  ///< by number: where, and bytes
  Claims objects_;
};

}  // namespace

HardLink link_of(const UntrustedBytes& file, Bytes message) {
  Fields fields(file, message, "entry");
  fields.expect(1, 1, "version");
  const uint8_t flags = fields.number<uint8_t>();
  constexpr uint8_t length_width = 3, has_letters = 0x10;
  if ((flags & ~length_width) != has_letters)
    file.refuse("it has an entry that is a soft or external link, or not in UTF-8");
  fields.expect(1, 1, "letters");
  const Bytes name = fields.bytes(fields.number(size_t{1} << (flags & length_width)));
  HardLink link{{name.begin(), name.end()}, fields.number<uint64_t>()};
  fields.expect_end();
  return link;
}

std::vector<HardLink> dense_links(UntrustedBytes& file, uint64_t heap, uint64_t names) {
  constexpr size_t hash_bytes = 4, id_bytes = 7;
  Heap objects(file, heap);
  const Tree tree(file, names, 5, hash_bytes + id_bytes);
  std::vector<HardLink> links;
  for (const Bytes record : tree.records())
    links.push_back(link_of(file, objects.object(record.subspan(hash_bytes))));
  return links;
}

}  // namespace weft::hdf5
