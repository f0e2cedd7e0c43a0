// Work that may crash, in a process of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace weft {

struct ChildResult {
  std::vector<uint8_t> bytes = {};  ///< what the work gave
  std::string error = {};           ///< the text of what it threw instead
  bool died = false;                ///< neither: a crash, or an end by a signal, ended it
};

/// Does the work in a copy of this process, which has its memory as it is now and hands over bytes alone, and waits for its
/// end. What it says on standard error is lost. `most_seconds` of processor time end it too. Call it while no other
/// thread of this process works. MemoryError when the system gives no process, or the copy no room for the bytes.
ChildResult run_in_child(const std::function<std::vector<uint8_t>()>& work, int64_t most_seconds = 600);

}  // namespace weft
