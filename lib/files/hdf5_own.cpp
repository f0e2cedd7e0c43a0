#include <weft/lib/base/bfloat16.h>
#include <weft/lib/files/hdf5_file.h>
#include <weft/lib/files/hdf5_links_internal.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <initializer_list>
#include <optional>

// Sections II to IV of the HDF5 File Format Specification 3.0. What has but one form in the files that to_hdf5 makes is
// compared with the bytes of that form.

namespace weft {
namespace {

using namespace hdf5;
using Bytes = std::span<const uint8_t>;

constexpr int most_depth = 32;

/// Messages of an object's header.
enum Kind : uint16_t {
  nothing = 0x00,
  dataspace = 0x01,
  link_info = 0x02,
  datatype = 0x03,
  fill_value = 0x05,
  link = 0x06,
  layout = 0x08,
  group_info = 0x0a,
  attribute = 0x0c,
  continuation = 0x10,
  symbol_table = 0x11,
};

struct Message {
  Kind kind;
  Bytes bytes;
};

bool begins(Bytes message, std::string_view form) {
  const auto byte = [](char c) { return static_cast<uint8_t>(c); };
  return message.size() >= form.size() && std::ranges::equal(message.first(form.size()), form, {}, {}, byte);
}

/// Whether a message is this, but for the zeros that fill it up.
bool is(Bytes message, std::string_view form) {
  return begins(message, form) &&
         std::ranges::all_of(message.subspan(form.size()), [](uint8_t rest) { return rest == 0; });
}

using namespace std::string_view_literals;
constexpr auto float32_form = "\x11\x20\x1f\0\4\0\0\0\0\0\x20\0\x17\x08\0\x17\x7f\0\0\0"sv,
               float64_form = "\x11\x20\x3f\0\x08\0\0\0\0\0\x40\0\x34\x0b\0\x34\xff\3\0\0"sv,
               bfloat16_form = "\x11\x20\x0f\0\2\0\0\0\0\0\x10\0\7\x08\0\7\x7f\0\0\0"sv,
               int32_form = "\x10\x08\0\0\4\0\0\0\0\0\x20\0"sv,
               int64_form = "\x10\x08\0\0\x08\0\0\0\0\0\x40\0"sv,
               bool_form =
                   "\x18\2\0\0\1\0\0\0\x10\x08\0\0\1\0\0\0\0\0\x08\0"
                   "FALSE\0\0\0TRUE\0\0\0\0\0\1"sv,
               text_form = "\x13\x11\0\0"sv;
constexpr auto scalar_form = "\1\0\0\0\0\0\0\0"sv, null_form = "\2\0\0\2"sv;
/// The attribute `array`, an int8 of 1.
constexpr auto mark_form =
    "\1\0\6\0\x0c\0\x08\0array\0\0\0\x10\x08\0\0\1\0\0\0\0\0\x08\0\0\0\0\0\1\0\0\0\0\0\0\0\1"sv;

struct ElementType {
  std::string_view form;
  DType dtype;
  size_t bytes;  ///< in the file
};
constexpr ElementType element_types[] = {{float32_form, float32, 4},  {float64_form, float64, 8},
                                         {bfloat16_form, float32, 2}, {int32_form, int32, 4},
                                         {int64_form, int64, 8},      {bool_form, boolean, 1}};

class OwnReader {
 public:
  explicit OwnReader(UntrustedBytes& file) : file_(file) {}

  StateDict read(uint64_t user_block) {
    Fields block = file_.fields(0, 96, "superblock");
    block.expect("\x89HDF\r\n\x1a\n");
    block.expect(5, 0, "version");
    block.expect(3, 0x000808, "size of addresses and lengths");
    block.expect(4, 0x00100004, "size of nodes");
    block.expect(4, 0, "flags");
    block.expect(8, user_block, "base address");
    block.expect(8, no_address, "free space");
    // What closing the file gives back in memory stays behind its end.
    if (const auto end = block.number<uint64_t>(); end > user_block + file_.size())
      file_.refuse("it would end at ", end, ", beyond the ", user_block + file_.size(), " bytes there are");
    block.expect(8, no_address, "driver information");
    block.expect(8, 0, "name of the root");
    return read_group(messages_of(block.number<uint64_t>()), 0);
  }

