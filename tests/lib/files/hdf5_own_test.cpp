#include <doctest/doctest.h>
#include <weft/lib/base/file.h>
#include <weft/lib/files/checkpoint.h>
#include <weft/lib/files/hdf5_file.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <limits>
#include <random>

#include "checks.h"

using namespace weft;

namespace {

using Bytes = std::vector<uint8_t>;

/// The state of a checkpoint, as both readers find it.
StateDict by_both(const Bytes& image, const std::string& path) {
  const StateDict own = from_own_hdf5(image, path, checkpoint_header_bytes);
  CHECK_MESSAGE(identical(own, from_hdf5(image, path)), path);
  return own;
}

/// All checkpoints of tests/fixtures.
std::vector<std::string> fixtures() {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(WEFT_SOURCE_DIR "/tests/fixtures"))
    if (entry.path().extension() == ".h5") paths.push_back(entry.path().string());
  std::ranges::sort(paths);
  return paths;
}

class Random {
 public:
  explicit Random(uint64_t seed) : generator_(seed) {}
  /// In [0, below).
  size_t operator()(size_t below) { return std::uniform_int_distribution<size_t>(0, below - 1)(generator_); }
  uint64_t bits() { return generator_(); }

 private:
  std::mt19937_64 generator_;
};

std::string random_text(Random& random, size_t most) {
  static const char* const letters[] = {"a", "0", ".", " ", "\n", "\xc3\xa9", "\xf0\x9f\x98\x80"};
  std::string text;
  for (size_t left = random(most + 1); left > 0; --left) text += letters[random(std::size(letters))];
  return text;
}

std::string random_key(Random& random) {
  switch (random(30)) {
    case 0:
      return random_text(random, 3000) + "long";
    case 1:
      return random_text(random, 300) + "l";
    default:
      return random_text(random, 12) + "k";
  }
}

Array random_array(Random& random) {
  static const DType dtypes[] = {float32, float64, int32, int64, boolean};
  std::vector<int64_t> extents;
  for (size_t rank = random(random(4) == 0 ? 9 : 4); rank > 0; --rank)
    extents.push_back(static_cast<int64_t>(random(random(10) == 0 ? 2 : 5)));
  Array array{Shape(extents), dtypes[random(5)]};
  auto* const bytes = static_cast<uint8_t*>(array.mutable_bytes());
  for (size_t i = 0; i < array.nbytes(); ++i)
    bytes[i] = static_cast<uint8_t>(array.dtype() == boolean ? random(2) : random.bits());
  return array;
}

constexpr int most_deep = 3;

