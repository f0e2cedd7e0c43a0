// loss.svg: the curves of training and validation, a file that a browser shows in light and in dark.
#pragma once

#include <weft/train/files/run_log.h>

#include <string>
#include <vector>

namespace weft {

/// The picture: loss over updates made, the batches' losses faint behind the evaluations'.
std::string loss_plot(const std::string& title, const std::vector<Update>& updates,
                      const std::vector<Evaluation>& evaluations);

}  // namespace weft
