#include "program.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <sstream>

namespace {

void redirect(const std::string& path, int to) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
  if (fd < 0 || ::dup2(fd, to) < 0) ::_exit(99);
}

void limit(__rlimit_resource resource, long most) {
  if (most < 0) return;
  const rlimit limit{static_cast<rlim_t>(most), static_cast<rlim_t>(most)};
  ::setrlimit(resource, &limit);
}

std::string fresh_name(const char* stem) {
  static int number = 0;
  return std::string(".") + stem + std::to_string(++number);
}

int code_of(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }

Arguments with_settings(Arguments arguments, const Arguments& settings) {
  for (const std::string& setting : settings) {
    if (!setting.starts_with("--") && setting.find('=') != std::string::npos) arguments.push_back("--set");
    arguments.push_back(setting);
  }
  return arguments;
}

}  // namespace

Program::Program(const Folder& folder, const Arguments& arguments, const Options& options)
    : folder_(folder), out_(fresh_name("out")), err_(fresh_name("err")) {
  Arguments words = options.under;
  words.push_back(options.program.empty() ? WEFT_PROGRAM : options.program);
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::vector<std::string> environment = options.environment;
  process_ = ::fork();
  if (process_ != 0) return;

  redirect(folder.path(out_), STDOUT_FILENO);
  redirect(folder.path(err_), STDERR_FILENO);
  if (::chdir(folder.name().c_str()) != 0) ::_exit(99);
  ::setenv("OMP_WAIT_POLICY", "passive", 1);  // tests share the cores: waiting threads sleep
  for (std::string& variable : environment) ::putenv(variable.data());
  limit(RLIMIT_FSIZE, options.file_limit);
  limit(RLIMIT_AS, options.memory_limit);
  ::execvp(argv[0], argv.data());
  ::_exit(98);
}

Program::~Program() {
  if (process_ < 0) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
}

void Program::send(int signal) const { ::kill(process_, signal); }

bool Program::running() const {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(process_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == 0;
}

Result Program::wait() {
  int status = 0;
  ::waitpid(process_, &status, 0);
  process_ = -1;
  Result result{code_of(status), folder_.read(out_), folder_.read(err_)};
  std::filesystem::remove(folder_.path(out_));
  std::filesystem::remove(folder_.path(err_));
  return result;
}

Result run_weft(const Folder& folder, const Arguments& arguments, const Program::Options& options) {
  return Program(folder, arguments, options).wait();
}

Arguments with(Arguments arguments, const Arguments& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

Arguments train(const std::string& out, const Arguments& more) {
  return with_settings({"train", "--data", "text.txt", "--out", out, "--threads", "1"}, [&] {
    Arguments all{"n_layer=1",
                  "n_head=2",
                  "n_embd=16",
                  "block_size=8",
                  "batch_size=4",
                  "max_iters=20",
                  "dropout=0.1",
                  "eval_interval=5",
                  "eval_iters=2",
                  "log_interval=1",
                  "warmup_iters=2",
                  "learning_rate=0.01",
                  "checkpoint_interval=5",
                  "sample_tokens=0"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }());
}

Arguments resume(const std::string& out, const Arguments& more) {
  return with_settings({"train", "--resume", out, "--threads", "1"}, more);
}

void write_text(const Folder& folder) {
  std::mt19937 random(7);
  const char* words[] = {"the ", "cat ", "sat ", "on a ", "mat; ", "dogs ", "ran.\n"};
  std::string text;
  while (text.size() < 3000) text += words[random() % 7];
  folder.write("text.txt", text);
}

bool exists(const Folder& folder, const std::string& file) {
  return std::filesystem::exists(folder.path(file));
}

Names listed(const Folder& folder, const std::string& below) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path(below)))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

double number_in(const std::string& json, const std::string& name) {
  const size_t at = json.find("\"" + name + "\":");
  if (at == std::string::npos) throw std::runtime_error("no " + name + " in " + json);
  return std::stod(json.substr(at + name.size() + 3));
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::string last_saved(const Folder& folder, const std::string& run) {
  return folder.read(run + "/checkpoints/" + listed(folder, run + "/checkpoints").back()) +
         folder.read(run + "/best.h5");
}

void refused_with(const Folder& folder, const Arguments& arguments, const std::vector<std::string>& parts) {
  const Result result = run_weft(folder, arguments);
  CHECK_MESSAGE(result.code == 2, result.err);
  CHECK(result.out.empty());
  for (const std::string& part : parts) CHECK_MESSAGE(contains(result.err, part), result.err);
}
