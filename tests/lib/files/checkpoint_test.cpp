#include <doctest/doctest.h>
#include <weft/lib/base/file.h>
#include <weft/lib/files/checkpoint.h>
#include <weft/lib/files/hdf5_file.h>

#include "folder.h"

using namespace weft;

namespace {

StateDict sample_model(int step) {
  StateDict model;
  model.set("wte.weight", Array::full({4, 3}, step));
  StateDict state;
  state.set("model", model);
  state.set("step", step);
  state.set("config", "n_layer = 4\n");
  return state;
}

std::string as_text(const std::vector<uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }

std::string refusal(std::span<const uint8_t> image) {
  try {
    read_checkpoint_image(image, "c.h5");
  } catch (const FileError& error) {
    return error.what();
  }
  return {};
}

std::string refusal(const std::string& path) {
  try {
    read_checkpoint(path);
  } catch (const FileError& error) {
    return error.what();
  }
  return {};
}

/// Sets bytes of the header and makes its digest right again.
std::vector<uint8_t> with_header(std::vector<uint8_t> image, size_t at, uint8_t value) {
  image[at] = value;
  const Digest digest = digest_of(std::span(image).first(496));
  std::copy(digest.begin(), digest.end(), image.begin() + 496);
  return image;
}

constexpr const char* advice = "; use an older checkpoint or another copy of this one";
/// Of a file that was changed since it was written.
std::string changed(const std::string& path) {
  return ": it was changed since it was written, damaged or opened for writing by another program (h5py's "
         "mode 'r' only "
         "reads); weft seal " +
         path + " checks what it holds and takes an edited file back" + advice;
}

}  // namespace

TEST_CASE("a state comes back from its file") {
  const Folder folder;
  const std::string path = folder.path("step-00000001.h5");
  write_checkpoint(path, sample_model(1));
  CHECK(identical(read_checkpoint(path), sample_model(1)));
  write_checkpoint(path, sample_model(2));
  CHECK(identical(read_checkpoint(path), sample_model(2)));
  CHECK(folder.files().size() == 1);
  write_checkpoint(path, StateDict());
  CHECK(read_checkpoint(path).empty());
}

TEST_CASE("a checkpoint in bfloat16 takes half the space, and is read as float32") {
  const Folder folder;
  StateDict state;
  state.set("w", Array::from<float>({0x1.03p0F, -3, 0x1p-140F}, {3}));
  state.set("many", Array::zeros({1000, 1000}, float32));
  state.set("step", 7);
  write_checkpoint(folder.path("a"), state, {.bfloat16 = true});
  CHECK(folder.read("a") == as_text(checkpoint_image(state, {.bfloat16 = true})));
  CHECK(2 * folder.read("a").size() < checkpoint_image(state).size() + 10000);
  StateDict rounded;
  rounded.set("w", Array::from<float>({0x1.04p0F, -3, 0}, {3}));
  rounded.set("many", state.array("many"));
  rounded.set("step", 7);
  CHECK(identical(read_checkpoint(folder.path("a")), rounded));
}

TEST_CASE("equal states are equal files") {
  const Folder folder;
  write_checkpoint(folder.path("a"), sample_model(1));
  write_checkpoint(folder.path("b"), sample_model(1));
  CHECK(folder.read("a") == folder.read("b"));
  CHECK(folder.read("a") == as_text(checkpoint_image(sample_model(1))));
  CHECK(folder.read("a").substr(0, 16) == "weft checkpoint\n");
}

TEST_CASE("a file is ordinary HDF5 behind its user block") {
  const Folder folder;
  write_checkpoint(folder.path("a"), sample_model(1));
  CHECK(identical(read_hdf5(folder.path("a")), sample_model(1)));
}

TEST_CASE("an image is a snapshot: the state may change while it is written") {
  Array weight = Array::zeros({3});
  StateDict state;
  state.set("w", weight);
  const std::vector<uint8_t> image = checkpoint_image(state);
  weight.fill(7);
  CHECK(state.array("w").at({0}) == 7);
  CHECK(read_checkpoint_image(image, "c.h5").array("w").at({0}) == 0);
}

