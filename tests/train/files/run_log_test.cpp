#include <doctest/doctest.h>
#include <weft/train/files/run_log.h>

#include <string>

#include "folder.h"

namespace weft::test {
namespace {

const History history{{{0, 3.0, 3.5}, {2, 2.0, 2.5}}};

Update update(int64_t step) { return {step, 3.0 - 0.1 * static_cast<double>(step), 0.1, 1.0, 100, 0.5}; }

/// The log of a run that made five updates and was never stopped.
std::string whole(const std::string& path) {
  RunLog log(path, 0, {});
  for (int64_t step = 0; step < 5; ++step) {
    if (step % 2 == 0 && step < 4) log.add(history.evaluations[static_cast<size_t>(step / 2)]);
    log.add(update(step));
  }
  return read_text(path);
}

}  // namespace

TEST_CASE("run log: lines are there again when it is opened, and what lies ahead is cut off") {
  const Folder folder;
  const std::string path = folder.path("log"), text = whole(path);
  {
    const RunLog log(path, 5, history);
    CHECK(log.updates().size() == 5);
    CHECK(log.history().evaluations == history.evaluations);
    CHECK(log.seconds() == 0.5);
    CHECK(log.unreadable() + log.restored() == 0);
    CHECK(read_text(path) == text);
  }
  CHECK(logged_progress(path, 100).best);  // an evaluation at step 2
  CHECK_FALSE(logged_progress(path, 100).checkpoint);
  CHECK_FALSE(logged_progress(folder.path("none"), 1).checkpoint);
  write_file(folder.path("short"),
             "{\"step\":4,\"loss\":1}\n{\"loss\":1}\n[]\nnone\n{\"step\":0,\"val_loss\":1}\n");
  CHECK(logged_progress(folder.path("short"), 4).checkpoint);
  CHECK_FALSE(logged_progress(folder.path("short"), 5).checkpoint);
  CHECK_FALSE(logged_progress(folder.path("short"), 4).best);
  const RunLog back(path, 3, history);
  CHECK(back.updates().size() == 3);
  CHECK(back.updates().back().step == 2);
}

TEST_CASE("run log: damage is mended from what the checkpoint knows") {
  const Folder folder;
  const std::string path = folder.path("log"), text = whole(path);
  const auto mended = [&](const std::string& damaged) {
    write_file(path, damaged);
    const RunLog log(path, 5, history);
    CHECK(log.history().evaluations == history.evaluations);
    CHECK(log.unreadable() + log.restored() > 0);
    return read_text(path);
  };
  const size_t evaluation = text.find("\"val_loss\":2.5"), line = text.rfind('\n', evaluation);
  std::string changed = text, without = text;
  changed.replace(evaluation, 14, "\"val_loss\":9.5");
  CHECK(mended(changed) == text);
  without.erase(line, text.find('\n', line + 1) - line);
  CHECK(mended(without) == text);
  CHECK(mended(text + "{\"step\": 4, \"lo") == text);
  CHECK(mended(std::string("\0\0\n", 3) + text) == text);
  CHECK(mended(text + std::string(1 << 20, ' ') + "\n") == text);
  // A hole of zeros, as a file system may leave after a power cut.
  write_file(path, text);
  std::filesystem::resize_file(path, uint64_t{1} << 43);
  CHECK(logged_progress(path, 4).checkpoint);
  CHECK(RunLog(path, 5, history).unreadable() == 1);
  CHECK(read_text(path) == text);
  // An update's line that is gone stays gone: nothing else knows it.
  CHECK(mended(text.substr(0, text.find("\"step\":4")) + "garbage\n").find("\"step\":3") !=
        std::string::npos);
}

}  // namespace weft::test
