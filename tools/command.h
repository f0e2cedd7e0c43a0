// One command of the command line: how its options fill its arguments.
#pragma once

#include <weft/lib/base/values.h>
#include <weft/lib/machine/parallel.h>
#include <weft/tools/commands/commands.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "refused_words.h"

namespace weft::tools {

/// A command that fills its arguments as it is parsed.
template <class Arguments>
class Command {
 public:
  Command(CLI::App& parent, const char* name, const char* help, Work (*prepared)(const Arguments&))
      : app(*parent.add_subcommand(name, help)), prepare_(prepared) {}

  /// Nothing in the place of a value is refused.
  template <class Read>
  CLI::Option* option(const char* name, const char* type, const char* help, Read read) {
    const auto take = [=](const std::string& typed) { read(refuse_typed(name, typed)); };
    return app.add_option_function<std::string>(name, take, help)->type_name(type);
  }
  CLI::Option* text(const char* name, std::string& to, const char* type, const char* help) {
    return option(name, type, help, [&to](const std::string& typed) { to = typed; });
  }
  CLI::Option* flag(const char* name, bool& to, const char* help) { return app.add_flag(name, to, help); }
  CLI::Option* texts(const char* name, std::vector<std::string>& to, const char* type, const char* help,
                     bool may_be_empty = false) {
    const auto take = [=, &to](const std::vector<std::string>& typed) {
      for (const std::string& one : typed)
        if (!may_be_empty) refuse_typed(name, one);
      if (name == std::string_view("--set")) refuse_spaces(typed);
      to = typed;
    };
    // Extra arguments are collected up to the number expected anyway; allowed, "[a,b]" would become two.
    return app.add_option_function<std::vector<std::string>>(name, take, help)
        ->type_name(type)
        ->expected(1, 1 << 20)
        ->allow_extra_args(false);
  }
  template <class Integer>
  CLI::Option* integer(const char* name, Integer& to, const char* type, int64_t least, int64_t most,
                       const char* help) {
    return option(name, type, help, [=, &to](const std::string& typed) {
      to = static_cast<Integer>(parse_integer(name, typed, least, most));
    });
  }
  template <class Number>
  CLI::Option* number(const char* name, Number& to, const char* type, double least, double most,
                      const char* help) {
    return option(name, type, help,
                  [=, &to](const std::string& typed) { to = parse_number(name, typed, least, most); });
  }
  void model() {
    text("model", arguments.model, "RUN|FILE.h5", "a run's folder, a checkpoint, or a model's file")
        ->required();
    if constexpr (requires { arguments.base; })
      text("--base", arguments.base, "RUN|FILE.h5",
           "of adapters (lora_rank), the model that they are of, unless it lies where they say");
  }
  void weights() {
    text("--weights", arguments.weights, "float32|int8",
         "int8: 8-bit integers, faster and in less memory, at a small loss (float32)");
  }
  void last() { flag("--last", arguments.last, "of a run, the newest checkpoint instead of best.h5"); }
  void json() { flag("--json", arguments.json, "print one JSON object"); }
  void threads() {
    option("--threads", "N", "threads to use; the results do not depend on it", [](const std::string& typed) {
      set_num_threads(static_cast<int>(parse_integer("--threads", typed, 1, 1024)));
    });
  }
  Work prepare() const { return prepare_(arguments); }

  CLI::App& app;
  Arguments arguments;

 private:
  Work (*prepare_)(const Arguments&);
};

}  // namespace weft::tools