TEST_CASE("what is not a whole checkpoint is refused, each kind in its own words") {
  const Folder folder;
  const std::vector<uint8_t> image = checkpoint_image(sample_model(1));
  const auto whole = std::to_string(image.size());
  CHECK(refusal(folder.path("none")) ==
        folder.path("none") + ": cannot be opened: there is no such file or folder");
  CHECK(refusal(folder.name()) == folder.name() + ": is a folder, not a file");
  CHECK(refusal(folder.write("empty", "")) == folder.path("empty") + ": is empty, not a checkpoint" + advice);
  CHECK(refusal(folder.write("text", "some text\n")) == folder.path("text") + ": is not a weft checkpoint");
  CHECK(refusal(to_hdf5(sample_model(1))) == "c.h5: is an HDF5 file, but not a weft checkpoint");
  CHECK(refusal(to_hdf5(sample_model(1), 512)) == "c.h5: is an HDF5 file, but not a weft checkpoint");
  CHECK(refusal(std::span(image).first(100)) ==
        std::string("c.h5: is truncated: it holds 100 bytes of at least 512") + advice);
  CHECK(refusal(std::span(image).first(1000)) ==
        "c.h5: is truncated: it holds 1000 bytes of " + whole + changed("c.h5"));
  std::vector<uint8_t> longer = image;
  longer.push_back(0);
  CHECK(refusal(longer) == "c.h5: is damaged: it holds " + std::to_string(image.size() + 1) +
                               " bytes, more than its " + whole + changed("c.h5"));
  CHECK(refusal(with_header(image, 16, 2)) ==
        "c.h5: has format version 2, newer than 1, the newest this weft reads; update weft");
  std::vector<uint8_t> damaged = image;
  damaged.back() ^= 1;
  CHECK(refusal(damaged) == "c.h5: is damaged: its digest is wrong" + changed("c.h5"));
  damaged = image;
  damaged[16] ^= 2;
  CHECK(refusal(damaged) ==
        std::string("c.h5: is damaged: the digest of its first 512 bytes is wrong") + advice);
  damaged = image;
  damaged[3] ^= 1;
  CHECK(refusal(damaged) ==
        std::string("c.h5: is damaged: its first 16 bytes are not a checkpoint's") + advice);
}

TEST_CASE("what a file says of itself is doubted before the rest is read") {
  const Folder folder;
  const auto size = uint64_t{1} << 43;  // more than there is memory for, and time
  const auto grown = [&](const std::string& path) {
    std::filesystem::resize_file(path, size);
    return path;
  };
  CHECK(refusal(grown(folder.write("zeros", ""))) == folder.path("zeros") + ": is not a weft checkpoint");
  write_checkpoint(folder.path("a"), sample_model(1));
  const std::string whole = std::to_string(std::filesystem::file_size(folder.path("a")));
  CHECK(refusal(grown(folder.path("a"))) == folder.path("a") +
                                                ": is damaged: it holds 8796093022208 bytes, more than its " +
                                                whole + changed(folder.path("a")));
  // Made by hand: its header says that it is so long.
  std::vector<uint8_t> image = checkpoint_image(sample_model(1));
  for (size_t i = 0; i < 8; ++i) image[24 + i] = static_cast<uint8_t>(size >> 8 * i);
  image = with_header(image, 16, 1);
  CHECK_THROWS_AS(read_checkpoint(grown(folder.write("b", as_text(image)))), MemoryError);
}

TEST_CASE("every single flipped bit is refused") {
  std::vector<uint8_t> image = checkpoint_image(sample_model(1));
  int64_t accepted = 0;
  for (size_t bit = 0; bit < 8 * image.size(); ++bit) {
    image[bit / 8] ^= static_cast<uint8_t>(1U << bit % 8);
    accepted += refusal(image).empty();
    image[bit / 8] ^= static_cast<uint8_t>(1U << bit % 8);
  }
  CHECK(accepted == 0);
  CHECK(refusal(image).empty());
}

TEST_CASE("every truncation is refused") {
  const std::vector<uint8_t> image = checkpoint_image(sample_model(1));
  int64_t accepted = 0;
  for (size_t size = 0; size < image.size(); ++size)
    accepted += refusal(std::span(image).first(size)).empty();
  CHECK(accepted == 0);
}

TEST_CASE("a valid digest over nonsense still does not get past") {
  std::vector<uint8_t> image = checkpoint_image(sample_model(1));
  std::fill(image.begin() + 512, image.end(), uint8_t{0});
  const Digest digest = digest_of(std::span(image).subspan(512));
  std::copy(digest.begin(), digest.end(), image.begin() + 32);
  CHECK(refusal(with_header(image, 16, 1)) ==
        "c.h5: '/' is not as weft writes it: there is no superblock where it should be");
}
