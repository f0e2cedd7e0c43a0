#include <doctest/doctest.h>
#include <unistd.h>
#include <weft/lib/array/random.h>
#include <weft/lib/files/safetensors.h>

#include <cmath>
#include <limits>

#include "checks.h"
#include "faults.h"
#include "folder.h"

namespace weft::test {

namespace {

using Arrays = std::map<std::string, Array>;

std::string reference(const std::string& name) {
  return str(WEFT_SOURCE_DIR "/tests/reference/safetensors/", name, ".safetensors");
}

/// The bytes of a file with this header, and so many bytes of values.
std::string file_of(const std::string& header, size_t value_bytes = 0) {
  std::string file(8, '\0');
  for (size_t i = 0; i < 8; ++i) file[i] = static_cast<char>(uint64_t{header.size()} >> (8 * i));
  return file + header + std::string(value_bytes, '\1');
}

std::string tensor(const std::string& shape, uint64_t begin, uint64_t end, const std::string& dtype = "F32") {
  return str("{\"dtype\":\"", dtype, "\",\"shape\":", shape, ",\"data_offsets\":[", begin, ",", end, "]}");
}

void refused(const std::string& bytes, const std::vector<std::string>& parts) {
  const Folder folder;
  const std::string path = folder.write("x.safetensors", bytes);
  const std::string said = refusal<FileError>([&] { read_safetensors(path); });
  CHECK(said.starts_with(path + ": "));
  CHECK(said.size() < 600);
  for (const std::string& part : parts)
    CHECK_MESSAGE(said.find(part) != std::string::npos, "'" << said << "' does not say '" << part << "'");
}

void header_refused(const std::string& header, size_t value_bytes, const std::vector<std::string>& parts) {
  CAPTURE(header);
  refused(file_of(header, value_bytes), parts);
}

}  // namespace

TEST_CASE("safetensors: what the library wrote is read, and written again it is the same bytes") {
  const SafetensorsFile file(reference("ours"));
  CHECK(file.metadata() == std::map<std::string, std::string>{{"format", "pt"}});
  const Arrays found = read_safetensors(reference("ours"));
  CHECK(found.size() == 8);
  const Array floats = found.at("float");
  REQUIRE(floats.shape() == Shape{2, 3});
  for (int64_t i = 0; i < 6; ++i) CHECK(floats.data<float>()[i] == static_cast<float>(i) / 7.0F);
  CHECK(found.at("double").identical(Array::from<double>({1.0 / 3}, {1})));
  CHECK(found.at("int").identical(Array::from<int32_t>({INT32_MIN, INT32_MAX}, {2})));
  CHECK(found.at("a/long").identical(Array::from<int64_t>({INT64_MIN, INT64_MAX}, {1, 2})));
  CHECK(found.at("bool").identical(Array::from<bool>({true, false, true}, {3})));
  CHECK(found.at("scalar").identical(Array::scalar(2.5, float32)));
  CHECK(found.at("empty").identical(Array::zeros({0, 4}, float32)));
  CHECK(found.at("a \"name\" ä").identical(Array::zeros({1}, float32)));

  const Folder folder;
  write_safetensors(folder.path("again"), found, file.metadata());
  CHECK(folder.read("again") == read_text(reference("ours")));
  CHECK(folder.files().size() == 1);
  CHECK(read_safetensors(reference("nothing")).empty());
  write_safetensors(folder.path("nothing"), {});
  CHECK(folder.read("nothing") == read_text(reference("nothing")));
}

TEST_CASE("safetensors: narrow types are read exactly") {
  const Arrays found = read_safetensors(reference("narrow"));
  for (const std::string name : {"half", "bfloat"}) {
    const Array &narrow = found.at(name), &wide = found.at(name + " as float");
    CHECK(narrow.dtype() == float32);
    CHECK(difference(narrow, wide, 0) == "");
  }
  CHECK(found.at("u8").identical(Array::from<int32_t>({0, 255}, {2})));
  CHECK(found.at("i8").identical(Array::from<int32_t>({-128, 127}, {2})));
  CHECK(found.at("u16").identical(Array::from<int32_t>({0, 65535}, {2})));
  CHECK(found.at("i16").identical(Array::from<int32_t>({-32768, 32767}, {2})));
  CHECK(found.at("u32").identical(Array::from<int64_t>({0, 4294967295}, {2})));
}

TEST_CASE("safetensors: every half is the number that IEEE 754 says") {
  const Folder folder;
  std::string bytes = file_of("{\"x\":" + tensor("[65536]", 0, 131072, "F16") + "}");
  for (int i = 0; i < 65536; ++i) {
    bytes += static_cast<char>(i & 0xFF);
    bytes += static_cast<char>(i >> 8);
  }
  const Array x = read_safetensors(folder.write("halves", bytes)).at("x");
  int wrong = 0;
  for (int i = 0; i < 65536; ++i) {
    const int exponent = (i >> 10) & 31, fraction = i & 1023;
    double expected = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
    if (exponent == 31) expected = fraction == 0 ? std::numeric_limits<double>::infinity() : NAN;
    const float found = x.data<float>()[i];
    if (std::isnan(expected)) {
      wrong += std::isnan(found) ? 0 : 1;
    } else if (found != static_cast<float>(i >= 32768 ? -expected : expected) ||
               std::signbit(found) != (i >= 32768)) {
      ++wrong;
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("safetensors: a header that lies is refused by what is wrong") {
  const std::string x = tensor("[2]", 0, 8);
  refused("", {"holds 0 bytes", "8"});
  refused("1234567", {"holds 7 bytes"});
  refused(file_of("{}").substr(0, 9), {"truncated", "its header has 2 bytes, and only 1 follow"});
  refused(std::string(8, '\xff') + "{}", {"18446744073709551615 bytes long", "100000000 are the most"});
  refused(std::string("\x01\xe1\xf5\x05\0\0\0\0", 8) + "{}", {"100000001 bytes long"});
  refused(std::string("\x00\xe1\xf5\x05\0\0\0\0", 8) + "{}", {"100000000 bytes, and only 2 follow"});

  for (const char* broken :
       {"", "{", "{\"x\":}", "{} {}", "{\"x\" 1}", "{'x':1}", "\xff", "{\"\xff\":1}", "nope"})
    header_refused(broken, 0, {"its header is not JSON: byte"});
  header_refused("{\"x\":1e999}", 0, {"its header is not JSON: it holds a number that is out of range"});
  header_refused("[]", 0, {"its header is an array, not an object"});
  header_refused("3", 0, {"the number 3, not an object"});
  header_refused("null", 0, {"null, not an object"});
  header_refused("{\"x\":" + x + ",\"x\":" + x + "}", 8, {"holds 'x' twice"});
  header_refused("{\"__metadata__\":{},\"__metadata__\":{}}", 0, {"'__metadata__' twice"});
  header_refused("{\"__metadata__\":{\"a\":\"\",\"a\":\"\"}}", 0, {"holds 'a' twice"});
  header_refused("{\"__metadata__\":{\"a\":1}}", 0, {"metadata 'a' are the number 1, not a text"});
  header_refused("{\"__metadata__\":{\"a\":{}}}", 0, {"metadata 'a' are an object, not a text"});
  header_refused("{\"__metadata__\":[]}", 0, {"metadata are an array, not an object"});
  header_refused("{\"x\":[]}", 8, {"tensor 'x'", "an array, not an object"});

  header_refused("{\"x\":" + tensor("[2]", 0, 8, "F33") + "}", 8, {"tensor 'x'", "dtype 'F33'", "BF16"});
  header_refused("{\"x\":" + tensor("[2]", 0, 8, "float32") + "}", 8, {"dtype 'float32'"});
  header_refused("{\"x\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8, {"has no dtype"});
  header_refused("{\"x\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}", 8, {"has no shape"});
  header_refused("{\"x\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, {"no pair of data_offsets"});
  header_refused("{\"x\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}}", 8,
                 {"no pair of data_offsets"});
  header_refused("{\"x\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4,8]}}", 8,
                 {"no pair of data_offsets"});
  header_refused("{\"x\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", 8, {"holds 'dtype' twice"});
  header_refused("{\"x\":{\"strides\":[1]}}", 8, {"unknown field 'strides'"});
  header_refused("{\"x\":{\"dtype\":32}}", 8, {"its dtype is the number 32, not a text"});
  header_refused("{\"x\":{\"shape\":\"[2]\"}}", 8, {"its shape is the text '[2]', not an array"});
  header_refused("{\"x\":{\"shape\":{}}}", 8, {"its shape is an object, not an array"});
  header_refused("{\"x\":{\"data_offsets\":[-1,8]}}", 8, {"data_offsets hold the number -1"});
  header_refused("{\"x\":{\"data_offsets\":[0,[8]]}}", 8, {"data_offsets hold an array"});

  for (const char* extent :
       {"-2", "2.0", "2.5", "\"2\"", "null", "true", "[2]", "{}", "18446744073709551616", "-0"})
    header_refused("{\"x\":" + tensor(str("[", extent, "]"), 0, 8) + "}", 8,
                   {"tensor 'x'", "its shape holds ", "not a whole number of at least 0"});
  header_refused("{\"x\":" + tensor("[9223372036854775808]", 0, 8) + "}", 8, {"more than an int64"});
  header_refused("{\"x\":" + tensor("[4294967296,4294967296]", 0, 0) + "}", 0,
                 {"tensor 'x'", "more elements"});
  header_refused("{\"x\":" + tensor("[2305843009213693952]", 0, 0, "F64") + "}", 0,
                 {"tensor 'x'", "more elements"});
  header_refused("{\"x\":" + tensor("[1,1,1,1,1,1,1,1,1]", 0, 4) + "}", 4, {"more than 8 axes"});
}

TEST_CASE("safetensors: offsets that lie are refused by what is wrong") {
  const auto two = [](uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
    return "{\"x\":" + tensor(str("[", (b - a) / 4, "]"), a, b) +
           ",\"y\":" + tensor(str("[", (d - c) / 4, "]"), c, d) + "}";
  };
  const Folder folder;
  CHECK(read_safetensors(folder.write("good", file_of(two(8, 16, 0, 8), 16))).size() == 2);
  CHECK(read_safetensors(folder.write("empty", file_of(two(8, 8, 0, 8), 8))).size() == 2);
  header_refused("{\"x\":" + tensor("[2]", 8, 0) + "}", 8,
                 {"'x'", "begins at byte 8 and ends before it, at 0"});
  header_refused("{\"x\":" + tensor("[2]", 0, 8) + "}", 4,
                 {"'x'", "ends at byte 8, past the end of the 4 bytes"});
  header_refused("{\"x\":" + tensor("[2]", UINT64_MAX - 7, UINT64_MAX) + "}", 8, {"past the end"});
  header_refused("{\"x\":" + tensor("[3]", 0, 8) + "}", 8, {"has 8 bytes, but (3,) F32 takes 12"});
  header_refused("{\"x\":" + tensor("[4]", 0, 8, "F64") + "}", 8, {"has 8 bytes, but (4,) F64 takes 32"});
  header_refused("{\"x\":" + tensor("[2]", 0, 8) + "}", 9, {"1 bytes follow behind the last tensor"});
  header_refused("{}", 1, {"1 bytes follow behind the last tensor"});
  header_refused(two(0, 8, 4, 12), 12, {"'y' begins at byte 4 and overlaps 'x', which ends at 8"});
  header_refused(two(0, 8, 0, 8), 8, {"overlaps"});
  header_refused(two(0, 8, 12, 16), 16, {"a hole of 4 bytes lies before tensor 'y'"});
  header_refused(two(4, 8, 8, 12), 12, {"a hole of 4 bytes lies before tensor 'x'"});
  header_refused(two(0, 8, 4, 4), 8, {"overlaps"});
}

TEST_CASE("safetensors: bools and names that lie, and what is asked for but not there") {
  header_refused("{\"x\":" + tensor("[2]", 0, 2, "BOOL") + "} \n", 0, {"past the end"});
  const Folder folder;
  const std::string path =
      folder.write("x", file_of("{\"x\":" + tensor("[2]", 0, 2, "BOOL") + "}   ") + std::string("\1\2"));
  const SafetensorsFile file(path);
  refuses<FileError>([&] { file.read("x"); }, {path + ": tensor 'x'", "the bool 2"});
  refuses<FileError>([&] { file.read("y"); }, {path + ": holds no tensor 'y'"});
  // A name of a megabyte, and one with an escape sequence of a terminal, do not go into a message whole.
  header_refused("{\"" + std::string(1 << 20, 'a') + "\":1}", 0, {"'aaaa", "...'"});
  const std::string said =
      refusal<FileError>([&] { read_safetensors(folder.write("y", file_of("{\"\\u001b[2J\\u0000\":1}"))); });
  CHECK(said.find("tensor '?[2J?'") != std::string::npos);
}

TEST_CASE("safetensors: hostile depth and length cost nothing") {
  const std::string deep(1 << 20, '[');
  header_refused(deep, 0, {"its header is an array"});
  header_refused("{\"x\":{\"shape\":" + deep, 0, {"its header is nested deeper than 4"});
  std::string wide = "{\"x\":{\"shape\":[1";
  for (int i = 0; i < 100'000; ++i) wide += ",1";
  refused(file_of(wide), {"a list of more than 64 values"});
}

TEST_CASE("safetensors: flipped bits and cuts of a good file are refused or read, and nothing else happens") {
  const Folder folder;
  const std::string path = folder.path("x");
  int read = 0, refused_ones = 0;
  for (const char* name : {"ours", "narrow"}) {
    const std::string good = read_text(reference(name));
    const uint64_t header =
        8 + static_cast<uint8_t>(good[0]) + 256 * static_cast<uint64_t>(static_cast<uint8_t>(good[1]));
    for (uint64_t i = 0; i < 2000; ++i) {
      std::string bad = good;
      const RandomKey key = random_key(1, stream_id(name));
      if (i % 4 == 0) {
        bad.resize(integer_at(key, i, 0, good.size()));
      } else {
        // Most flips into the header, where there is something to damage.
        for (uint64_t k = 0; k < i % 4; ++k) {
          const uint64_t bit = integer_at(key, i, 1 + k, 8 * (i % 8 == 1 ? good.size() : header));
          bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
        }
      }
      folder.write("x", bad);
      try {
        read_safetensors(path);
        ++read;
      } catch (const FileError& error) {
        CHECK(std::string(error.what()).starts_with(path));
        ++refused_ones;
      }
    }
  }
  CHECK(read + refused_ones == 4000);
  CHECK(read > 10);
  CHECK(refused_ones > 3000);
}

TEST_CASE("safetensors: what cannot be written is refused, and nothing is left") {
  const Folder folder;
  const std::string path = folder.path("x");
  const Array one = Array::ones({1}, float32);
  refuses<ValueError>([&] { write_safetensors(path, {{"__metadata__", one}}); }, {"__metadata__"});
  refuses<ValueError>([&] { write_safetensors(path, {{"a\xff", one}}); }, {"UTF-8"});
  refuses<ValueError>([&] { write_safetensors(path, {{"x", one}}, {{"k", "\xff"}}); }, {"UTF-8"});
  refuses<ValueError>([&] { write_safetensors(path, {{"x", Array()}}); }, {"'x'", "never given values"});
  {
    const Faults faults({.call = "write", .first = 1});
    CHECK_THROWS_AS(write_safetensors(path, {{"x", one}}), FileError);
  }
  CHECK(folder.files().empty());
}

TEST_CASE("safetensors: a folder in one file or in several") {
  const Folder folder;
  const Arrays all = {
      {"a", Array::arange(3, float32)}, {"b", Array::arange(2, int64)}, {"c", Array::ones({1}, float32)}};
  const auto same = [&](const Arrays& found) {
    return found.size() == 3 && found.at("a").identical(all.at("a")) &&
           found.at("b").identical(all.at("b")) && found.at("c").identical(all.at("c"));
  };
  refuses<FileError>([&] { read_safetensors_folder(folder.name()); }, {folder.name(), "holds neither"});
  refuses<FileError>([&] { read_safetensors_folder(folder.path("none")); }, {"holds neither"});
  write_safetensors(folder.path("1.safetensors"), {{"a", all.at("a")}, {"c", all.at("c")}});
  write_safetensors(folder.path("2.safetensors"), {{"b", all.at("b")}});
  const auto index = [&](const std::string& text) { folder.write("model.safetensors.index.json", text); };
  const auto map_of = [](const std::string& b) {
    return "{\"metadata\":{\"total_size\":32,\"more\":[[{\"a\":[1]}],null]},\"weight_map\":{\"a\":\"1."
           "safetensors\",\"b\":\"" +
           b + "\",\"c\":\"1.safetensors\"},\"weights\":[]}";
  };
  index(map_of("2.safetensors"));
  CHECK(same(read_safetensors_folder(folder.name())));

  const auto index_refused = [&](const std::string& text, const std::vector<std::string>& parts) {
    CAPTURE(text);
    index(text);
    refuses<FileError>([&] { read_safetensors_folder(folder.name()); }, parts);
  };
  const std::string path = folder.path("model.safetensors.index.json") + ": ";
  index_refused(map_of("3.safetensors"), {folder.path("3.safetensors"), "no such file"});
  index_refused(map_of("1.safetensors"), {folder.path("1.safetensors"), "holds no tensor 'b'"});
  index_refused("{\"weight_map\":{\"a\":\"1.safetensors\",\"b\":\"2.safetensors\"}}",
                {folder.path("1.safetensors"), "tensor 'c'", "does not give"});
  for (const char* out : {"../2.safetensors", "/etc/passwd", "..", ".", "", "a\\\\b", "a\\u0000b"})
    index_refused(map_of(out), {path, "tensor 'b'", "no file of its folder"});
  index_refused("", {path, "not JSON"});
  index_refused("[]", {path, "an array, not an object"});
  index_refused("{}", {path, "has no weight_map"});
  index_refused("{\"weight_map\":[]}", {path, "weight_map is an array"});
  index_refused("{\"weight_map\":{\"a\":1}}", {path, "'a'", "the number 1, not the name of a file"});
  index_refused("{\"weight_map\":{\"a\":[\"1.safetensors\"]}}", {path, "'a'", "an array"});
  index_refused("{\"weight_map\":{\"a\":{\"b\":\"c\"}}}", {path, "'a'", "an object"});
  index_refused("{\"weight_map\":{\"a\":\"x\",\"a\":\"x\"}}", {path, "'a' twice"});
  index_refused("{\"weight_map\":{},\"weight_map\":{}}", {path, "'weight_map' twice"});
  index_refused(std::string(1 << 20, '['), {path, "an array"});
  index_refused("{\"metadata\":" + std::string(1 << 20, '['), {path, "nested deeper than 32"});

  // One file for all goes before.
  write_safetensors(folder.path("model.safetensors"), all);
  CHECK(same(read_safetensors_folder(folder.name())));
}

}  // namespace weft::test
