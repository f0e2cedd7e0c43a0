// The commands of weft. Each checks everything it was given first; what it returns then does the work, and
// gives the exit code. So an error before work began and one while working are told apart by where they come
// from.
#pragma once

#include <weft/lib/sampling.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace weft::tools {

using Work = std::function<int()>;

struct TrainArguments {
  std::vector<std::string> data;
  std::string model, task;  ///< empty: as the configuration has them
  std::string out;
  std::string config;
  std::vector<std::string> set;
  std::string init_from;
  bool overwrite = false;
  std::string resume;
  bool profile = false;
  int64_t profile_steps = 10;
};
Work prepare_train(const TrainArguments& arguments);

struct EvalArguments {
  std::string model;  ///< RUN or FILE.h5
  std::string data;   ///< empty: the run's validation split
  int64_t stride = 0;
  bool last = false;
  bool json = false;
};
Work prepare_eval(const EvalArguments& arguments);

struct GenerateArguments {
  std::string model;
  std::optional<std::string> prompt;
  int64_t tokens = 500;
  SamplingOptions sampling;
  uint64_t seed = 1337;
  bool last = false;
};
Work prepare_generate(const GenerateArguments& arguments);

struct InspectArguments {
  std::string model;
  bool json = false;
};
Work prepare_inspect(const InspectArguments& arguments);

struct StoriesArguments {
  int64_t bytes = 0;
  uint64_t seed = 0;
  std::string out;
  bool json = false;
};
Work prepare_stories(const StoriesArguments& arguments);

}  // namespace weft::tools
