// What a new run begins from, if not from nothing, and what it takes over.
#pragma once

#include <weft/train/files/opened_model.h>

#include <optional>
#include <string>

namespace weft {

struct Session;

struct Source {
  OpenedModel opened;
  std::string carries;  ///< "weights", "optimizer" or "all"

  /// Drops what is not carried.
  Source(OpenedModel from, std::string what);
};

/// Opened so as to be carried. Of a run that trains adapters and goes on they stay alone until take_base().
Source open_source(const std::string& run_or_file, const std::string& carries, const Say& say);

/// What a run with adapters can begin from: ValueError. A configuration that says of adapters what is of no use is told to
/// `say`.
void check_adapters(const RunConfig& config, const std::optional<Source>& source, const Say& say);

/// The model that the adapters of a run are of, if it has some: what it begins from, or, when that has adapters that go
/// on, the model that those are of, which the configuration names then, and with which the source is made whole.
std::optional<OpenedModel> take_base(RunConfig& config, std::optional<Source>& source, const Say& say);

/// Gives the parts of a new run what they take over; notes tell of it.
void take_over(Session& session, const Source& source);

/// How a run that goes on names the one before: "a, step 2000".
std::string parent_of(const Source& source);

}  // namespace weft
