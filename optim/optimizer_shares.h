// Which elements of the parameters each of several processes keeps the optimizer's state of, and updates (Rajbhandari et al.,
// "ZeRO", 2020, stage 1): of parameters that are updated element by element all together an equal part each, of others the
// whole goes to one process, so that all have as much to do.
#pragma once

#include <weft/autograd/named_tensor.h>
#include <weft/lib/processes/processes.h>

#include <cstdint>
#include <vector>

namespace weft {

class OptimizerShares {
 public:
  /// `by_element` says it of each parameter.
  OptimizerShares(const std::vector<NamedTensor>& parameters, const std::vector<bool>& by_element,
                  Processes& processes);

  bool is_first() const { return processes_.is_first(); }
  /// What process `rank` has of parameter number `parameter`, or of something of `size` elements that belongs to it.
  NumberRange of(size_t parameter, int rank, int64_t size) const;
  NumberRange mine(size_t parameter, int64_t size) const { return of(parameter, processes_.rank(), size); }

  /// Something of a parameter, of which each process has its share.
  struct Item {
    size_t parameter;
    int64_t size;      ///< elements
    const void* mine;  ///< the share of this process; may be null where that is empty
    void* whole;       ///< where the shares of the others go, and this one's; null: nowhere
  };
  /// Brings shares together, at most 16 MB at a time. All processes call it with the same items.
  void gather(const std::vector<Item>& items, size_t bytes_each) const;

 private:
  struct Place {
    int64_t line = 0;  ///< of the elements that are shared out: where this parameter's begin
    int owner = -1;    ///< of the whole; -1: all have a share
  };
  Processes& processes_;
  std::vector<Place> places_;
  int64_t lines_ = 0;
};

}  // namespace weft
