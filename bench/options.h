// The command lines' common options.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "measure.h"

namespace bench {

inline void add_options(CLI::App& app, Setup& setup) {
  app.add_option("--threads", setup.threads, "Threads (default: the cores granted)")
      ->check(CLI::Range(1, 1024));
  app.add_option("--seconds", setup.seconds, "Time for each figure")->check(CLI::PositiveNumber);
  app.add_flag("--json", setup.json, "Print one object instead of a table");
}

inline void add_model(CLI::App& app, std::string& name) {
  app.add_option("--model", name, "nano, baby or gpt2")->check(CLI::IsMember({"nano", "baby", "gpt2"}));
}

}  // namespace bench
