// The entries of a group as libhdf5 1.8 and later keep them: up to eight as messages in the group's header, more of them in
// a fractal heap, in the order of a B-tree (version 2) of their names' hashes. Sections III.A.2, III.G and IV.A.2.g of the
// HDF5 File Format Specification 3.0. The sizes that libhdf5 has always used for groups are required. Internal to lib.
#pragma once

#include <weft/lib/files/hdf5_bytes_internal.h>

#include <cstdint>
#include <string>
#include <vector>

namespace weft::hdf5 {

struct HardLink {
  std::string name;
  uint64_t header = 0;  ///< address of the object's
};

/// The entry that a message tells.
HardLink link_of(const UntrustedBytes& file, std::span<const uint8_t> message);

/// All entries that a heap and the tree of their names hold, which lie at these addresses.
std::vector<HardLink> dense_links(UntrustedBytes& file, uint64_t heap, uint64_t names);

}  // namespace weft::hdf5
