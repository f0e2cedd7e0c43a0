#include <weft/data/tasks/registry.h>
#include <weft/layers/models/registry.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/join.h>
#include <weft/train/run_config.h>

#include <algorithm>
#include <cctype>

#include "program_help.h"

namespace weft::tools {
namespace {

/// Text as roff prints it unchanged, at the beginning of a line too.
std::string plain(const std::string& text) {
  std::string all;
  for (const char c : text) {
    switch (c) {
      case '\\':
        all += "\\(rs";
        break;
      case '-':
        all += "\\-";
        break;
      case '\'':
        all += "\\(aq";
        break;
      case '"':
        all += "\\(dq";
        break;
      case '`':
        all += "\\(ga";
        break;
      case '^':
        all += "\\(ha";
        break;
      case '~':
        all += "\\(ti";
        break;
      default:
        all += c;
    }
  }
  return all.starts_with('.') ? "\\&" + all : all;
}

std::string bold(const std::string& text) { return "\\fB" + plain(text) + "\\fR"; }
std::string italic(const std::string& text) { return "\\fI" + plain(text) + "\\fR"; }

std::string capitals(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

std::string entry(const std::string& tag, const std::string& text) {
  return str(".TP\n", tag, "\n", text.empty() ? "\\&" : text, "\n");
}

std::string usage(const ProgramHelp& help, const HelpCommand& command) {
  std::string line = str(bold(help.name), " ", bold(command.name));
  for (const HelpOption& option : command.options) {
    if (option.by_place) line += " " + italic(option.type);
    if (!option.by_place && option.required) line += str(" ", bold(option.name), " ", italic(option.type));
  }
  return line + " [" + italic("OPTION") + "]...";
}

std::string option_entry(const HelpOption& option) {
  if (option.by_place) return entry(italic(option.type), plain(option.help));
  std::string tag = option.short_name.empty() ? "" : bold(option.short_name) + ", ";
  tag += bold(option.name);
  if (!option.is_flag()) tag += " " + italic(option.type);
  if (option.several) tag += "...";
  return entry(tag, plain(option.help));
}

std::string key_entry(const HelpKey& key) {
  const Setting& s = key.setting;
  std::string tag = bold(s.name);
  // A default out of the limits stands for one that is worked out, as the meaning says.
  if (fitting(s, s.value)) {
    const std::string value = text_of(s.value);
    tag += " = " + plain(std::holds_alternative<std::string>(s.value) ? str('"', value, '"') : value);
  }
  std::string text = s.help;
  if (!s.choices.empty()) text += str(text.empty() ? "" : "; ", "one of ", joined(s.choices));
  if (!key.owners.empty()) text += str(text.empty() ? "" : " ", "(", joined(key.owners), ")");
  return entry(tag, plain(text));
}

std::string keys_section(const ProgramHelp& help) {
  std::string text = str(".SH KEYS\nOf a run, for ", bold("--set"), " ", italic("KEY=VALUE"), " and ",
                         bold("config.toml"), ", each with its default.\n");
  std::string registry;
  for (const HelpKey& key : help.keys) {
    if (key.registry != registry) text += str(".SS Of ", key.registry, "s, each with those that have it\n");
    registry = key.registry;
    text += key_entry(key);
  }
  return text + ".PP\nOn resume only these may change: " + plain(steering_keys()) + ".\n";
}

std::string parts_section() {
  std::string text = ".SH MODELS\nEach with the tasks it takes.\n";
  for (const ModelEntry* const model : models().entries()) {
    std::vector<std::string> names;
    for (const TaskEntry* const task : tasks().entries())
      if (model->takes(task->kind)) names.push_back(task->name);
    text += entry(bold(model->name), plain(joined(names)));
  }
  text += ".SH TASKS\nWhat a model learns.\n";
  for (const TaskEntry* const task : tasks().entries()) text += entry(bold(task->name), plain(task->summary));
  return text;
}

constexpr std::pair<const char*, const char*> codes[] = {
    {"0", "Done."},
    {"1", "Failed while working."},
    {"2", "Refused before work began: nothing was changed."},
    {"130", "Stopped by SIGINT."},
    {"143", "Stopped by SIGTERM."}};

constexpr std::pair<const char*, const char*> files[] = {
    {"config.toml", "Every key of the run; train --config starts it again from the beginning."},
    {"metrics.jsonl", "What was measured, an object of JSON a line."},
    {"metrics.csv", "The same as a table, with a row for each line."},
    {"samples.jsonl", "What each evaluation showed, with its step."},
    {"statistics.jsonl",
     "Mean, deviation, extremes and histograms of weights and gradients, and of what the layers give, with "
     "stats_interval."},
    {"events.out.tfevents.*.weft",
     "All of this for TensorBoard, with tensorboard=true: tensorboard --logdir RUN."},
    {"best.h5", "The weights with the least validation loss."},
    {"checkpoints/", "The newest states, as step-00002000.h5: --resume goes on from them to the same bytes."},
    {"loss.svg", "A picture of the losses, drawn anew at each evaluation."}};

}  // namespace

std::string man_page(const ProgramHelp& help) {
  const std::string name = plain(help.name);
  std::string text = str(".TH ", plain(capitals(help.name)),
                         " 1 \"\" \"weft " WEFT_VERSION "\" \"User Commands\"\n.ad l\n.nh\n", ".SH NAME\n",
                         name, " \\- ", plain(help.about), "\n.SH SYNOPSIS\n");
  for (const HelpCommand& command : help.commands) text += usage(help, command) + "\n.br\n";
  for (const HelpOption& option : help.options)
    text += str(bold(help.name), " ", bold(option.name), &option == &help.options.back() ? "\n" : "\n.br\n");
  text += ".SH COMMANDS\n";
  for (const HelpCommand& command : help.commands) {
    text +=
        str(".SS ", plain(command.name), "\n", plain(command.help), "\n.PP\n", usage(help, command), "\n");
    for (const HelpOption& option : command.options)
      if (option.name != "--help") text += option_entry(option);
  }
  text += ".SH OPTIONS\nOf the program; every command has " + bold("--help") + " too.\n";
  for (const HelpOption& option : help.options) text += option_entry(option);
  text += parts_section() + keys_section(help) + ".SH EXIT STATUS\n";
  for (const auto& [code, meaning] : codes) text += entry(bold(code), plain(meaning));
  text += ".SH FILES\nA run is a folder that holds\n";
  for (const auto& [file, meaning] : files) text += entry(italic(file), plain(meaning));
  return text + str(".SH SEE ALSO\n", name, " ", italic("COMMAND"), " ", bold("--help"), ", ", bold("h5dump"),
                    "(1), which shows what is in a checkpoint\n");
}

}  // namespace weft::tools
