#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>
#include <weft/lib/base/values.h>
#include <weft/train/files/opened_model.h>
#include <weft/train/files/run_folder.h>
#include <weft/train/show/console.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "commands.h"

namespace weft::tools {
namespace {

/// A run stands for its newest checkpoints.
std::vector<std::string> files_of(const AverageArguments& arguments) {
  std::vector<std::string> files;
  for (const std::string& path : arguments.models) {
    if (!std::filesystem::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    const RunFolder run{path};
    const std::vector<int64_t> steps = run.steps();
    if (steps.empty()) fail<FileError>(path, ": holds no checkpoints");
    const size_t count = std::min(steps.size(), static_cast<size_t>(arguments.newest));
    for (size_t i = steps.size() - count; i < steps.size(); ++i) files.push_back(run.checkpoint(steps[i]));
  }
  if (files.size() < 2)
    fail<ValueError>("average: needs two files at least, not ", files.size(),
                     "; a run's folder stands for its newest checkpoints (--newest, keep_checkpoints)");
  return files;
}

/// Adds up in double: the mean does not depend on the order to more than a rounding.
class Sum {
 public:
  explicit Sum(const ModelFile& first) {
    for (const auto& [name, value] : first.weights.entries())
      sums_.set(name, std::get<Array>(value).to(float64).copy());
  }
  void add(const StateDict& weights) {
    for (const auto& [name, value] : sums_.entries()) {
      Array sum = std::get<Array>(value);
      const Array more = weights.array(name).to(float64);
      double* const to = sum.mutable_data<double>();
      for (int64_t i = 0; i < sum.size(); ++i) to[i] += more.data<double>()[i];
    }
  }
  StateDict mean(const StateDict& like, int64_t count) const {
    StateDict means;
    for (const auto& [name, value] : sums_.entries()) {
      Array mean = std::get<Array>(value).copy();
      double* const to = mean.mutable_data<double>();
      for (int64_t i = 0; i < mean.size(); ++i) to[i] /= static_cast<double>(count);
      means.set(name, mean.to(like.array(name).dtype()));
    }
    return means;
  }

 private:
  StateDict sums_;
};

void check_same_model(const OpenedModel& first, const OpenedModel& other) {
  const ModelFile &a = first.checkpoint.model, &b = other.checkpoint.model;
  if (a.kind != b.kind)
    fail<ValueError>(other.path, ": is of the kind ", b.kind, ", but ", first.path, " of ", a.kind);
  if (!identical(a.settings, b.settings))
    fail<ValueError>(other.path, ": its settings are not those of ", first.path, "; weft inspect shows both");
  if ((a.tokenizer == nullptr) != (b.tokenizer == nullptr) ||
      (a.tokenizer && !identical(a.tokenizer->state_dict(), b.tokenizer->state_dict())))
    fail<ValueError>(other.path, ": its tokenizer is not that of ", first.path);
  if (a.class_names != b.class_names)
    fail<ValueError>(other.path, ": the names of its classes are not those of ", first.path);
  if (a.end_ids != b.end_ids)
    fail<ValueError>(other.path, ": the ids that end its texts are not those of ", first.path);
}

}  // namespace

Work prepare_average(const AverageArguments& arguments) {
  check_output(arguments.out);
  if (is_there(arguments.out)) fail<FileError>(arguments.out, ": is there already; choose another");
  const auto console = std::make_shared<Console>();
  const Say say = [console](std::string_view line) { console->print(line); };
  const std::vector<std::string> files = files_of(arguments);
  const auto first = std::make_shared<OpenedModel>(open_model(files[0], false, say));
  first->check();
  const auto sum = std::make_shared<Sum>(first->checkpoint.model);
  for (size_t i = 1; i < files.size(); ++i) {
    const OpenedModel other = open_model(files[i], false, say);
    other.check();
    check_same_model(*first, other);
    sum->add(other.checkpoint.model.weights);
  }
  return [=, out = arguments.out, count = std::ssize(files)] {
    ModelFile mean = first->checkpoint.model;
    mean.weights = sum->mean(mean.weights, count);
    mean.write(out);
    console->print(str(out, ": the mean of ", grouped(count), " models, a model alone"));
    return 0;
  };
}

}  // namespace weft::tools
