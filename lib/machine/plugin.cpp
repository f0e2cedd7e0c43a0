#include <dlfcn.h>
#include <unistd.h>
#include <weft/lib/base/advice.h>
#include <weft/lib/machine/plugin.h>

#include <climits>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace weft {
namespace {

std::vector<std::string> paths_of(const std::string& library) {
  if (const char* const folder = std::getenv("WEFT_PLUGINS")) return {str(folder, "/", library)};
  std::vector<std::string> all;
  char program[PATH_MAX];
  if (const ssize_t length = ::readlink("/proc/self/exe", program, sizeof program); length > 0) {
    const std::string path(program, static_cast<size_t>(length));
    all.push_back(str(path.substr(0, path.rfind('/')), "/../" WEFT_LIBRARY_FOLDER "/weft/", library));
  }
  all.push_back(WEFT_INSTALLED_LIBRARIES "/weft/" + library);
  return all;
}

/// libweft-NAME.so is of the package weft-NAME.
std::string package_of(std::string_view library) {
  library.remove_prefix(std::string_view("lib").size());
  return std::string(library.substr(0, library.rfind('.')));
}

/// How it is built, in the tree.
Advice built_with(std::string packages) {
  constexpr std::string_view between = " and ";
  for (size_t at = 0; (at = packages.find(between)) != std::string::npos;)
    packages.replace(at, between.size(), " ");
  return {
      .lines = {"sudo apt-get install " + packages, "cmake -S . -B build -G Ninja && cmake --build build"}};
}

}  // namespace

void* plugin_function(const Plugin& plugin) {
  void* library = nullptr;
  std::string why;
  for (const std::string& path : paths_of(plugin.library)) {
    if (library == nullptr) library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) why += (why.empty() ? "" : "; ") + std::string(::dlerror());
  }
  void* const found = library != nullptr ? ::dlsym(library, plugin.function) : nullptr;
  if (library != nullptr && found == nullptr) why = ::dlerror();
  if (found == nullptr)
    fail_with<PluginError>(built_with(plugin.needs), plugin.library, ": ", plugin.purpose,
                           " needs it, but it cannot be loaded (", why, "); install the package ",
                           package_of(plugin.library), ", or, to build it, ", plugin.needs);
  return found;
}

}  // namespace weft
