#include <weft/lib/base/bfloat16.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>
#include <weft/lib/base/values.h>
#include <weft/lib/files/checkpoint.h>
#include <weft/train/files/run_checkpoint.h>
#include <weft/train/files/run_folder.h>
#include <weft/train/show/console.h>

#include <algorithm>
#include <bit>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>

#include "commands.h"

namespace weft::tools {
namespace {

struct Sealing {
  std::string path;
  std::optional<FileLock> lock;  ///< of the run that the file lies in
  StateDict state;
};

int64_t entries_in(const StateDict& state) {
  int64_t count = 0;
  for (const auto& [name, value] : state.entries()) {
    const auto* const dict = std::get_if<std::shared_ptr<StateDict>>(&value);
    count += dict ? entries_in(**dict) : 1;
  }
  return count;
}

bool keeps(float x) {
  return std::bit_cast<uint32_t>(float_of_bfloat16(bfloat16_of(x))) == std::bit_cast<uint32_t>(x);
}

/// Whether bfloat16 keeps every value, as it does of a file that was written so.
bool fits_bfloat16(const StateDict& state) {
  for (const auto& [name, value] : state.entries()) {
    const auto* const dict = std::get_if<std::shared_ptr<StateDict>>(&value);
    if (dict && !fits_bfloat16(**dict)) return false;
    const auto* const array = std::get_if<Array>(&value);
    if (array && array->dtype() == float32 && !std::ranges::all_of(array->values<float>(), keeps))
      return false;
  }
  return true;
}

/// What the file holds, if it is whole.
std::optional<StateDict> whole(const std::string& path) {
  try {
    return read_checkpoint(path);
  } catch (const FileError&) {
    return std::nullopt;
  }
}

/// All that the commands would ask of it. The number of parameters.
int64_t check(const StateDict& state, const Say& say) {
  const RunCheckpoint read = RunCheckpoint::from_state(state, say);
  read.model.check();
  if (read.training && !read.training->weights.empty()) {
    ModelFile last = read.model;
    last.weights = read.training->weights;
    last.check();
  }
  int64_t parameters = 0;
  for (const std::string& name : read.model.weights.keys())
    parameters += read.model.weights.array(name).size();
  return parameters;
}

}  // namespace

Work prepare_seal(const SealArguments& arguments) {
  std::error_code unreadable;
  // What a link leads to is sealed, and the link stays.
  const std::string path = std::filesystem::is_symlink(arguments.file, unreadable)
                               ? std::filesystem::canonical(arguments.file, unreadable).string()
                               : arguments.file;
  const auto console = std::make_shared<Console>();
  const auto sealing = std::make_shared<Sealing>();
  sealing->path = path;
  if (const auto run = run_of(path)) sealing->lock.emplace(HeldFolder(run->path), run->path + "/.lock");
  const std::optional<StateDict> as_written = whole(path);
  sealing->state = as_written ? *as_written : read_edited_checkpoint(path);
  int64_t parameters = 0;
  try {
    parameters = check(sealing->state, [&](std::string_view line) { console->print(line); });
  } catch (const Error& error) {
    fail<FileError>(path, ": is left as it is, since no command could use what it holds: ", error.what());
  }
  const std::string holds =
      str(grouped(entries_in(sealing->state)), " entries, ", grouped(parameters), " parameters");
  if (as_written)
    return [=] {
      console->print(str(path, ": is whole, and stays as it is: ", holds));
      return 0;
    };
  const AtomicFile writable(path);
  return [=] {
    const auto permissions = std::filesystem::status(path).permissions();
    write_checkpoint(path, sealing->state, {.bfloat16 = fits_bfloat16(sealing->state)});
    std::error_code ignored;
    std::filesystem::permissions(path, permissions, ignored);
    console->print(
        str(path, ": sealed: ", holds,
            ". What was changed cannot be told: if nobody edited the file, it is damaged, and another copy "
            "is better"));
    return 0;
  };
}

}  // namespace weft::tools
