#include <doctest/doctest.h>
#include <weft/train/files/run_log.h>

#include <string>

#include "checks.h"
#include "faults.h"
#include "folder.h"

namespace weft::test {
namespace {

const History history{{{0, 3.0, 3.5}, {2, 2.0, 2.5}}};

Update update(int64_t step) { return {step, 3.0 - 0.1 * static_cast<double>(step), 0.1, 1.0, 100, 0.5}; }

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

/// The log of a run that made five updates and was never stopped.
std::string whole(const std::string& path) {
  RunLog log(HeldFolder(folder_of(path)), path, 0, {});
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
    const RunLog log(HeldFolder(folder_of(path)), path, 5, history);
    CHECK(log.updates().size() == 5);
    CHECK(log.history().evaluations == history.evaluations);
    CHECK(log.seconds() == 0.5);
    CHECK(log.notes().empty());
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
  const RunLog back(HeldFolder(folder_of(path)), path, 3, history);
  CHECK(back.updates().size() == 3);
  CHECK(back.updates().back().step == 2);
}

TEST_CASE("run log: the table says what the log says, a row a line") {
  const Folder folder;
  const HeldFolder held(folder.name());
  const std::string path = folder.path("metrics.jsonl"), csv = folder.path("metrics.csv");
  Update counted = update(1);
  counted.tokens = 640;
  counted.memory_bytes = 5'000'000'000;
  const History told{{{0, 3.0, 3.5}, {2, 2.0, 2.5, 0.25}}};
  {
    RunLog log(held, path, 0, {}, 2);
    log.add(told.evaluations[0]);
    log.add(update(0));
    log.add(counted);
    log.add(told.evaluations[1]);
    log.add(update(2));
    log.sync(held);
  }
  const std::string rows = read_text(csv);
  CHECK(rows ==
        "step,loss,lr,grad_norm,tokens,tokens_per_second,seconds,memory_bytes,train_loss,val_loss,"
        "val_bits_per_byte,val_accuracy\n"
        "0,,,,,,,,3.0,3.5,2.5247163215556863,\n"
        "0,3.0,0.1,1.0,,100.0,0.5,,,,,\n"
        "1,2.9,0.1,1.0,640,100.0,0.5,5000000000,,,,\n"
        "2,,,,,,,,2.0,2.5,1.8033688011112043,0.25\n"
        "2,2.8,0.1,1.0,,100.0,0.5,,,,,\n");
  CHECK(read_text(path).find(
            "\"tokens\":640,\"tokens_per_second\":100.0,\"seconds\":0.5,\"memory_bytes\":5000000000}") !=
        std::string::npos);

  // It follows from the log, whatever stands there.
  const std::string log_text = read_text(path);
  for (const std::string& found :
       {rows, rows.substr(0, rows.size() - 9), std::string("my own\n"), std::string()}) {
    write_file(csv, found);
    const RunLog log(held, path, 3, told, 2);
    CHECK(log.notes().empty());
    CHECK(read_text(csv) == rows);
    CHECK(read_text(path) == log_text);
    REQUIRE(log.updates().size() == 3);
    CHECK(log.updates()[1].tokens == 640);
    CHECK(log.updates()[1].memory_bytes == 5'000'000'000);
    CHECK_FALSE(log.updates()[2].tokens);
  }
  held.remove(csv);  // as of a log of before there was one
  {
    RunLog log(held, path, 2, {{told.evaluations[0]}}, 2);
    CHECK(read_text(csv) == rows.substr(0, rows.find("2,,")));
    log.add(told.evaluations[1]);
    log.add(update(2));
  }
  CHECK(read_text(csv) == rows);
  // Counts that are none are left out.
  std::string wrong = log_text;
  wrong.replace(wrong.find("640"), 3, "-64");
  write_file(path, wrong);
  CHECK_FALSE(RunLog(held, path, 3, told, 2).updates()[1].tokens);
}

TEST_CASE("run log: a table that the disk does not take fails as the log does") {
  const Folder folder;
  const HeldFolder held(folder.name());
  const std::string path = folder.path("metrics.jsonl");
  {
    const Faults faults({.call = "write", .first = 1, .for_good = false});  // behind the digest
    refuses<FileError>([&] { RunLog(held, path, 0, {}); }, {"metrics.csv: cannot be written"});
  }
  CHECK(RunLog(held, path, 0, {}).notes().empty());
}

TEST_CASE("run log: an accuracy stands in the line of its evaluation, and in no checkpoint") {
  const Folder folder;
  const HeldFolder held(folder.name());
  const std::string path = folder.path("metrics.jsonl");
  const History told{{{0, 3.0, 3.5, 0.25}, {2, 2.0, 2.5}, {4, 1.5, 2.0, 1.0}}};
  {
    RunLog log(held, path, 0, {});
    for (int64_t step = 0; step < 5; ++step) {
      if (step % 2 == 0) log.add(told.evaluations[static_cast<size_t>(step / 2)]);
      log.add(update(step));
    }
    log.sync(held);
  }
  const std::string text = read_text(path);
  CHECK(text.starts_with("{\"step\":0,\"train_loss\":3.0,\"val_loss\":3.5,\"val_accuracy\":0.25}\n"));
  CHECK(text.find("{\"step\":2,\"train_loss\":2.0,\"val_loss\":2.5}\n") != std::string::npos);

  History saved = History::from_state(told.state_dict());  // of a checkpoint
  CHECK(told.state_dict().size() == 3);
  CHECK_FALSE(saved.evaluations[0].val_accuracy);
  {
    const RunLog log(held, path, 5, saved);
    CHECK(log.notes().empty());
    CHECK(log.history().evaluations == told.evaluations);
    CHECK(read_text(path) == text);
  }
  // Of another evaluation than the checkpoint's, or one that there cannot be, it is left.
  saved.evaluations[2].val_loss = 2.25;
  std::string wrong = text;
  wrong.replace(wrong.find("0.25}"), 5, "2.25}");
  write_file(path, wrong);
  const RunLog log(held, path, 5, saved);
  CHECK(log.history().evaluations == saved.evaluations);
  CHECK(read_text(path).find("val_accuracy") == std::string::npos);
}

TEST_CASE("run log: what the loss is in bits per byte stands beside it, in old logs too once they go on") {
  const Folder folder;
  const HeldFolder held(folder.name());
  const std::string path = folder.path("log"), text = whole(path);
  CHECK(text.find("val_bits_per_byte") == std::string::npos);
  // 3.5 nats a target of 2 bytes: 3.5 / ln 2 / 2.
  CHECK(bits_per_byte(3.5, 2) == doctest::Approx(2.5247163216).epsilon(1e-9));
  {
    RunLog log(held, path, 5, history, 2);
    CHECK(log.notes().empty());
    CHECK(log.history().evaluations == history.evaluations);
    log.add(Evaluation{5, 1.0, 1.5});
  }
  const std::string told = read_text(path);
  CHECK(told.starts_with("{\"step\":0,\"train_loss\":3.0,\"val_loss\":3.5,\"val_bits_per_byte\":2.52471632"));
  CHECK(told.find("\"val_loss\":1.5,\"val_bits_per_byte\":1.0820212") != std::string::npos);
  // Opened again as it is, and, without the bytes, as it was.
  History all = history;
  all.evaluations.push_back({5, 1.0, 1.5});
  CHECK(RunLog(held, path, 6, all, 2).notes().empty());
  CHECK(read_text(path) == told);
  CHECK(RunLog(held, path, 5, history).notes().empty());
  CHECK(read_text(path) == text);
}

TEST_CASE("run log: bytes that are not as they were written are told, also where they can be read") {
  const Folder folder;
  const HeldFolder held(folder.name());
  const std::string path = folder.path("metrics.jsonl");
  {
    RunLog log(held, path, 0, {});
    for (int64_t step = 0; step < 5; ++step) log.add(update(step));
    log.sync(held);
    log.add(update(5));  // behind the last sync(): told by nothing
  }
  const std::string whole = read_text(path);
  const auto notes_of = [&](const std::string& text) {
    const std::string digest = read_text(folder.path("metrics.digest"));
    write_file(path, text);
    const std::vector<std::string> notes = RunLog(held, path, 5, {}).notes();
    write_file(folder.path("metrics.digest"), digest);
    return notes;
  };
  CHECK(notes_of(whole).empty());
  CHECK(notes_of(whole.substr(0, whole.size() - 7)).size() == 1);  // a line that a kill cut: no damage
  std::string flipped = whole;
  flipped[whole.find("2.9")] = '3';
  REQUIRE(notes_of(flipped).size() == 1);
  CHECK(notes_of(flipped)[0].find("is not as the run wrote it") != std::string::npos);
  CHECK(notes_of(whole.substr(whole.find('\n') + 1)).size() == 1);
  // A log of before there was a digest.
  write_file(path, flipped);
  held.remove(folder.path("metrics.digest"));
  CHECK(RunLog(held, path, 5, {}).notes().empty());
  CHECK(RunLog(held, path, 5, {}).notes().empty());
}

TEST_CASE("run log: stopped between the log that is cut and its new digest, nothing is blamed on anybody") {
  const Folder folder;
  const HeldFolder held(folder.name());
  const std::string path = folder.path("metrics.jsonl");
  {
    RunLog log(held, path, 0, {});
    for (int64_t step = 0; step < 5; ++step) log.add(update(step));
    log.sync(held);
  }
  {
    const Faults faults({.call = "rename", .first = 1, .for_good = false});  // of the digest
    CHECK_THROWS_AS(RunLog(held, path, 3, {}), FileError);
    CHECK(Faults::failed() == 1);
  }
  CHECK(RunLog(held, path, 3, {}).notes().empty());
}

TEST_CASE("run log: damage is mended from what the checkpoint knows") {
  const Folder folder;
  const std::string path = folder.path("log"), text = whole(path);
  const auto mended = [&](const std::string& damaged) {
    write_file(path, damaged);
    const RunLog log(HeldFolder(folder_of(path)), path, 5, history);
    CHECK(log.history().evaluations == history.evaluations);
    CHECK(!log.notes().empty());
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
  CHECK(RunLog(HeldFolder(folder.name()), path, 5, history).notes().size() == 1);  // a line of zeros
  CHECK(read_text(path) == text);
  // An update's line that is gone stays gone: nothing else knows it.
  CHECK(mended(text.substr(0, text.find("\"step\":4")) + "garbage\n").find("\"step\":3") !=
        std::string::npos);
}

}  // namespace weft::test
