#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>
#include <weft/lib/base/bfloat16.h>
#include <weft/lib/base/file.h>
#include <weft/lib/files/hdf5_file.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <limits>
#include <thread>

#include "folder.h"

using namespace weft;

namespace {

StateDict everything() {
  const double inf = std::numeric_limits<double>::infinity();
  StateDict model;
  model.set("blocks.0.weight", Array::from<float>({1.5F, -0.0F, std::nanf("7"), 4}, {2, 2}));
  model.set("double", Array::from<double>({inf, -inf, 5e-324}, {3, 1}));
  model.set("i32", Array::from<int32_t>({INT32_MIN, INT32_MAX}, {2}));
  model.set("i64", Array::from<int64_t>({INT64_MIN, INT64_MAX}, {1, 2}));
  model.set("mask", Array::from<bool>({true, false, true}, {3}));
  model.set("rank8", Array::arange(2, float32).reshape({1, 1, 1, 1, 2, 1, 1, 1}));
  for (const DType dtype : {float32, float64, int32, int64, boolean}) {
    model.set(str("scalar ", dtype), Array::scalar(1, dtype));
    model.set(str("empty ", dtype), Array::zeros({0, 3}, dtype));
  }
  StateDict plain;
  plain.set("integer", INT64_MIN);
  plain.set("number", std::nan("3"));
  plain.set("zero", -0.0);
  plain.set("text", "two lines\n\xc3\xa9 \xf0\x9f\x98\x80");
  plain.set("empty text", "");
  plain.set("nul", std::string(1, '\0'));
  plain.set("nuls", std::string("\0a\0\0", 4));
  plain.set("spaces", "  a  ");
  plain.set("long", std::string(200000, 'x'));
  plain.set("no dict", StateDict());
  StateDict state;
  state.set("model", model);
  state.set("plain", plain);
  state.set("\xc3\xbc.k\xe6\x9c\xac", 1);
  state.set("..", 2);
  return state;
}

void copy_entry(const StateDict& from, const std::string& key, StateDict& to) {
  REQUIRE(from.contains(key));
  const auto copy = [&](const auto& value) {
    if constexpr (std::is_same_v<decltype(value), const std::shared_ptr<StateDict>&>)
      to.set(key, *value);
    else
      to.set(key, value);
  };
  std::visit(copy, from.entries().at(key));
}

StateDict nested(int depth) {
  StateDict state;
  state.set("leaf", depth);
  for (int level = 0; level < depth; ++level) {
    StateDict outer;
    outer.set("d", state);
    state = outer;
  }
  return state;
}

}  // namespace

TEST_CASE("every kind of entry comes back bit for bit") {
  const StateDict state = everything();
  CHECK(identical(from_hdf5(to_hdf5(state), "memory"), state));
  CHECK(identical(from_hdf5(to_hdf5(state, 512), "memory"), state));
  CHECK(identical(from_hdf5(to_hdf5(StateDict()), "memory"), StateDict()));
}

TEST_CASE("many entries and large arrays come back") {
  StateDict state;
  for (int i = 0; i < 3000; ++i) state.set(str("entry.", i), i);
  state.set("large", Array::arange(1 << 20, float32));
  CHECK(identical(from_hdf5(to_hdf5(state), "memory"), state));
}

TEST_CASE("equal states are equal bytes, whenever and in whatever order they were filled") {
  const std::vector<uint8_t> first = to_hdf5(everything(), 512);
  StateDict backwards;
  const StateDict state = everything();
  std::vector<std::string> keys = state.keys();
  std::reverse(keys.begin(), keys.end());
  for (const std::string& key : keys) copy_entry(state, key, backwards);
  // Nor at what time: a time stamp would be in whole seconds.
  for (const std::time_t start = std::time(nullptr); std::time(nullptr) == start;)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  std::vector<std::vector<uint8_t>> dirt;
  for (size_t size = 16; size < 200000; size *= 2) dirt.emplace_back(size, uint8_t{0xA5});
  dirt.clear();
  CHECK(to_hdf5(backwards, 512) == first);
  CHECK(to_hdf5(from_hdf5(first, "memory"), 512) == first);
}

TEST_CASE("the memory of an image is asked for once: a vector that grew would hold up to twice its bytes") {
  StateDict state;
  for (int i = 0; i < 100; ++i) {
    state.set(str("array.", i), Array::arange(10000, float32));
    state.set(str("number.", i), i);
    state.set(str("dict.", i), StateDict());
  }
  const std::vector<uint8_t> image = to_hdf5(state, 512);
  CHECK(image.capacity() < image.size() + 500000);
  CHECK(image.size() <= most_hdf5_bytes(state) + 512);
  CHECK(most_hdf5_bytes(state) < image.size() + 500000);
}

TEST_CASE("the user block is zeros in front of the file") {
  const std::vector<uint8_t> image = to_hdf5(everything(), 1024);
  for (size_t i = 0; i < 1024; ++i) REQUIRE(image[i] == 0);
  CHECK(image[1024] == 0x89);
  CHECK(is_hdf5(image));
  CHECK(!is_hdf5(std::span(image).first(1024)));
  CHECK_THROWS_AS(to_hdf5(StateDict(), 100), ValueError);
}

