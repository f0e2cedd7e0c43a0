#include <weft/lib/base/advice.h>

#include "data_inspect.h"

namespace weft::tools {
namespace {

using nlohmann::ordered_json;

struct Inspected {
  FieldReport fields;
  std::optional<DocumentReport> documents = {};
  std::optional<TokenReport> tokens = {};
  std::optional<TaskReport> task = {};
};

Inspected inspected(const DataArguments& arguments) {
  Console console;
  const DataFiles files = data_files_of(arguments);
  Inspected all{.fields = read_fields(files, arguments.overlong, console)};
  if (files.plain) all.documents = read_documents(files, arguments.overlong, console);
  all.task = inspect_task(files, arguments, console);
  if (all.task && all.task->tokenizer)
    all.tokens = count_tokens(files, *all.task->tokenizer, all.task->longest, console);
  console.clear();
  return all;
}

ordered_json json_of(const Inspected& all) {
  ordered_json json = json_of(all.fields);
  if (all.documents) json["documents"] = json_of(*all.documents);
  if (all.tokens) json["tokens"] = json_of(*all.tokens);
  if (all.task) json["run"] = json_of(*all.task);
  return json;
}

std::string text_of(const Inspected& all, int64_t overlong) {
  std::string text = text_of(all.fields, overlong);
  if (all.documents) text += text_of(*all.documents, overlong);
  if (all.tokens) text += text_of(*all.tokens);
  if (all.task) text += text_of(*all.task);
  return text;
}

/// Refuses options of the other action.
void check_options(const DataArguments& a) {
  const DataArguments plain;
  const auto of = [&](bool given, const char* option, const char* action) {
    if (given && a.action != action) fail<ValueError>(option, ": is of data ", action, ", not of ", a.action);
  };
  of(a.step != plain.step, "--step", "where");
  of(!a.format.empty(), "--format", "inspect");
  of(!a.task.empty(), "--task", "inspect");
  of(!a.model.empty(), "--model", "inspect");
  of(!a.tokenizer.empty(), "--tokenizer", "inspect");
  of(!a.set.empty(), "--set", "inspect");
  of(!a.val_data.empty(), "--val-data", "inspect");
  of(!a.out.empty(), "--out", "inspect");
  of(a.overlong != plain.overlong, "--overlong", "inspect");
}

}  // namespace

Work prepare_data(const DataArguments& arguments) {
  if (arguments.action == "inspect" || arguments.action == "where") check_options(arguments);
  if (arguments.action == "where") return prepare_data_where(arguments);
  if (arguments.action != "inspect")
    fail_with<ValueError>(
        {.typed = {"data"}, .meant = {"data", "inspect"}}, "data: there is no '", arguments.action,
        "'; data inspect FILE... tells what files hold, data where RUN --step N what fed an update");
  if (std::optional<Work> samples = prepare_sample_inspect(arguments)) return *std::move(samples);
  // Looking is reading: what cannot be read is refused.
  const Inspected all = inspected(arguments);
  const std::string text =
      arguments.json ? json_of(all).dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n"
                     : text_of(all, arguments.overlong);
  return [text] {
    write_out(text);
    return 0;
  };
}

}  // namespace weft::tools