 private:
  std::vector<Message> messages_of(uint64_t at) {
    Fields header = file_.fields(at, 16, "header");
    header.expect(2, 1, "version");
    const size_t count = header.number<uint16_t>();
    header.expect(4, 1, "number of links");
    const auto size = header.number<uint32_t>();
    header.expect(4, 0, "padding");
    std::vector<Message> messages;
    std::deque<Fields> chunks{file_.fields(at + 16, size, "header")};
    size_t found = 0;
    for (; !chunks.empty(); chunks.pop_front())
      while (chunks.front().left() > 0) {
        if (++found > count) file_.refuse("its header holds more messages than the ", count, " that it says");
        const Message message = next_message(chunks.front());
        if (message.kind == continuation) {
          Fields where(file_, message.bytes, "continuation of a header");
          const auto begin = where.number<uint64_t>(), bytes = where.number<uint64_t>();
          chunks.push_back(file_.fields(begin, bytes, "header"));
        } else if (message.kind != nothing) {
          messages.push_back(message);
        }
      }
    if (found < count) file_.refuse("its header holds ", found, " messages, not ", count);
    return messages;
  }

  Message next_message(Fields& chunk) {
    const auto kind = static_cast<Kind>(chunk.number<uint16_t>());
    const size_t size = chunk.number<uint16_t>();
    // Whether it never changes; the others say that it lies elsewhere, or what to do with a message that is not known.
    if (const auto flags = chunk.number<uint8_t>(); flags > 1 && kind != nothing)
      file_.refuse("a message of its header has the flags ", int{flags});
    chunk.bytes(3);
    return {kind, chunk.bytes(size)};
  }

  /// The message of a kind that may be there once.
  std::optional<Bytes> find(const std::vector<Message>& messages, Kind kind) {
    std::optional<Bytes> found;
    for (const Message& message : messages) {
      if (message.kind != kind) continue;
      if (found) file_.refuse("its header holds two messages of the kind ", int{kind});
      found = message.bytes;
    }
    return found;
  }
  Bytes get(const std::vector<Message>& messages, Kind kind, const char* what) {
    if (const auto found = find(messages, kind)) return *found;
    file_.refuse("it has no ", what);
  }
  void allow(const std::vector<Message>& messages, std::initializer_list<Kind> kinds) {
    for (const Message& message : messages)
      if (std::ranges::count(kinds, message.kind) == 0)
        file_.refuse("its header holds a message of the kind ", int{message.kind});
  }

  StateDict read_group(const std::vector<Message>& messages, int depth) {
    if (depth > most_depth) file_.refuse("it lies deeper than ", most_depth, " groups");
    StateDict state;
    if (const auto table = find(messages, symbol_table)) {
      allow(messages, {symbol_table});
      check_empty(*table);
      return state;
    }
    allow(messages, {link_info, group_info, link});
    const std::string place = file_.place;
    for (const HardLink& entry : links_of(messages)) {
      if (state.contains(entry.name)) file_.refuse("it has two entries '", entry.name, "'");
      file_.place = place + "/" + entry.name;
      const std::vector<Message> object = messages_of(entry.header);
      if (find(object, layout))
        read_dataset(object, entry.name, state);
      else
        state.set(entry.name, read_group(object, depth + 1));
      file_.place = place;
    }
    return state;
  }

  /// A group is made with a table of the oldest kind, which holds entries whose names are ASCII; ours never are.
  void check_empty(Bytes table) {
    Fields places(file_, table, "symbol table");
    Fields tree = file_.fields(places.number<uint64_t>(), 544, "B-tree of symbols");
    Fields heap = file_.fields(places.number<uint64_t>(), 32, "heap of symbols");
    tree.expect("TREE");
    tree.expect(4, 0, "type and entries");
    heap.expect("HEAP");
  }

  std::vector<HardLink> links_of(const std::vector<Message>& messages) {
    Fields info(file_, get(messages, link_info, "table of entries"), "table of entries");
    info.expect(2, 0, "version");
    const auto heap = info.number<uint64_t>(), names = info.number<uint64_t>();
    std::vector<HardLink> links;
    if (heap != no_address) links = dense_links(file_, heap, names);
    for (const Message& message : messages)
      if (message.kind == link) links.push_back(link_of(file_, message.bytes));
    return links;
  }

