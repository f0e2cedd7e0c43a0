#include <weft/lib/base/error.h>
#include <weft/lib/kernels/updates/updates.h>
#include <weft/lib/machine/parallel.h>
#include <weft/optim/ema.h>

#include <algorithm>
#include <set>

namespace weft {

EMA::EMA(std::vector<NamedTensor> parameters, double decay)
    : parameters_(std::move(parameters)), decay_(decay) {
  if (!(decay >= 0 && decay <= 1)) fail<ValueError>("EMA: decay = ", decay, " is not in [0, 1]");
  std::set<std::string> names;
  for (const NamedTensor& p : parameters_) {
    if (!names.insert(p.name).second) fail<ValueError>("EMA: the parameter '", p.name, "' is given twice");
  }
}

void EMA::check_own() const {
  if (exchanged_) fail<StateError>("EMA: the parameters hold the averages; end the Exchange first");
}

Array& EMA::average_of(const NamedTensor& p) {
  Array& average = averages_.at(p.name);
  if (average.shape() != p.tensor.shape())
    fail<StateError>("EMA: the average of '", p.name, "' is ", average.shape(), ", but the parameter is ",
                     p.tensor.shape(), " now; averages of a changed model begin with a new EMA");
  return average = average.to(p.tensor.dtype());
}

void EMA::update() {
  check_own();
  for (const NamedTensor& p : parameters_) {
    if (updates_ == 0) {
      averages_[p.name] = p.tensor.value().copy();
    } else {
      kernels::lerp_into(average_of(p), p.tensor.value(), 1 - decay_);
    }
  }
  ++updates_;
}

void EMA::exchange() {
  const NoGrad no_grad;
  for (NamedTensor& p : parameters_) {
    if (updates_ == 0) break;
    Array &average = average_of(p), &weight = p.tensor.mutable_value();
    visit_floating("EMA", weight.dtype(), [&]<class T>(T) {
      T *a = weight.mutable_data<T>(), *b = average.mutable_data<T>();
      parallel_for(weight.size(), int64_t{1} << 13,
                   [&](int64_t begin, int64_t end) { std::swap_ranges(a + begin, a + end, b + begin); });
    });
  }
  exchanged_ = !exchanged_;
}

EMA::Exchange::Exchange(EMA& ema) : ema_(ema) {
  ema.check_own();
  ema.exchange();
}

EMA::Exchange::~Exchange() { ema_.exchange(); }

StateDict EMA::state_dict() const { return shared_state_dict().copy(); }

StateDict EMA::shared_state_dict() const {
  check_own();
  StateDict state, averages;
  for (const NamedTensor& p : parameters_)
    if (updates_ > 0) averages.set(p.name, averages_.at(p.name).to(p.tensor.dtype()));
  state.set("updates", updates_);
  state.set("average", averages);
  return state;
}

void EMA::load_state_dict(const StateDict& state) {
  check_own();
  const int64_t updates = state.integer("updates");
  if (updates < 0) fail<StateError>("EMA: the state counts ", updates, " updates");
  const StateDict& arrays = state.dict("average");
  std::map<std::string, Array> wanted, averages;
  for (const NamedTensor& p : parameters_) {
    if (updates > 0) wanted.emplace(p.name, p.tensor.value());
  }
  const LoadReport report = compare_arrays(wanted, arrays);
  if (!report.ok()) fail<StateError>("EMA: the state does not fit the parameters\n", report.message());
  for (const auto& [name, array] : wanted) averages.emplace(name, arrays.array(name).copy());
  averages_ = std::move(averages);
  updates_ = updates;
}

}  // namespace weft
