// System calls on files whose every result is looked at, for the sources of this folder alone.
#pragma once

#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>

#include <cerrno>
#include <string>
#include <string_view>

namespace weft::detail {

/// What the fault hook, if there is one, wants a call to fail with; else 0.
int fault_of(const char* call, const std::string& path);

/// One system call, repeated while signals interrupt it; -1 and errno when it, or the hook in its place,
/// fails.
template <class Call>
auto checked(const char* name, const std::string& path, Call&& call) -> decltype(call()) {
  for (;;) {
    const int fault = fault_of(name, path);
    const auto result = fault != 0 ? -1 : call();
    if (fault != 0) errno = fault;
    if (result >= 0 || errno != EINTR) return result;
  }
}

/// FileError: "PATH: WHAT: why the call failed".
[[noreturn]] void fail_with(int error, const std::string& path, std::string_view what);

}  // namespace weft::detail