StateDict random_state(Random& random, int depth = most_deep) {
  StateDict state;
  for (size_t left = random(depth == most_deep && random(4) == 0 ? 200 : 12); left > 0; --left) {
    const std::string key = random_key(random);
    switch (random(6)) {
      case 0:
        state.set(key, static_cast<int64_t>(random.bits()));
        break;
      case 1:
        state.set(key, std::bit_cast<double>(random.bits()));
        break;
      case 2:
        state.set(key, random_text(random, random(100) == 0 ? 100'000 : 20));
        break;
      case 3:
        if (depth > 0) state.set(key, random_state(random, depth - 1));
        break;
      default:
        state.set(key, random_array(random));
    }
  }
  return state;
}

/// Names of every length about where they are kept in another way.
StateDict with_long_names() {
  StateDict state;
  for (const size_t length : {1, 255, 256, 4000, 4080, 4081, 4082, 4083, 4084, 4085, 4096, 5000, 70'000})
    state.set(std::string(length, 'x'), static_cast<int64_t>(length));
  for (int i = 0; i < 40; ++i) state.set(str(i, std::string(5000, 'y')), i);
  return state;
}

StateDict with_entries(int count) {
  StateDict state;
  for (int i = 0; i < count; ++i) state.set(str("blocks.", i, ".weight"), i);
  return state;
}

/// As a stranger may send it: whatever it holds, its digests are right.
Bytes under_digest(Bytes image) {
  const auto put = [&](size_t at, const Digest& digest) {
    std::ranges::copy(digest, image.begin() + static_cast<std::ptrdiff_t>(at));
  };
  const uint64_t length = image.size();
  std::memcpy(image.data() + 24, &length, sizeof length);
  put(32, digest_of(std::span(image).subspan(checkpoint_header_bytes)));
  put(496, digest_of(std::span(image).first(496)));
  return image;
}

/// Empty when it was read.
std::string refusal(const Bytes& image) {
  try {
    read_checkpoint_image(under_digest(image), "c.h5");
  } catch (const FileError& error) {
    return error.what();
  }
  return {};
}

std::string_view text_of(const Bytes& image) {
  return {reinterpret_cast<const char*>(image.data()), image.size()};
}

/// With the first place that says `from` saying `to`.
Bytes with(Bytes image, std::string_view from, std::string_view to) {
  const size_t at = text_of(image).find(from);
  REQUIRE(at != std::string_view::npos);
  std::ranges::copy(to, image.begin() + static_cast<std::ptrdiff_t>(at));
  return image;
}

std::string little_endian(uint64_t value) {
  std::string text(8, '\0');
  std::memcpy(text.data(), &value, 8);
  return text;
}

/// How an entry of this name begins, before the address of its object.
std::string entry(const std::string& name) {
  return std::string("\x01\x10\x01", 3) + static_cast<char>(name.size()) + name;
}
uint64_t address_of(const Bytes& image, const std::string& name) {
  const size_t at = text_of(image).find(entry(name));
  REQUIRE(at != std::string_view::npos);
  uint64_t address = 0;
  std::memcpy(&address, image.data() + at + entry(name).size(), 8);
  return address;
}
/// With an entry that leads elsewhere.
Bytes led(const Bytes& image, const std::string& name, uint64_t address) {
  return with(image, entry(name), entry(name) + little_endian(address));
}

StateDict small() {
  StateDict inner, state;
  inner.set("mark", Array::scalar(1, int64));
  inner.set("no", "");
  state.set("dict", inner);
  state.set("w", Array::from<float>({1, 2, 3, 4}, {2, 2}));
  state.set("v", Array::from<float>({1, 2, 3, 4}, {4}));
  state.set("text", "abc");
  return state;
}

void damage(Bytes& image, Random& random) {
  const auto place = [&](size_t bytes) {
    const size_t first = checkpoint_header_bytes;
    // Where something stands, more often than in the zeros between.
    for (int attempt = 0;; ++attempt)
      if (const size_t at = first + random(image.size() - first - bytes); attempt == 4 || image[at] != 0)
        return at;
  };
  const uint64_t size = image.size();
  const uint64_t numbers[] = {0,
                              1,
                              2,
                              7,
                              8,
                              size,
                              size - 512,
                              size - 513,
                              0x7fffffff,
                              0x80000000,
                              1U << 20,
                              UINT32_MAX,
                              1ULL << 40,
                              1ULL << 62,
                              1ULL << 63,
                              UINT64_MAX,
                              UINT64_MAX - 511,
                              96,
                              544,
                              random(size)};
  const auto iterator = [&](size_t at) { return image.begin() + static_cast<std::ptrdiff_t>(at); };
  switch (random(8)) {
    case 0:
      image[place(1)] ^= static_cast<uint8_t>(1U << random(8));
      break;
    case 1:
      image[place(1)] = static_cast<uint8_t>(numbers[random(std::size(numbers))]);
      break;
    case 2:
      image[place(1)] = static_cast<uint8_t>(random.bits());
      break;
    case 3:
    case 4: {
      const size_t width = size_t{1} << random(4);
      std::memcpy(image.data() + place(8), &numbers[random(std::size(numbers))], width);
      break;
    }
    case 5: {  // what one place says, said in another too
      const size_t bytes = size_t{1} << random(10);
      std::memmove(image.data() + place(bytes), image.data() + place(bytes), bytes);
      break;
    }
    case 6: {
      const size_t bytes = 1 + random(600), a = place(bytes), b = place(bytes);
      if (a + bytes <= b || b + bytes <= a) std::swap_ranges(iterator(a), iterator(a + bytes), iterator(b));
      break;
    }
    default: {  // taken out, or put in
      const size_t bytes = 1 + random(600), at = place(bytes);
      if (random(2) == 0)
        image.erase(iterator(at), iterator(at + bytes));
      else
        image.insert(iterator(at), bytes, static_cast<uint8_t>(random(2) * 255));
    }
  }
}

size_t bytes_in(const StateDict& state) {
  size_t bytes = 0;
  for (const auto& [key, value] : state.entries()) {
    bytes += key.size();
    if (const auto* array = std::get_if<Array>(&value)) bytes += array->nbytes();
    if (const auto* text = std::get_if<std::string>(&value)) bytes += text->size();
    if (const auto* dict = std::get_if<std::shared_ptr<StateDict>>(&value)) bytes += bytes_in(**dict);
  }
  return bytes;
}

}  // namespace

TEST_CASE("all fixtures are the same to libhdf5 and to the reader of our own") {
  const std::vector<std::string> paths = fixtures();
  CHECK(paths.size() >= 88);
  for (const std::string& path : paths) CHECK(!by_both(read_file(path), path).empty());
}

TEST_CASE("random states are the same to both readers") {
  Random random(1);
  for (int round = 0; round < 60; ++round) {
    const StateDict state = random_state(random);
    CHECK(identical(by_both(checkpoint_image(state), str("state ", round)), state));
    by_both(checkpoint_image(state, {.bfloat16 = true}), str("state ", round, " in bfloat16"));
  }
  StateDict deep;
  for (int depth = 0; depth < 32; ++depth) {
    StateDict outer;
    outer.set("d", deep);
    deep = outer;
  }
  for (const StateDict& state :
       {StateDict(), deep, small(), with_long_names(), with_entries(8), with_entries(9), with_entries(45),
        with_entries(46), with_entries(1150), with_entries(30'000)})
    CHECK(identical(by_both(checkpoint_image(state), "state"), state));
  CHECK(identical(from_own_hdf5(to_hdf5(small()), "memory"), small()));
}

TEST_CASE("what weft does not write is refused by name, whatever its digest says") {
  const Bytes image = checkpoint_image(small());
  REQUIRE(refusal(image).empty());
  const auto refused = [](const Bytes& changed, const std::string& why) {
    CHECK(refusal(changed) == "c.h5: '" + why);
  };
  const std::string kind = " is not as weft writes it: ";
  const uint64_t root = 0x60, dict = address_of(image, "dict"), w = address_of(image, "w");
  refused(led(image, "dict", root),
          str("/dict'", kind, "its header, 16 bytes at 96, would lie on bytes that hold something else"));
  refused(led(image, "mark", dict), str("/dict/mark'", kind, "its header, 16 bytes at ", dict,
                                        ", would lie on bytes that hold something else"));
  refused(led(image, "v", w),
          str("/w'", kind, "its header, 16 bytes at ", w, ", would lie on bytes that hold something else"));
  refused(led(image, "v", uint64_t{1} << 40),
          str("/v'", kind, "its header would be 16 bytes at ", uint64_t{1} << 40, ", beyond the ",
              image.size() - 512, " there are"));
  refused(with(image, entry("v"), entry("w")), str("/'", kind, "it has two entries 'w'"));
  refused(with(image, entry("v"), std::string("\x01\x18\x01", 3)),
          str("/'", kind, "it has an entry that is a soft or external link, or not in UTF-8"));
  refused(with(image, "array", "arrow"), str("/dict/mark'", kind, "it has an attribute other than 'array'"));
  refused(with(image, {"\x08\0\x18\0\0\0\0\0\3\1", 10}, {"\x08\0\x18\0\0\0\0\0\3\2", 10}),
          str("/dict/mark'", kind, "the version and class of its layout is 515, not 259"));
  refused(with(image, {"\x05\0\x08\0\1\0\0\0", 8}, {"\x0b\0\x08\0\1\0\0\0", 8}),
          str("/dict/mark'", kind, "its header holds a message of the kind 11"));
  refused(with(image, {"\x05\0\x08\0\1\0\0\0", 8}, {"\x05\0\x08\0\3\0\0\0", 8}),
          str("/dict/mark'", kind, "a message of its header has the flags 3"));
  refused(
      with(image, {"\x11\x20\x1f\0\4", 5}, {"\x11\x20\x1f\0\2", 5}),
      str("/v'", kind, "it is of a type other than float32, float64, bfloat16, int32, int64, bool and text"));
  const std::string two(little_endian(2)), shape = std::string("\1\2\1\0\0\0\0\0", 8);
  const std::string large = little_endian(uint64_t{1} << 40);
  refused(with(image, shape + two + two + two + two, shape + large + two + large + two),
          str("/w'", kind, "its (1099511627776, 2) values would be more than the file holds"));
  refused(with(image, shape + two + two + two + two, shape + two + large + two + large),
          str("/w'", kind, "its (2, 1099511627776) values would be more than the file holds"));
  refused(with(image, shape + two + two + two + two, shape + two + two + large + two),
          str("/w'", kind, "the largest extent of its shape is 1099511627776, not 2"));
  refused(with(image, little_endian(16), little_endian(15)),
          str("/v'", kind, "the bytes of values of its layout is 15, not 16"));
  refused(with(image, shape + two + two + two + two, shape + large + large + large + large),
          str("/w'", kind, "shape (1099511627776, 1099511627776) has more elements than memory can address"));
}

TEST_CASE("groups that lie deeper than weft writes are refused, however they came there") {
  StateDict state;
  for (const std::string side : {"a", "b"}) {
    StateDict chain;
    chain.set(side + "end", 1);
    for (int level = 0; level < 20; ++level) {
      StateDict outer;
      outer.set(str(side, level), chain);
      chain = outer;
    }
    state.set(side, chain);
  }
  const Bytes image = checkpoint_image(state);
  REQUIRE(refusal(image).empty());
  const std::string refused = refusal(led(image, "aend", address_of(image, "b")));
  CHECK(refused.find("is not as weft writes it: it lies deeper than 32 groups") != std::string::npos);
}

// WEFT_HOSTILE_FILES=1000000 looks at so many instead.
TEST_CASE("changed bytes under a right digest are read or refused, and nothing else") {
  const char* const wanted = std::getenv("WEFT_HOSTILE_FILES");
  const int64_t files = wanted != nullptr ? std::atoll(wanted) : 20'000;
  Random random(2);
  std::vector<Bytes> images;
  const std::vector<std::string> paths = fixtures();
  for (size_t i = 0; i < paths.size(); i += 5) images.push_back(read_file(paths[i]));
  for (int i = 0; i < 20; ++i)
    images.push_back(checkpoint_image(random_state(random), {.bfloat16 = i % 2 == 0}));
  for (const StateDict& state : {small(), small(), with_long_names(), with_entries(100), with_entries(1200)})
    images.push_back(checkpoint_image(state));
  int64_t read = 0, refused = 0;
  for (int64_t file = 0; file < files; ++file) {
    Bytes image = images[random(images.size())];
    for (size_t left = 1 + random(3); left > 0 && image.size() > 2000; --left) damage(image, random);
    image = under_digest(std::move(image));
    try {
      const StateDict state = read_checkpoint_image(image, "c.h5");
      CHECK(bytes_in(state) <= 2 * image.size());
      ++read;
    } catch (const FileError& error) {
      CHECK(std::string_view(error.what()).starts_with("c.h5: "));
      ++refused;
    }
  }
  if (wanted != nullptr) MESSAGE(files, " files: ", read, " read, ", refused, " refused");
  CHECK(read + refused == files);
  CHECK(refused > files / 4);
}
