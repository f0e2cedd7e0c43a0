#include "openblas.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <thread>

namespace bench {
namespace {

/// This process's environment with other values for some names.
std::vector<std::string> environment_with(const std::vector<std::pair<std::string, std::string>>& changes) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view text(*entry);
    bool changed = false;
    for (const auto& change : changes) changed = changed || text.starts_with(change.first + "=");
    if (!changed) all.emplace_back(text);
  }
  for (const auto& [name, value] : changes)
    if (!value.empty()) all.push_back(name + "=" + value);
  return all;
}

}  // namespace

OpenBlas::OpenBlas(const std::string& core_type, int threads) {
  const std::string program =
      std::filesystem::read_symlink("/proc/self/exe").replace_filename("openblas_gemm").string();
  std::vector<std::string> environment =
      environment_with({{"OPENBLAS_CORETYPE", core_type},
                        {"OMP_NUM_THREADS", std::to_string(threads)},
                        // Else the threads of one that waits for its turn take the cores of whose turn it is.
                        {"OMP_WAIT_POLICY", "passive"}});
  std::vector<char*> variables;
  for (std::string& variable : environment) variables.push_back(variable.data());
  variables.push_back(nullptr);
  std::string name = program;
  char* const arguments[] = {name.data(), nullptr};

  int in[2], out[2];
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
    throw std::runtime_error("no pipes to " + program);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  const int error = posix_spawn(&process_, program.c_str(), &actions, nullptr, arguments, variables.data());
  posix_spawn_file_actions_destroy(&actions);
  close(in[0]);
  close(out[1]);
  to_ = fdopen(in[1], "w");
  from_ = fdopen(out[0], "r");
  if (error != 0) throw std::runtime_error("cannot start " + program);
  core_ = line();
  config_ = line();
}

OpenBlas::~OpenBlas() {
  std::fclose(to_);
  std::fclose(from_);
  waitpid(process_, nullptr, 0);
}

std::string OpenBlas::line() const {
  char text[512];
  if (!std::fgets(text, sizeof text, from_)) throw std::runtime_error("openblas_gemm ended early");
  const std::string_view read(text);
  return std::string(read.substr(0, read.find('\n')));
}

double OpenBlas::seconds(const Product& x, double budget) const {
  std::fprintf(to_, "%d %d %ld %ld %ld %ld %g\n", x.transpose_a, x.transpose_b, x.m, x.n, x.k, x.copies,
               budget);
  std::fflush(to_);
  const double time = std::stod(line());
  // Its threads stay awake for some milliseconds, on the cores that the next measurement needs.
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  return time;
}

std::vector<std::unique_ptr<OpenBlas>> start_openblas(int threads) {
  std::vector<std::unique_ptr<OpenBlas>> all;
  all.push_back(std::make_unique<OpenBlas>("", threads));
  const std::string own = all.front()->core();
  if (__builtin_cpu_supports("avx512f") && own != "SkylakeX")
    all.push_back(std::make_unique<OpenBlas>("SkylakeX", threads));
  if (__builtin_cpu_supports("avx2") && own != "Haswell")
    all.push_back(std::make_unique<OpenBlas>("Haswell", threads));
  return all;
}

}  // namespace bench
