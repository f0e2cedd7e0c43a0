// weft seal: files that another program has edited. What such a program does is done to the bytes here.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <random>

#include "checkpoints.h"
#include "program.h"

namespace {

constexpr const char* weight = "model/weights/blocks.0.attention.query.weight";

/// A run, made once, and copies of its best.h5.
struct Trained : Folder {
  Trained() {
    write_text(*this);
    REQUIRE(run_weft(*this, train("run")).code == 0);
    good = read("run/best.h5");
  }
  /// What is left when h5py has opened a file in mode 'a' and closed it: libhdf5 cuts off what lies behind the end that the
  /// file itself names, and forgets in the superblock where the root group's names are (format specification, III.C).
  std::string closed_by_h5py() const {
    constexpr size_t base = 512, end_of_file = base + 40, root_cache = base + 72;
    uint64_t end = 0;
    std::memcpy(&end, good.data() + end_of_file, sizeof end);
    REQUIRE(end <= good.size());
    std::string closed = good.substr(0, end);
    closed.replace(root_cache, 24, 24, '\0');
    REQUIRE(closed != good);
    return closed;
  }
  std::string good;
};

const Trained& trained_sealed() {
  static const Trained folder;
  return folder;
}

const char* const was_changed =
    "it was changed since it was written, damaged or opened for writing by another program";

/// Refused before, sealed, and good then.
void seals(const std::string& file) {
  const Folder& folder = trained_sealed();
  const Result before = run_weft(folder, {"inspect", file});
  CHECK(before.code == 2);
  CHECK(contains(before.err, was_changed));
  CHECK(contains(before.err, "weft seal " + file + " checks what it holds"));
  const Result sealed = run_weft(folder, {"seal", file});
  CHECK_MESSAGE(sealed.code == 0, sealed.err);
  CHECK(contains(sealed.err, file + ": sealed: "));
  CHECK(contains(sealed.err, " parameters. What was changed cannot be told"));
  CHECK(run_weft(folder, {"generate", file, "--tokens", "3"}).code == 0);
  CHECK(run_weft(folder, {"inspect", file}).code == 0);
}

/// Refused, with these words, and left as it is.
void keeps_out(const std::string& file, const std::string& why) {
  const std::string before = trained_sealed().read(file);
  const Result refused = run_weft(trained_sealed(), {"seal", file});
  CHECK(refused.code == 2);
  CHECK_MESSAGE(contains(refused.err, why), refused.err);
  CHECK(trained_sealed().read(file) == before);
}

}  // namespace

TEST_CASE("seal takes a file back that another program opened for writing, or edited") {
  const Folder& folder = trained_sealed();
  const auto same_as_best = [&](const char* file) {
    return same_part("", folder.path(file), folder.path("run/best.h5"));
  };
  folder.write("closed.h5", trained_sealed().closed_by_h5py());
  seals("closed.h5");
  CHECK(folder.read("closed.h5") == trained_sealed().good);
  folder.write("longer.h5", trained_sealed().good + std::string(3000, 'x'));
  seals("longer.h5");
  CHECK(same_as_best("longer.h5"));
  folder.write("edited.h5", trained_sealed().good);
  overwrite_value(folder.path("edited.h5"), weight, 3.5F);
  seals("edited.h5");
  CHECK(first_value(folder.path("edited.h5"), weight) == 3.5F);
  CHECK(same_part("training", folder.path("edited.h5"), folder.path("run/best.h5")));
  // At half the size it stays at half the size.
  REQUIRE(run_weft(folder, {"export", "run", "--format", "weft", "--dtype", "bfloat16", "--out", "half.h5"})
              .code == 0);
  const std::string half = folder.read("half.h5");
  folder.write("half.h5", half + "x");
  seals("half.h5");
  CHECK(folder.read("half.h5") == half);
}

TEST_CASE("seal leaves a file as it is that is whole, or that no command could use") {
  const Folder& folder = trained_sealed();
  folder.write("whole.h5", trained_sealed().good);
  const Result whole = run_weft(folder, {"seal", "whole.h5"});
  CHECK(whole.code == 0);
  CHECK(contains(whole.err, "whole.h5: is whole, and stays as it is: "));
  CHECK(folder.read("whole.h5") == trained_sealed().good);

  folder.write("nan.h5", trained_sealed().good);
  overwrite_value(folder.path("nan.h5"), weight, std::nanf(""));
  keeps_out("nan.h5", "'blocks.0.attention.query.weight' holds a value that is not finite");
  const auto edited = [&](const char* file, const std::vector<Edit>& edits) {
    edit_checkpoint(folder.path("run/best.h5"), folder.path(file), edits);
    folder.write(file, folder.read(file) + "x");
  };
  edited("layers.h5", {{"model/settings/n_layer", 2}});
  keeps_out("layers.h5", "the weights do not fit the settings of the model");
  edited("kind.h5", {{"model/kind", "other"}});
  keeps_out("kind.h5", "the model is of the kind 'other', which this program does not have");
  edited("vocabulary.h5", {{"model/settings/vocab_size", 99}});
  keeps_out("vocabulary.h5", "vocabulary of ");
  edited("none.h5", {{"model"}});
  keeps_out("none.h5", "it holds no model");
  edited("step.h5", {{"training/step", "late"}});
  keeps_out("step.h5", "wanted the integer 'step', but it is a text");
  folder.write("body.h5", trained_sealed().good.substr(0, 512) + std::string(3000, '\0'));
  keeps_out("body.h5", "body.h5: is not an HDF5 file");
  folder.write("cut.h5", trained_sealed().good.substr(0, trained_sealed().good.size() / 2));
  keeps_out("cut.h5", "cut.h5: is not a readable HDF5 file: truncated file");
  std::string header = trained_sealed().good;
  header[20] ^= 1;
  folder.write("header.h5", header);
  keeps_out("header.h5", "header.h5: is damaged: the digest of its first 512 bytes is wrong");
  keeps_out("text.txt", "text.txt: is not a weft checkpoint");
  CHECK(run_weft(folder, {"seal", "nowhere.h5"}).code == 2);
  CHECK(run_weft(folder, {"seal", "run"}).code == 2);
}

TEST_CASE("seal waits for nobody: a run that is being trained has its files for itself") {
  const Folder& folder = trained_sealed();
  const int lock = ::open(folder.path("run/.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  REQUIRE(::flock(lock, LOCK_EX | LOCK_NB) == 0);
  keeps_out("run/best.h5", "another process holds this lock");
  ::close(lock);
  CHECK(run_weft(folder, {"seal", "run/best.h5"}).code == 0);
}

// Of these 120, libhdf5 1.10.8 crashes on three.
TEST_CASE("seal outlives what libhdf5 does not") {
  const Folder& folder = trained_sealed();
  std::mt19937 random(5);
  int sealed = 0, refused = 0;
  for (int file = 0; file < 120; ++file) {
    std::string bytes = trained_sealed().good;
    for (int left = 4; left > 0; --left) {
      size_t at = 0;
      do at = 512 + random() % (bytes.size() - 512);
      while (bytes[at] == 0);
      bytes[at] = static_cast<char>(random());
    }
    folder.write("damaged.h5", bytes);
    const Result result = run_weft(folder, {"seal", "damaged.h5"});
    INFO(result.err);
    REQUIRE((result.code == 0 || result.code == 2));
    (result.code == 0 ? sealed : refused) += 1;
    if (result.code == 2) CHECK(folder.read("damaged.h5") == bytes);
  }
  CHECK(sealed + refused == 120);
  CHECK(refused > 20);
}
