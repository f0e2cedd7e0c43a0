// Plug-ins: shared libraries of our own that are linked with what weft itself is not, and loaded when they are needed.
#pragma once

#include <weft/lib/base/error.h>

#include <string>

namespace weft {

/// A plug-in that cannot be loaded.
class PluginError : public FileError {
 public:
  using FileError::FileError;
};

struct Plugin {
  const char* library;   ///< libweft-NAME.so
  const char* function;  ///< by its name in C; it ends with the version of what passes through
  const char* purpose;   ///< in messages: "training a model of SentencePiece"
  const char* needs;     ///< Debian's packages that it is built with
};
/// The function of a plug-in, which stays loaded. It is looked for in the folder that WEFT_PLUGINS names, or else in
/// lib/.../weft beside the program's folder and where weft is installed. PluginError that says what it is for, why it cannot be
/// loaded, and which package has it. May be called from any thread.
void* plugin_function(const Plugin& plugin);

}  // namespace weft
