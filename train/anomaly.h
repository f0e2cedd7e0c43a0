// Where a NaN or infinity of training came from.
#pragma once

#include <weft/layers/module.h>

#include <functional>
#include <string>

namespace weft {

/// Computes an update once more, watching every operation (DetectAnomaly), and says which gave the first number that is
/// not finite: `again` must do forward and backward of the same batches. `found` where nothing comes of it.
std::string origin_of_anomaly(const Module& model, const std::string& found,
                              const std::function<void()>& again);

}  // namespace weft
