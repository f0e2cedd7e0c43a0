// man and completion: all that --help says, for man(1) and for shells.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "program.h"

namespace {

std::string help_said(const Arguments& arguments) {
  const Folder folder;
  const Result result = run_weft(folder, arguments);
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK(result.err == "");
  return result.out;
}

/// The first words of lines that begin with two spaces, between a line that begins with `from` and the end.
std::vector<std::string> listed_after(const std::string& text, const std::string& from) {
  std::vector<std::string> words;
  bool reached = false;
  for (const std::string& line : lines_of(text)) {
    if (line.starts_with(from)) reached = true;
    if (reached && line.starts_with("  ") && line.size() > 2 && line[2] != ' ')
      words.push_back(line.substr(2, line.find(' ', 2) - 2));
  }
  return words;
}

std::vector<std::string> commands() { return listed_after(help_said({"--help"}), "Subcommands:"); }

std::vector<std::string> options_of(const std::string& command) {
  std::vector<std::string> options;
  for (const std::string& word : listed_after(help_said({command, "--help"}), "Options:"))
    if (word.starts_with("--")) options.push_back(word);
  return options;
}

/// As roff writes it in bold.
std::string bold(const std::string& text) {
  std::string all = "\\fB";
  for (const char c : text) all += c == '-' ? std::string("\\-") : std::string(1, c);
  return all + "\\fR";
}

/// What bash completes, in the words into which it breaks a line that ends here.
std::vector<std::string> completed(const Folder& folder, const Arguments& words) {
  std::string script = "source ./weft.bash\nCOMP_WORDS=(";
  for (const std::string& word : words) script += "'" + word + "' ";
  script +=
      ")\nCOMP_CWORD=" + std::to_string(words.size() - 1) + "\n_weft\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n";
  folder.write("weft.bash", help_said({"completion", "bash"}));
  folder.write("complete.bash", script);
  Program::Options bash;
  bash.program = "bash";
  const Result result = run_weft(folder, {"--norc", "complete.bash"}, bash);
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK(result.err == "");
  std::vector<std::string> lines = lines_of(result.out);
  std::erase(lines, "");
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::vector<std::string> completed(const Arguments& words) { return completed(Folder(), words); }

using Words = std::vector<std::string>;

bool holds(const Words& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

TEST_CASE("man and each completion name every command and every option") {
  const std::string page = help_said({"man"}), bash = help_said({"completion", "bash"}),
                    zsh = help_said({"completion", "zsh"}), fish = help_said({"completion", "fish"});
  REQUIRE(commands().size() >= 11);
  for (const std::string& command : commands()) {
    CAPTURE(command);
    CHECK(contains(page, "\n.SS " + command + "\n"));
    CHECK(contains(bash, "\n    " + command + ") "));
    CHECK(contains(zsh, "\n      " + command + ")\n"));
    CHECK(contains(fish, " -a " + command + " "));
    for (const std::string& option : options_of(command)) {
      CAPTURE(option);
      CHECK(contains(page, bold(option)));
      CHECK(contains(bash, option));
      CHECK(contains(zsh, "'" + option + "["));
      CHECK(contains(fish, " -l " + option.substr(2) + " "));
    }
  }
}

TEST_CASE("man names every key and every model of train --help") {
  const std::string page = help_said({"man"}), help = help_said({"train", "--help"});
  const Words keys = listed_after(help, "Keys, for --set"), parts = listed_after(help, "Models, each");
  REQUIRE(keys.size() > 60);
  REQUIRE(parts.size() > 20);
  for (const std::string& key : keys) CHECK_MESSAGE(contains(page, "\n.TP\n" + bold(key)), key);
  for (const std::string& part : parts) CHECK_MESSAGE(contains(page, "\n.TP\n" + bold(part)), part);
  CHECK(contains(page, bold("n_layer") + " = 4\n"));
  CHECK(contains(page, bold("optimizer") + " = \\(dqadamw\\(dq\n"));
  CHECK(contains(page, bold("lr_decay_iters") + "\n"));
  for (const char* code : {"0", "1", "2", "130", "143"}) CHECK(contains(page, "\n.TP\n" + bold(code) + "\n"));
  for (const char* section : {"NAME", "SYNOPSIS", "COMMANDS", "KEYS", "EXIT STATUS", "FILES", "SEE ALSO"})
    CHECK(contains(page, std::string("\n.SH ") + section + "\n"));
}

TEST_CASE("man: what begins a line with a dot is a request, and quotes are escaped") {
  for (const std::string& line : lines_of(help_said({"man"}))) {
    CAPTURE(line);
    if (line.starts_with(".TH ")) continue;
    CHECK(!line.empty());
    CHECK(line.find_first_of("'\"`") == std::string::npos);
    if (!line.starts_with('.')) continue;
    CHECK((line == ".TP" || line == ".PP" || line == ".br" || line == ".ad l" || line == ".nh" ||
           line.starts_with(".SH ") || line.starts_with(".SS ")));
  }
}

TEST_CASE("bash completes commands, options, names and keys") {
  CHECK(completed({"weft", ""}) == [] {
    Words all = commands();
    std::sort(all.begin(), all.end());
    return all;
  }());
  CHECK(completed({"weft", "gen"}) == Words{"generate"});
  CHECK(completed({"weft", "--v"}) == Words{"--version"});
  CHECK(completed({"weft", "train", "--prof"}) == Words{"--profile", "--profile-steps"});
  CHECK(completed({"weft", "eval", "run", "--str"}) == Words{"--stride"});
  CHECK(completed({"weft", "train", "--model", "ll"}) == Words{"llama"});
  CHECK(completed({"weft", "train", "--model", "=", "ll"}) == Words{"llama"});
  CHECK(completed({"weft", "train", "--task", "rev"}) == Words{"reverse", "reviews"});
  CHECK(completed({"weft", "export", "run", "--format", "s"}) == Words{"safetensors"});
  CHECK(completed({"weft", "completion", ""}) == Words{"bash", "fish", "zsh"});
  CHECK(completed({"weft", "train", "--set", "n_l"}) == Words{"n_layer="});
  CHECK(completed({"weft", "train", "--set", "n_layer", "=", "2", "n_h"}) == Words{"n_head="});
  CHECK(completed({"weft", "train", "--set", "optimizer", "=", "ada"}) ==
        Words{"adafactor", "adam", "adamw"});
  CHECK(completed({"weft", "train", "--set", "recompute", "="}) == Words{"false", "true"});
  CHECK(completed({"weft", "train", "--set", "newlines", "=", ""}) == Words{"keep", "lf"});
  CHECK(completed({"weft", "train", "--set", "tokenizer", "=", "b"}) == Words{"bpe", "byte"});
  CHECK(completed({"weft", "train", "--set", "n_layer", "=", "2", "--sta"}) == Words{"--start-over"});
  CHECK(completed({"weft", "train", "--threads", ""}).empty());
  CHECK(holds(completed({"weft", "train", "--overwrite", ""}), "--data"));
}

TEST_CASE("bash completes files and runs") {
  const Folder folder;
  folder.with("runs/a/config.toml", "").with("runs/a/best.h5", "").with("other/text.txt", "");
  folder.with("model.h5", "").with("my text.txt", "").with("picture.npy", "");
  CHECK(completed(folder, {"weft", "eval", "ru"}) == Words{"runs/a"});
  CHECK(completed(folder, {"weft", "eval", "runs/a/b"}) == Words{"runs/a/best.h5"});
  CHECK(completed(folder, {"weft", "eval", "m"}) == Words{"model.h5"});
  CHECK(completed(folder, {"weft", "eval", "o"}) == Words{"other"});
  CHECK(completed(folder, {"weft", "train", "--resume", ""}) == Words{"runs/a"});
  CHECK(completed(folder, {"weft", "train", "--data", "model.h5", "my"}) == Words{"my text.txt"});
  CHECK(completed(folder, {"weft", "logits", "runs/a", "--image", "p"}) == Words{"picture.npy"});
  CHECK(completed(folder, {"weft", "import", "o"}) == Words{"other"});
}

#ifdef CUSTOM_PROGRAM
TEST_CASE("a program with a model of its own completes it, under its own name") {
  const Folder folder;
  Program::Options custom;
  custom.program = CUSTOM_PROGRAM;
  CHECK(contains(run_weft(folder, {"completion", "bash"}, custom).out,
                 "complete -F _custom_model 'custom_model'\n"));
  CHECK(contains(run_weft(folder, {"completion", "zsh"}, custom).out, " cosine)"));
  CHECK(contains(run_weft(folder, {"man"}, custom).out, "\n.TP\n\\fBcosine\\fR\n"));
}
#endif

TEST_CASE("completion names the shells that it is for") {
  const Folder folder;
  const Result result = run_weft(folder, {"completion", "tcsh"});
  CHECK(result.code == 2);
  CHECK(contains(result.err, "for bash, zsh and fish, not for 'tcsh'; type weft completion bash"));
}
