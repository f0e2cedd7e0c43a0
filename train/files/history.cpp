#include <weft/lib/base/error.h>
#include <weft/train/files/history.h>

#include <algorithm>
#include <cmath>
#include <span>

namespace weft {

const Evaluation* History::best() const {
  const auto found = std::ranges::min_element(evaluations, {}, &Evaluation::val_loss);
  return found == evaluations.end() ? nullptr : &*found;
}

int64_t History::since_best() const { return evaluations.empty() ? 0 : &evaluations.back() - best(); }

StateDict History::state_dict() const {
  std::vector<int64_t> steps;
  std::vector<double> train, val;
  for (const Evaluation& e : evaluations) {
    steps.push_back(e.step);
    train.push_back(e.train_loss);
    val.push_back(e.val_loss);
  }
  const auto n = static_cast<int64_t>(steps.size());
  StateDict state;
  state.set("step", Array::from(steps, {n}));
  state.set("train_loss", Array::from(train, {n}));
  state.set("val_loss", Array::from(val, {n}));
  return state;
}

History History::from_state(const StateDict& state) {
  const auto steps = state.array("step").values<int64_t>();
  const auto train = state.array("train_loss").values<double>();
  const auto val = state.array("val_loss").values<double>();
  if (train.size() != steps.size() || val.size() != steps.size())
    fail<StateError>("history: ", steps.size(), " steps, ", train.size(), " train_loss, ", val.size(),
                     " val_loss");
  History history;
  for (size_t i = 0; i < steps.size(); ++i) {
    if (steps[i] < 0 || (i > 0 && steps[i] <= steps[i - 1]))
      fail<StateError>("history: step ", steps[i], " is evaluation number ", i, ", behind step ",
                       i > 0 ? steps[i - 1] : -1);
    if (!std::isfinite(train[i]) || !std::isfinite(val[i]))
      fail<StateError>("history: the losses of step ", steps[i], " are ", train[i], " and ", val[i]);
    history.evaluations.push_back({steps[i], train[i], val[i]});
  }
  return history;
}

}  // namespace weft