  void read_dataset(const std::vector<Message>& messages, const std::string& key, StateDict& state) {
    allow(messages, {dataspace, datatype, fill_value, layout, attribute});
    const Bytes space = get(messages, dataspace, "shape"), type = get(messages, datatype, "type");
    const auto mark = find(messages, attribute);
    if (mark && !is(*mark, mark_form)) file_.refuse("it has an attribute other than 'array'");
    if (begins(type, text_form)) {
      state.set(key, read_text(space, type, get(messages, layout, "layout")));
      return;
    }
    const Array array = read_array(space, type, get(messages, layout, "layout"));
    const bool number = array.rank() == 0 && (array.dtype() == int64 || array.dtype() == float64);
    if (mark && !number) file_.refuse("it has the attribute 'array', though it could be nothing else");
    if (!number || mark)
      state.set(key, array);
    else if (array.dtype() == int64)
      state.set(key, *array.data<int64_t>());
    else
      state.set(key, *array.data<double>());
  }

  /// The values, which are `size` bytes in one piece.
  Bytes values(Bytes where, uint64_t size) {
    Fields fields(file_, where, "layout");
    fields.expect(2, 0x0103, "version and class");
    const auto at = fields.number<uint64_t>();
    fields.expect(8, size, "bytes of values");
    if (size > 0) return file_.take(at, size, "values");
    if (at != no_address) file_.refuse("it has a place for values, but none");
    return {};
  }

  std::string read_text(Bytes space, Bytes type, Bytes where) {
    Fields fields(file_, type.subspan(text_form.size()), "type");
    const uint64_t size = fields.number<uint32_t>();
    fields.expect_end();
    const bool empty = is(space, null_form);
    if (!empty && !is(space, scalar_form)) file_.refuse("it is an array of texts");
    const Bytes text = values(where, empty ? 0 : size);
    return {text.begin(), text.end()};
  }

  Shape shape_of(Bytes space) {
    Fields fields(file_, space, "shape");
    fields.expect(1, 1, "version");
    const size_t rank = fields.number<uint8_t>();
    if (rank > static_cast<size_t>(Shape::max_rank)) file_.refuse("it has ", rank, " axes");
    fields.expect(6, rank > 0 ? 1 : 0, "flags");
    std::vector<int64_t> extents;
    for (size_t axis = 0; axis < rank; ++axis) {
      const auto extent = fields.number<uint64_t>();
      if (extent > INT64_MAX) file_.refuse("it has an axis of ", extent);
      extents.push_back(static_cast<int64_t>(extent));
    }
    for (const int64_t extent : extents) fields.expect(8, static_cast<uint64_t>(extent), "largest extent");
    fields.expect_end();
    return Shape(extents);
  }

  Array read_array(Bytes space, Bytes type, Bytes where) {
    const auto* const element =
        std::ranges::find_if(element_types, [&](const ElementType& e) { return is(type, e.form); });
    if (element == std::end(element_types))
      file_.refuse("it is of a type other than float32, float64, bfloat16, int32, int64, bool and text");
    const Shape shape = shape_of(space);
    const auto size = static_cast<uint64_t>(shape.size());
    if (size > file_.size()) file_.refuse("its ", shape, " values would be more than the file holds");
    const Bytes from = values(where, size * element->bytes);
    if (element->dtype == boolean && std::ranges::any_of(from, [](uint8_t byte) { return byte > 1; }))
      file_.refuse("it holds bools that are neither 0 nor 1");
    Array array(shape, element->dtype);
    if (from.empty()) return array;
    if (element->bytes == array.nbytes() / size)
      std::memcpy(array.mutable_bytes(), from.data(), from.size());
    else
      widen(from, array.mutable_data<float>());
    return array;
  }

  static void widen(Bytes from, float* to) {
    for (size_t at = 0; at < from.size(); at += 2)
      *to++ = float_of_bfloat16(static_cast<uint16_t>(from[at] | from[at + 1] << 8));
  }

  UntrustedBytes& file_;
};

}  // namespace

StateDict from_own_hdf5(Bytes bytes, const std::string& path, size_t user_block) {
  UntrustedBytes file(bytes.subspan(std::min(user_block, bytes.size())), path);
  try {
    return OwnReader(file).read(user_block);
  } catch (const ShapeError& error) {
    file.refuse(error.what());
  } catch (const ValueError& error) {
    file.refuse(error.what());
  }
}

}  // namespace weft
