#include <weft/lib/base/error.h>
#include <weft/lib/base/values.h>
#include <weft/train/files/opened_model.h>
#include <weft/train/files/run_folder.h>
#include <weft/train/show/console.h>

#include <memory>

#include "commands.h"

namespace weft::tools {

Work prepare_merge(const MergeArguments& arguments) {
  check_output(arguments.out);
  if (is_there(arguments.out)) fail<FileError>(arguments.out, ": is there already; choose another");
  const auto console = std::make_shared<Console>();
  const auto opened = std::make_shared<OpenedModel>(open_model(
      arguments.model, arguments.last, [&](std::string_view line) { console->print(line); }, arguments.base));
  if (!opened->adapters)
    fail<ValueError>(opened->path, ": holds no adapters, but a whole model; ", program_name(),
                     " export --format weft copies it");
  opened->check();
  return [=, out = arguments.out] {
    opened->checkpoint.model.write(out);
    console->print(str(out, ": ", opened->adapters->base, " with ",
                       grouped(std::ssize(opened->adapters->lora.alphas)), " adapters of ", opened->path,
                       ", a model alone"));
    return 0;
  };
}

}  // namespace weft::tools
