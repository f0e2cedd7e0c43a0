#include <weft/layers/models/generation.h>
#include <weft/lib/error.h>

#include <memory>

#include "commands.h"
#include "console.h"
#include "model_file.h"
#include "values.h"

namespace weft::tools {

Work prepare_generate(const GenerateArguments& arguments) {
  arguments.sampling.check();
  auto console = std::make_shared<Console>();
  const ModelFile file =
      open_model(arguments.model, arguments.last, [&](std::string_view line) { console->print(line); });
  const auto tokenizer = file.checkpoint.tokenizer;
  const std::string prompt = arguments.prompt.value_or(default_prompt(*tokenizer));
  if (prompt.empty()) fail<ValueError>("--prompt: is empty; give at least one character");
  std::vector<int64_t> ids;
  try {
    ids = tokenizer->encode(prompt);
  } catch (const ValueError& error) {
    fail<ValueError>("--prompt: ", error.what());
  }
  if (!tokenizer) fail<ValueError>(file.path, ": has no tokenizer; give --ids");
  const std::shared_ptr<Model> built = file.checkpoint.build_model();
  const auto model = std::dynamic_pointer_cast<GenerativeModel>(built);
  return [=] {
    const int64_t context = model->context();
    if (static_cast<int64_t>(ids.size()) > context)
      console->print(cat("weft: the prompt has ", grouped(static_cast<int64_t>(ids.size())),
                         " tokens; the model reads the last ", context, " of them"));
    write_out(prompt);
    generate(*model, ids,
             {.tokens = arguments.tokens, .sampling = arguments.sampling, .seed = arguments.seed},
             [&](int64_t token) {
               write_out(tokenizer->decode(token));
               return true;
             });
    return 0;
  };
}

}  // namespace weft::tools
