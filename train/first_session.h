// What the processes of a run tell each other before it begins: the first makes its folder and tokenizer, the others see it
// and take them; and all are compared.
#pragma once

#include <weft/data/text/tokenizer.h>
#include <weft/lib/base/held_folder.h>
#include <weft/lib/processes/processes.h>
#include <weft/train/files/run_folder.h>

#include <cstdint>
#include <memory>
#include <string>

namespace weft {

struct Session;

/// What the first process has opened.
struct FirstSession {
  std::string folder;                          ///< where the run is made
  std::shared_ptr<const Tokenizer> tokenizer;  ///< null: there is none, or all find it themselves
  std::string content_hash;                    ///< TaskData::content_hash

  /// Waits until the first process has told. FileError when its folder is not to be seen from here.
  explicit FirstSession(Processes& processes);
  /// Of the first process, once the others may begin.
  static void tell(Processes& processes, const RunFolder& folder, const HeldFolder& held,
                   const std::shared_ptr<const Tokenizer>& tokenizer, const std::string& content_hash);
};

/// ValueError, on all processes alike, unless they run the same program, with the same configuration and data, and stand at
/// this same step with the same weights: it names the process and what differs.
void check_alike(const Session& session, int64_t step);

}  // namespace weft
