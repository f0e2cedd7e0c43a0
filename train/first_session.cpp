#include <unistd.h>
#include <weft/lib/base/file.h>
#include <weft/lib/base/hash.h>
#include <weft/lib/files/checkpoint.h>
#include <weft/train/first_session.h>
#include <weft/train/session.h>

#include <filesystem>
#include <sstream>
#include <system_error>

namespace weft {
namespace {

/// A file by which the others know the folder for the one that the first process means.
std::string mark_in(const std::string& folder) { return folder + "/.processes"; }

/// Of all bytes of this program.
std::string digest_of_program() {
  const std::vector<uint8_t> bytes = read_file("/proc/self/exe");
  return to_hex(digest_of(bytes));
}

/// What must be equal, a line each: "NAME = VALUE".
std::string description(const Session& s, int64_t step) {
  std::string lines = str("the program's digest = ", digest_of_program(),
                          "\nthe version of the numerics = ", numerics_version, "\n");
  for (const Setting& key : keys_of(s.config))
    lines += str(key.name, " = ", text_of(value_of(s.config, key)), "\n");
  return lines + str("the data's digest = ", s.task.content_hash, "\nthe step = ", step,
                     "\nthe weights' digest = ", weights_digest(s.model->shared_state_dict()), "\n");
}

}  // namespace

void FirstSession::tell(Processes& processes, const RunFolder& folder, const HeldFolder& held,
                        const std::shared_ptr<const Tokenizer>& tokenizer, const std::string& content_hash) {
  if (processes.size() == 1) return;
  const std::string mark = str(::getpid(), " ", to_hex(digest_of(read_file("/proc/self/stat"))));
  write_file(held, mark_in(folder.path), mark);
  std::string image;
  if (tokenizer) {
    const std::vector<uint8_t> bytes = checkpoint_image(tokenizer->state_dict());
    image.assign(bytes.begin(), bytes.end());
  }
  const std::string path = std::filesystem::absolute(folder.path).string();
  try {
    processes.from_first(path);
    processes.from_first(mark);
    processes.from_first(image);
    processes.from_first(content_hash);
    processes.gather("");  // all have looked
  } catch (const ProcessError&) {
    std::error_code ignored;
    std::filesystem::remove(mark_in(folder.path), ignored);
    throw;
  }
  held.remove(mark_in(folder.path));
}

FirstSession::FirstSession(Processes& processes) {
  folder = processes.from_first("");
  const std::string mark = processes.from_first(""), image = processes.from_first("");
  content_hash = processes.from_first("");
  std::string found;
  try {
    found = read_text(mark_in(folder));
  } catch (const FileError&) {
  }
  if (found != mark)
    fail<FileError>(folder, ": is the run's folder as ", processes.called(0),
                    " sees it, but cannot be seen from here; put it where all machines see it: --out");
  if (!image.empty())
    tokenizer = Tokenizer::from_state(read_checkpoint_image(
        {reinterpret_cast<const uint8_t*>(image.data()), image.size()}, folder + " (tokenizer)"));
  processes.gather("");
}

void check_alike(const Session& session, int64_t step) {
  Processes& processes = session.processes;
  if (processes.size() == 1) return;
  const std::vector<std::string> all = processes.gather(description(session, step));
  for (size_t r = 1; r < all.size(); ++r) {
    std::istringstream first(all[0]), other(all[r]);
    std::string wanted, found;
    while (std::getline(first, wanted) && std::getline(other, found))
      if (wanted != found)
        fail<ValueError>(processes.called(static_cast<int>(r)), ": ", found, ", but ", wanted, " of ",
                         processes.called(0), "; all must be started alike");
  }
}

}  // namespace weft
