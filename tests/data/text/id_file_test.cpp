#include <doctest/doctest.h>
#include <weft/data/text/id_file.h>
#include <weft/lib/array/state_dict.h>
#include <weft/lib/base/error.h>
#include <weft/lib/files/hdf5_file.h>
#include <weft/lib/files/npy.h>

#include "data/text/token_ids.h"
#include "folder.h"

using namespace weft;
using test::ids_of;

namespace {

std::string npy(const std::string& header, const std::string& data) {
  std::string text = header;
  text.resize(117, ' ');
  return std::string("\x93NUMPY\x01\0\x76\0", 10) + text + "\n" + data;
}

}  // namespace

TEST_CASE("ids of NumPy, nanoGPT and HDF5 are the same, and one after another") {
  const Folder folder;
  const std::vector<int64_t> ids{5, 0, 700};
  const std::string bin = folder.write("a.bin", std::string("\x05\0\0\0\xbc\x02", 6)),
                    npy16 =
                        folder.write("b.npy", npy("{'descr': '<u2', 'fortran_order': False, 'shape': (3,), }",
                                                  std::string("\x05\0\0\0\xbc\x02", 6))),
                    npy64 = folder.path("c.npy"), h5 = folder.path("d.h5");
  write_npy(npy64, Array::from(ids, {3}));
  StateDict state;
  state.set("ids", Array::from(ids, {3}));
  state.set("other", Array::from(ids, {3}));
  write_file(h5, to_hdf5(state));
  std::string hash;
  for (const std::string& path : {bin, npy16, npy64, h5}) {
    const ReadyIds found = read_ids({path});
    CHECK(ids_of(*found.ids) == ids);
    CHECK(found.largest == 700);
    if (hash.empty()) hash = found.content_hash;
    CHECK(found.content_hash == hash);
  }
  // What is called ids is meant, or nothing.
  state.set("ids", 1.0);
  write_file(h5, to_hdf5(state));
  CHECK_THROWS_AS(read_ids({h5}), FileError);
  const ReadyIds both = read_ids({bin, npy64});
  CHECK(ids_of(*both.ids) == std::vector<int64_t>{5, 0, 700, 5, 0, 700});
  std::vector<int64_t> part(3);
  both.ids->read(2, part);
  CHECK(part == std::vector<int64_t>{700, 5, 0});
  CHECK(both.content_hash != hash);
}

TEST_CASE("what holds no ids is refused with what would") {
  const Folder folder;
  const auto refused = [&](const std::string& name, const std::string& content) {
    try {
      read_ids({folder.write(name, content)});
    } catch (const FileError& error) {
      return std::string(error.what()).substr(folder.path(name).size());
    }
    return std::string("read");
  };
  CHECK(refused("a.txt", "abcd") == ": format=ids reads token ids from .bin (nanoGPT, llm.c), .npy and .h5");
  CHECK(refused("a.bin", "abc") == ": has 3 bytes, not a whole number of ids of 2");
  CHECK(refused("a.bin", "") == ": holds no ids");
  const std::string none =
      ": holds no ids: numpy.save(path, ids.astype(numpy.uint32)) writes such of one axis";
  CHECK(refused("a.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", "abcd")) == none);
  CHECK(refused("a.npy", npy("{'descr': '<u2', 'fortran_order': False, 'shape': (1, 2), }", "abcd")) == none);
  CHECK(refused("a.npy", std::string("\x93NUMPY\x01\0\xff\xff  ", 12)) ==
        ": is damaged: its header would have 65535 bytes");
  CHECK(refused("a.npy", npy("{'descr': '<u2', 'fortran_order': False, 'shape': (3,), }", "abcd")) ==
        ": is damaged: has 4 bytes of values, not 6");
  CHECK(refused("a.npy", npy("{'descr': '<i4', 'fortran_order': False, 'shape': (1,), }",
                             "\xff\xff\xff\xff")) == ": id 0 is 4294967295, no number of a token");
}