TEST_CASE("dicts may nest, but not without end") {
  CHECK(identical(from_hdf5(to_hdf5(nested(32)), "memory"), nested(32)));
  CHECK_THROWS_AS(to_hdf5(nested(33)), ValueError);
}

TEST_CASE("several threads take turns") {
  const StateDict state = everything();
  const std::vector<uint8_t> image = to_hdf5(state);
  std::vector<int> good(4, 0);
  {
    std::vector<std::jthread> threads;
    for (int& count : good)
      threads.emplace_back([&] {
        for (int i = 0; i < 10; ++i)
          count += to_hdf5(state) == image && identical(from_hdf5(image, "memory"), state);
      });
  }
  CHECK(good == std::vector<int>(4, 10));
}

TEST_CASE("what is not HDF5, or no longer, is refused with its path") {
  const Folder folder;
  CHECK_THROWS_WITH_AS(read_hdf5(folder.write("a.h5", "hello")),
                       (folder.path("a.h5") + ": is not an HDF5 file").c_str(), FileError);
  CHECK_THROWS_AS(read_hdf5(folder.write("b.h5", "")), FileError);
  CHECK_THROWS_AS(read_hdf5(folder.path("missing.h5")), FileError);
  std::vector<uint8_t> image = to_hdf5(everything());
  CHECK_THROWS_WITH_AS(from_hdf5(std::span(image).first(image.size() / 2), "half.h5"),
                       doctest::Contains("half.h5: is not a readable HDF5 file: truncated file"), FileError);
}

TEST_CASE("nothing is printed when libhdf5 refuses a file") {
  const Folder folder;
  const std::vector<uint8_t> image = to_hdf5(everything());
  std::fflush(stderr);
  const int before = dup(2);
  const int file = open(folder.path("stderr").c_str(), O_WRONLY | O_CREAT, 0600);
  dup2(file, 2);
  CHECK_THROWS_AS(from_hdf5(std::span(image).first(image.size() / 2), "half.h5"), FileError);
  dup2(before, 2);
  close(before);
  close(file);
  CHECK(folder.read("stderr").empty());
}

TEST_CASE("a file of the working folder does not disturb what happens in memory") {
  const Folder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.name());
  folder.write("state", "mine");
  const bool same = identical(from_hdf5(to_hdf5(everything()), "memory"), everything());
  std::filesystem::current_path(before);
  CHECK(same);
  CHECK(folder.read("state") == "mine");
  CHECK(folder.files().size() == 1);
}

TEST_CASE("float32 arrays as bfloat16: half the size, read as float32, each value rounded to the nearest") {
  const StateDict state = everything();
  const std::vector<uint8_t> image = to_hdf5(state, 512, {.bfloat16 = true});
  const StateDict found = from_hdf5(image, "memory");
  const Array weight = found.dict("model").array("blocks.0.weight");
  CHECK(weight.dtype() == float32);
  CHECK(weight.shape() == Shape{2, 2});
  const float* values = weight.data<float>();
  CHECK(values[0] == 1.5F);
  CHECK((values[1] == 0 && std::signbit(values[1])));
  CHECK(std::isnan(values[2]));
  CHECK(found.dict("model").array("rank8").shape() == Shape{1, 1, 1, 1, 2, 1, 1, 1});
  CHECK(found.dict("model").array("empty float32").shape() == Shape{0, 3});
  CHECK(found.dict("model").array("scalar float32").shape() == Shape{});
  for (const char* key : {"double", "i32", "i64", "mask", "scalar float64", "empty int64"})
    CHECK(found.dict("model").array(key).identical(state.dict("model").array(key)));
  CHECK(identical(found.dict("plain"), state.dict("plain")));
  CHECK(to_hdf5(found, 512, {.bfloat16 = true}) == image);

  // More than libhdf5 converts at once, with every kind of number.
  std::vector<float> many(3'000'000);
  for (size_t i = 0; i < many.size(); ++i)
    many[i] = std::bit_cast<float>(static_cast<uint32_t>(i) * 2654435761U);
  StateDict large;
  large.set("x", Array::from<float>(many, {3, 1'000'000}));
  const std::vector<uint8_t> half = to_hdf5(large, 0, {.bfloat16 = true});
  CHECK(half.size() < 6'010'000);
  CHECK(half.size() <= most_hdf5_bytes(large, {.bfloat16 = true}));
  CHECK(most_hdf5_bytes(large, {.bfloat16 = true}) < half.size() + 500000);
  const StateDict again = from_hdf5(half, "memory");
  const float* rounded = again.array("x").data<float>();
  int64_t wrong = 0;
  for (size_t i = 0; i < many.size(); ++i)
    wrong += std::bit_cast<uint32_t>(rounded[i]) != uint32_t{bfloat16_of(many[i])} << 16;
  CHECK(wrong == 0);
}

