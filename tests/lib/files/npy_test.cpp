#include <doctest/doctest.h>
#include <weft/lib/array/random.h>
#include <weft/lib/files/npy.h>

#include <cstring>

#include "checks.h"
#include "folder.h"

using namespace weft;
using weft::test::refuses;

namespace {

/// A file as numpy.save writes it.
std::string npy(const std::string& dictionary, const std::string& values) {
  std::string header = dictionary;
  header.resize(128 - 11, ' ');
  return std::string("\x93NUMPY\x01\x00v\x00", 10) + header + "\n" + values;
}

std::string bytes_of(const Array& x) { return {static_cast<const char*>(x.bytes()), x.nbytes()}; }

}  // namespace

TEST_CASE("what numpy.save writes is read") {
  const Folder folder;
  const auto read = [&](const std::string& dictionary, const std::string& values) {
    return read_npy(folder.write("x.npy", npy(dictionary, values)));
  };
  const float six[] = {0, 1, 2, 3, 4, 5};
  const Array x = read("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }",
                       {reinterpret_cast<const char*>(six), sizeof six});
  CHECK(x.shape() == Shape{2, 3});
  CHECK(x.data<float>()[5] == 5);
  const double half = 2.5;
  const Array scalar = read("{'descr': '<f8', 'fortran_order': False, 'shape': (), }",
                            {reinterpret_cast<const char*>(&half), sizeof half});
  CHECK(scalar.shape() == Shape{});
  CHECK(scalar.data<double>()[0] == 2.5);
  CHECK(read("{'descr': '|b1', 'fortran_order': False, 'shape': (2,), }", std::string("\1\0", 2)).dtype() ==
        boolean);
  CHECK(read("{'descr': '<i8', 'fortran_order': False, 'shape': (0, 3), }", "").shape() == Shape{0, 3});
}

TEST_CASE("arrays come back as they were written") {
  const Folder folder;
  const std::string path = folder.path("x.npy");
  for (const DType type : {float32, float64, int32, int64, boolean})
    for (const Shape& shape :
         {Shape{}, Shape{1}, Shape{0, 4}, Shape{3, 2, 5}, Shape{1, 1, 1, 1, 1, 1, 1, 2}}) {
      const Array x = Array::ones(shape, type);
      write_npy(path, x);
      CHECK(folder.read("x.npy").size() % 64 == x.nbytes() % 64);
      const Array y = read_npy(path);
      CHECK(y.shape() == shape);
      CHECK(y.dtype() == type);
      CHECK(bytes_of(y) == bytes_of(x));
    }
}

TEST_CASE("files that are none of NumPy's, damaged, or of another kind are refused") {
  const Folder folder;
  const auto refused = [&](const std::string& content, const std::string& why) {
    const std::string path = folder.write("x.npy", content);
    refuses<FileError>([&] { read_npy(path); }, {path, why});
  };
  const std::string four(4, '\0');
  refused("", "is not an array of NumPy");
  refused("hello, this is a text", "is not an array of NumPy");
  refused(std::string("\x93NUMPY\x04\x00v\x00", 10), "version 4");
  refused(std::string("\x93NUMPY\x01\x00\xff\xff", 10), "65535 bytes");
  refused(npy("{'descr': '<f2', 'fortran_order': False, 'shape': (2,), }", four), "'<f2'");
  refused(npy("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", four), "'>f4'");
  refused(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", four), "records");
  refused(npy("{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }", four), "Fortran");
  refused(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", four), "4 bytes of values, not 8");
  refused(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", four + four), "8 bytes of values");
  refused(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296, 4), }", four),
          "is damaged");
  refused(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 9223372036854775807, 4), }", ""),
          "is damaged");
  refused(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", four), "header");
  refused(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1, 1, 1, 1), }", four),
          "9 axes");
  refused(npy("{'descr': '<f4', 'descr': '<f4', 'shape': (1,), }", four), "header");
  refused(npy("{'descr': '<f4', 'fortran_order': False, }", four), "header");
  refused(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), } x", four), "header");
  refused(npy("{'descr': '|b1', 'fortran_order': False, 'shape': (1,), }", "\2"), "neither true nor false");
}

TEST_CASE("flipped and cut files are read or refused, never a crash") {
  const Folder folder;
  write_npy(folder.path("good.npy"), Array::arange(12).to(float32));
  const std::string good = folder.read("good.npy");
  const RandomKey key = random_key(1, stream_id("npy"));
  for (uint64_t n = 0; n < 2000; ++n) {
    std::string bad = good;
    bad[integer_at(key, n, 0, 140)] ^= static_cast<char>(1u << integer_at(key, n, 1, 8));
    if (n % 3 == 0) bad.resize(integer_at(key, n, 2, bad.size()));
    const std::string path = folder.write("bad.npy", bad);
    try {
      CHECK(read_npy(path).size() <= 24);
    } catch (const FileError& error) {
      CHECK(std::string(error.what()).starts_with(path));
    }
  }
}
