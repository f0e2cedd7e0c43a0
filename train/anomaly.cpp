#include <weft/autograd/tensor.h>
#include <weft/lib/base/error.h>
#include <weft/train/anomaly.h>

namespace weft {

std::string origin_of_anomaly(const Module& model, const std::string& found,
                              const std::function<void()>& again) {
  for (const NamedTensor& p : model.parameters())
    if (!p.tensor.value().all_finite()) return str("the weight '", p.name, "' is not finite");
  try {
    const DetectAnomaly watching;
    again();
  } catch (const NumericError& error) {
    return error.what();
  }
  return found;
}

}  // namespace weft