TEST_CASE("a file that h5py wrote comes back") {
  const StateDict file = read_hdf5(WEFT_SOURCE_DIR "/tests/reference/h5py.h5");
  StateDict good;
  good.set("float32", Array::from<float>({1.5F, -2, 0, std::numeric_limits<float>::infinity()}, {2, 2}));
  good.set("float64", Array::from<double>({0.1, 0.2}, {2}));
  good.set("int32", Array::from<int32_t>({-1, INT32_MAX}, {2}));
  good.set("int64", Array::from<int64_t>({-1, INT64_MAX}, {2}));
  good.set("bool", Array::from<bool>({true, false, true}, {3}));
  good.set("big endian", Array::from<float>({1.5F, -2}, {2}));
  good.set("big endian int64", Array::from<int64_t>({1, -2}, {2}));
  good.set("empty", Array::zeros({0, 3}));
  good.set("compressed", Array::arange(1000, int32));
  good.set("bfloat16",
           Array::from<float>(
               {1, -2.5F, 0x1p-133F, std::numeric_limits<float>::infinity(), -0.0F, 0x1.fep127F}, {2, 3}));
  std::vector<float> counted(1000);
  for (uint16_t i = 0; i < 1000; ++i) counted[i] = float_of_bfloat16(i);
  good.set("compressed bfloat16", Array::from<float>(counted, {1000}));
  good.set("integer", 7);
  good.set("number", 0.5);
  good.set("scalar float32", Array::scalar(0.25));
  good.set("text", "h\xc3\xa9llo");
  good.set("fixed text", "hello");
  good.set("no text", "");
  for (const std::string& key : good.keys()) {
    CAPTURE(key);
    StateDict expected, found;
    copy_entry(good, key, expected);
    copy_entry(file.dict("good"), key, found);
    CHECK(identical(expected, found));
  }
  CHECK(file.dict("good").size() == good.size());
}

TEST_CASE("objects that h5py can write and weft cannot take are refused by name") {
  const StateDict file = read_hdf5(WEFT_SOURCE_DIR "/tests/reference/h5py.h5");
  const auto no_float = [](const std::string& what) {
    return str(
        "'/x' is a float of ", what,
        ": neither float32 nor float64 nor bfloat16 (16 bits, 8 of them exponent (bias 127) and 7 mantissa, "
        "little-endian)");
  };
  const std::map<std::string, std::string> reasons{
      {"float16", no_float("16 bits, 5 of them exponent (bias 15) and 10 mantissa, little-endian")},
      {"bfloat16 of another order",
       no_float("16 bits, 8 of them exponent (bias 127) and 7 mantissa, not little-endian")},
      {"bfloat16 of another bias",
       no_float("16 bits, 8 of them exponent (bias 126) and 7 mantissa, little-endian")},
      {"float of 2 bytes", no_float("16 bits, 6 of them exponent (bias 31) and 9 mantissa, little-endian")},
      {"float of 3 bytes", no_float("24 bits, 8 of them exponent (bias 127) and 15 mantissa, little-endian")},
      {"complex", "'/x' is of a type other than float32, float64, bfloat16, int32, int64, bool and text"},
      {"texts", "'/x' is an array of texts; only a single text can be read"},
      {"soft link", "'/x' is a soft or external link, which is not followed"},
      {"external link", "'/x' is a soft or external link, which is not followed"},
      {"external values", "'/x' keeps its values in other files"},
      {"type", "'/x' is neither a group nor a dataset"},
      {"unwritten", "'/x' is (1000000000000,) float32, but only 0 bytes of it are stored"},
      {"unwritten chunks", "'/x' is (1000000000000,) float32, but only 0 bytes of it are stored"},
      {"group twice", "'/x' is a group that is nested too deep or linked more than once"},
      {"rank", "'/x' has no shape of at most 8 axes"},
      {"null", "'/x' has no shape of at most 8 axes"},
      {"virtual", "'/x' keeps its values in other files"},
      {"bad bool", "'/x' holds bools that are neither 0 nor 1"},
      {"name",
       "state: '\xff' cannot be a key: it must be UTF-8 text, not empty, not '.', without '/' and NUL"}};
  const auto state_of = [&](const std::string& name) {
    const Array& image = file.dict("bad").array(name);
    return from_hdf5({static_cast<const uint8_t*>(image.bytes()), image.nbytes()}, "bad.h5");
  };
  // Once refused: smaller integers are widened.
  CHECK(state_of("uint8").array("x").identical(Array::from<int32_t>({1}, {1})));
  for (const std::string& name : file.dict("bad").keys()) {
    if (name == "uint8") continue;
    CAPTURE(name);
    REQUIRE(reasons.contains(name));
    std::string error;
    try {
      state_of(name);
    } catch (const FileError& refused) {
      error = refused.what();
    }
    CHECK(error == "bad.h5: " + reasons.at(name));
  }
  CHECK(file.dict("bad").size() == reasons.size() + 1);
}
