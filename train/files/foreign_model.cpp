#include <weft/data/text/foreign_file.h>
#include <weft/lib/base/advice.h>
#include <weft/lib/base/values.h>
#include <weft/train/files/foreign_model.h>
#include <weft/train/files/run_folder.h>
#include <weft/train/show/console.h>

#include <filesystem>
#include <system_error>

namespace weft {
namespace {

namespace fs = std::filesystem;

/// A file of the whole name's own, "gpt2.h5", and the command again with it.
Advice imported(const std::string& folder, const std::string& typed) {
  std::string name = folder;
  while (name.size() > 1 && name.ends_with('/')) name.pop_back();
  const std::string file = (name == "." ? "model" : name) + ".h5";
  return {.typed = {typed},
          .meant = {file},
          .lines = {str(program_name(), " import ", quoted(folder), " --out ", quoted(file))}};
}

bool holds_hugging_face(const fs::path& folder) {
  std::error_code error;
  return fs::exists(folder / "config.json", error);
}

}  // namespace

void refuse_foreign_model(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) {
    if (holds_hugging_face(path))
      fail_with<FileError>(imported(path, path), path,
                           ": holds a model in Hugging Face's layout, which is imported first");
    return;
  }
  const std::string begin = beginning_of(path);
  const std::string not_ours = path + ": is not a weft checkpoint but ";
  if (begin.starts_with("weft checkpoint\n")) return;
  if (path.ends_with(".safetensors")) {
    const fs::path folder = fs::path(path).parent_path();
    if (holds_hugging_face(folder.empty() ? "." : folder))
      fail_with<FileError>(imported(folder.empty() ? "." : folder.string(), path), not_ours,
                           "weights of Hugging Face, which are imported first, with their folder");
    fail<FileError>(not_ours, "weights alone, without the config.json that says of which model");
  }
  if (begin.starts_with("GGUF"))
    fail<FileError>(not_ours, "a file of llama.cpp, which ", program_name(),
                    " export writes and nothing reads");
  const bool is_zip = begin.starts_with("PK\3\4"), is_pickle = begin.starts_with("\x80\x02");
  for (const char* ending : {".pt", ".pth", ".ckpt", ".bin"})
    if ((is_zip || is_pickle) && path.ends_with(ending))
      fail_with<FileError>({.lines = {str(program_name(), " import DIR --out model.h5")}}, not_ours,
                           "a file of torch.save, which runs code when it is read; in Python, "
                           "model.save_pretrained(\"DIR\") of transformers writes what is imported by:");
  if (begin.empty() || begin.starts_with("\x89HDF")) return;  // the reader knows more of these
  if (const auto foreign = foreign_file(begin, path)) fail<FileError>(not_ours, foreign->what);
  if (const auto run = run_of(path))
    fail_with<FileError>({.typed = {path}, .meant = {run->path}}, not_ours, "a file of the run ", run->path);
  if (looks_like_text(begin))
    fail_with<FileError>({.lines = {str(program_name(), " train --data ", quoted(path))}}, not_ours,
                         "a text; a model is made of it by:");
}

}  // namespace weft
