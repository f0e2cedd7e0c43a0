// Checkpoints: one file each, an ordinary HDF5 file (hdf5_file.h says how a state looks in it) behind a user
// block of 512 bytes that makes it self-validating. h5py.File(path) opens it as it is. All numbers are
// little-endian:
//
//     0  16 bytes  "weft checkpoint\n"
//    16  uint32    format version
//    24  uint64    length of the whole file
//    32  16 bytes  digest (128-bit XXH3) of everything behind the user block
//   496  16 bytes  digest of the 496 bytes before
//
// The rest is zero; magic, version and the two places of the digests stay in all versions. Equal states are equal
// files. The header is checked against the size of the file before the rest is read, and the digest before anything
// is taken from it. What is read then is what weft writes and nothing else, by from_own_hdf5: a file from a
// stranger is refused or read, whatever its bytes and digests.
#pragma once

#include <weft/lib/array/state_dict.h>
#include <weft/lib/base/held_folder.h>
#include <weft/lib/files/hdf5_file.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace weft {

inline constexpr size_t checkpoint_header_bytes = 512;
inline constexpr uint32_t checkpoint_format_version = 1;

/// The bytes of a checkpoint file. It is a snapshot: the state may change while another thread writes it.
std::vector<uint8_t> checkpoint_image(const StateDict& state, const Hdf5Options& options = {});

/// Writes an image beside `path`, syncs, reads back and compares, and renames: at every instant `path` is the
/// file that was there or the new one, whole. Old checkpoints are pruned by the caller, after this has
/// returned. FileError with path and cause; `path` is then what it was, and no temporary stays.
void write_checkpoint_image(const std::string& path, std::span<const uint8_t> image);
void write_checkpoint_image(const HeldFolder& folder, const std::string& path,
                            std::span<const uint8_t> image);

/// Both:
///   write_checkpoint("model.h5", state, {.bfloat16 = true});
void write_checkpoint(const std::string& path, const StateDict& state, const Hdf5Options& options = {});
void write_checkpoint(const HeldFolder& folder, const std::string& path, const StateDict& state);

/// The state of a checkpoint. FileError, each with its own text, when the file is missing, not a regular
/// file, not permitted, empty, truncated (with bytes expected and found), not a weft checkpoint (HDF5 or
/// not), of a newer format version, damaged, or not as weft writes it. MemoryError.
StateDict read_checkpoint(const std::string& path);

/// Whether a file begins as a checkpoint does. FileError when it cannot be read.
bool is_checkpoint(const std::string& path);

/// The same for bytes in memory; `path` is for the messages.
StateDict read_checkpoint_image(std::span<const uint8_t> image, const std::string& path);

/// The state of a checkpoint that another program has edited since, h5py in mode 'a' say, whatever its length and
/// digest: by libhdf5, which reads all that such a program writes, in a process of its own, which it may crash.
/// Errors as read_checkpoint(), but for those of length and digest. Call it while no other thread works.
StateDict read_edited_checkpoint(const std::string& path);

}  // namespace weft
