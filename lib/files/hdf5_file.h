// State trees as HDF5, and the only door to libhdf5; files that are our own are read without it.
//
//   dict     group
//   array    dataset of its shape: float32, float64, int32, int64 (little-endian), bool (h5py's enum of 8
//            bits); float32 as bfloat16 (base/bfloat16.h; little-endian floats of 2 bytes) where that is asked for
//   integer  dataset of shape (), int64
//   number   dataset of shape (), float64
//   text     dataset of shape (), string of fixed length, UTF-8; an empty text is a null dataspace
// An array of shape () in int64 or float64 carries the attribute `array`, which tells it from a number.
// h5py reads all of them with file["model/weight"][()].
//
// Equal states give equal bytes: nothing but the state goes in, no time and no order of creation.
// All functions may be called from any thread; they take turns in libhdf5, which is not thread-safe.
#pragma once

#include <weft/lib/array/state_dict.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace weft {

struct Hdf5Options {
  /// Stores float32 arrays at half the size, each value rounded to the nearest bfloat16. They are read as
  /// float32.
  bool bfloat16 = false;
};

/// The bytes of an HDF5 file that holds `state`, behind `user_block` bytes of zeros (0, 512 or a larger power
/// of two) that the caller may fill. It is built in memory, in place: no second copy of the arrays.
/// ValueError for dicts nested deeper than 32; MemoryError.
std::vector<uint8_t> to_hdf5(const StateDict& state, size_t user_block = 0, const Hdf5Options& options = {});

/// An upper bound of what to_hdf5 takes beyond the user block, some 500 bytes above it for each array.
size_t most_hdf5_bytes(const StateDict& state, const Hdf5Options& options = {});

/// What libhdf5 itself takes meanwhile, beside the image, at most.
size_t hdf5_work_bytes(const StateDict& state);

/// The state held by the bytes of an HDF5 file. Attributes are not read; big-endian numbers, strings of
/// variable length, compressed datasets and smaller integers (as int32; of 32 bits without sign as int64) are. FileError that begins with `path` and names the object for
/// anything that is not in the list above (other types, links into other files), and with libhdf5's own
/// reason for what it cannot read. libhdf5 does not withstand damage made on purpose, and may crash on it: what
/// comes from strangers is for from_own_hdf5.
StateDict from_hdf5(std::span<const uint8_t> bytes, const std::string& path);

/// The state held by what to_hdf5 made behind such a user block, by a reader of our own. Whatever the bytes are,
/// it ends, within the bytes and in a small multiple of their memory: what weft does not write (an attribute,
/// chunks, links of other kinds, two names for one object, parts that overlap) is a FileError that begins with
/// `path`, names the object and says what is wrong.
StateDict from_own_hdf5(std::span<const uint8_t> bytes, const std::string& path, size_t user_block = 0);

/// The same for a file.
StateDict read_hdf5(const std::string& path);

/// Whether the bytes hold the signature of an HDF5 file, at the beginning or behind a user block.
bool is_hdf5(std::span<const uint8_t> bytes);

}  // namespace weft
