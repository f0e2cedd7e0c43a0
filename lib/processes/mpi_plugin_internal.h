// Between weft and its plug-in libweft-mpi.so, which is linked with MPI, as weft is not. In C, so that the two may be built
// apart. All of it is called from one thread, the one that started it. Internal to lib.
#pragma once

#include <cstdint>

extern "C" {

/// Messages of different channels do not meet. What all take part in is begun in the same order by all, channel by channel.
enum weft_mpi_channel {
  weft_mpi_gathers,   ///< what is small and wanted at once
  weft_mpi_parts,     ///< parts of sums, on the way to who adds them
  weft_mpi_sums,      ///< sums, on the way back
  weft_mpi_messages,  ///< from one to another
  weft_mpi_channels,
};

/// Functions give 0, or an error of MPI, which text() tells. Bytes and places count in bytes.
struct weft_mpi_functions {
  /// Joins the others.
  int (*start)(int* rank, int* size);
  /// Begins to give from[at[r]], bytes[r] of them, to each process r, and to take likewise.
  int (*all_to_all)(int channel, const void* from, const int* from_bytes, const int* from_at, void* to,
                    const int* to_bytes, const int* to_at, int64_t* request);
  /// Begins to give `bytes` to all, and to take from each; from null: they lie in their place of `to`.
  int (*all_gather)(int channel, const void* from, int bytes, void* to, const int* to_bytes, const int* to_at,
                    int64_t* request);
  int (*send)(int channel, const void* from, int bytes, int to, int64_t* request);
  /// Whether there is a message, from whom, and how long it is.
  int (*probe)(int channel, int* there, int* from, int* bytes);
  /// Takes a message that was probed.
  int (*receive)(int channel, void* to, int bytes, int from);
  /// Whether it is done, and moves what is not.
  int (*test)(int64_t* request, int* done);
  /// Leaves, when all do.
  int (*finish)();
  void (*text)(int error, char* to, int size);
};

using weft_mpi_function = const weft_mpi_functions*();

}  // extern "C"

namespace weft {
inline constexpr const char* mpi_plugin = "libweft-mpi.so";
inline constexpr const char* mpi_function = "weft_mpi_1";  ///< 1: of these functions
}  // namespace weft
