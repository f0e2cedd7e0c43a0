#include <doctest/doctest.h>
#include <weft/data/pictures/picture_arrays_internal.h>
#include <weft/lib/array/state_dict.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>
#include <weft/lib/files/hdf5_file.h>
#include <weft/lib/files/npy.h>

#include "checks.h"
#include "data/pictures/pictures.h"
#include "folder.h"

using namespace weft;
using test::netpbm;
using test::refuses;

namespace {

std::string plain(int64_t value) {
  return netpbm(2, 2, 1, [&](int64_t, int64_t, int64_t) { return value; });
}

std::string idx(std::initializer_list<int> extents, const std::string& data) {
  std::string bytes{'\0', '\0', '\x08', static_cast<char>(extents.size())};
  for (const int extent : extents)
    bytes += std::string{'\0', '\0', static_cast<char>(extent / 256), static_cast<char>(extent % 256)};
  return bytes + data;
}

std::vector<std::string> labels_of(const PictureSource& source) {
  std::vector<std::string> all;
  for (int64_t i = 0; i < source.size(); ++i) all.push_back(source.label(i));
  return all;
}

std::vector<int> values_of(const PictureSource& source) {
  std::vector<int> all;
  for (int64_t i = 0; i < source.size(); ++i) all.push_back(source.picture(i).pixels[0]);
  return all;
}

using Labels = std::vector<std::string>;

}  // namespace

TEST_CASE("a folder for each label, at any depth, in the order of the names") {
  const Folder folder;
  folder.with("p/dog/b.pgm", plain(2))
      .with("p/cat/x/a.pgm", plain(1))
      .with("p/dog/a.PGM", plain(3))
      .with("p/dog/notes.txt", "x");
  const auto source = open_pictures({folder.path("p")});
  CHECK(labels_of(*source) == Labels{"cat", "dog", "dog"});
  CHECK(values_of(*source) == std::vector<int>{1, 3, 2});
  CHECK(source->describe(0).ends_with("p/cat/x/a.pgm"));
  CHECK(source->look(1).shape == PictureShape{2, 2, 1});
  REQUIRE(source->notes().size() == 1);
  CHECK(source->notes()[0].starts_with("warning: 1 file"));
  CHECK(are_pictures({folder.path("p")}));
  folder.write("p/alone.pgm", plain(4));
  refuses<FileError>([&] { open_pictures({folder.path("p")}); },
                     {"alone.pgm: lies in no folder below", "LABEL"});
  CHECK(labels_of(*open_pictures({folder.path("p")}, {.labelled = false}))[0].empty());
  folder.with("q/empty.txt", "x");
  refuses<FileError>([&] { open_pictures({folder.path("q")}); }, {"holds no picture"});
  CHECK_FALSE(are_pictures({folder.path("q")}));
}

TEST_CASE("a table of files and labels, from its own folder on") {
  const Folder folder;
  folder.with("p/a.pgm", plain(1))
      .with("p/t.csv", "label,file\nx,a.pgm\ny,a.pgm\n")
      .with("t.tsv", "p/a.pgm\tz\n");
  const auto source = open_pictures({folder.path("p/t.csv")});
  CHECK(labels_of(*source) == Labels{"x", "y"});
  CHECK(source->describe(1).ends_with("t.csv: line 3"));
  CHECK(source->place(1).first.line == 3);
  const auto numbered = open_pictures({folder.path("t.tsv")}, {.file = "1", .label = "2"});
  CHECK(labels_of(*numbered) == Labels{"z"});
  folder.write("p/bad.csv", "file,label\nb.pgm,x\n");
  const auto bad =
      open_pictures({folder.path("p/bad.csv")});  // found when it is read, so that it may be passed over
  CHECK(bad->look(0).error ==
        folder.path("p/bad.csv") + ": line 2: there is no file " + folder.path("p/b.pgm"));
  refuses<FileError>([&] { bad->picture(0); }, {"bad.csv: line 2: there is no file", "b.pgm"});
  refuses<FileError>([&] { open_pictures({folder.path("p/t.csv")}, {.label = "kind"}); }, {"kind"});
}

TEST_CASE("IDX with its labels beside it, compressed or named") {
  const Folder folder;
  const std::string images = folder.write("t10k-images-idx3-ubyte", idx({3, 2, 2}, "aaaabbbbcccc"));
  const std::string labels = folder.write("t10k-labels-idx1-ubyte", idx({3}, std::string("\x07\x00\x09", 3)));
  const auto source = open_pictures({images});
  CHECK(labels_of(*source) == Labels{"7", "0", "9"});
  CHECK(values_of(*source) == std::vector<int>{'a', 'b', 'c'});
  CHECK(source->describe(2).ends_with("picture 3"));
  CHECK(source->look(0).digest != source->look(1).digest);
  const std::string other = folder.write("x.idx", idx({2, 2, 2}, "aaaabbbb"));
  refuses<FileError>([&] { open_pictures({other}); }, {"no labels are known", "--set labels=FILE"});
  refuses<FileError>([&] { open_pictures({other}, {.labels = labels}); },
                     {"has 2 pictures, and there are 3 labels"});
  CHECK(open_pictures({other}, {.labelled = false})->size() == 2);
  const auto refused = [&](const std::string& bytes, const std::vector<std::string>& parts) {
    folder.write("bad.idx", bytes);
    refuses<FileError>([&] { read_idx(folder.path("bad.idx")); }, parts);
  };
  refused("", {"no file of IDX"});
  refused(idx({2, 2, 2}, "aaaabbb"), {"ends early: has 7 of 8 values"});
  refused(idx({2, 2, 2}, "aaaabbbbc"), {"has more than the 8 values"});
  refused(std::string("\0\0\x0d\x01\0\0\0\x01", 8) + "abcd", {"type 13"});
  refused(std::string("\0\0\x08\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16), {"more than"});
  refused(std::string("\0\0\x08\x03\0\0", 6), {"ends early, among its axes"});
}

TEST_CASE("arrays of NumPy and HDF5") {
  const Folder folder;
  StateDict state;
  state.set("images", Array::from(std::vector<int64_t>{1, 2, 3, 4, 5, 6, 7, 8}, {2, 2, 2}));
  state.set("labels", Array::from(std::vector<int64_t>{10, 2}, {2}));
  const std::string h5 = folder.path("a.h5");
  write_file(h5, to_hdf5(state));
  const auto source = open_pictures({h5});
  CHECK(labels_of(*source) == Labels{"10", "2"});
  CHECK(values_of(*source) == std::vector<int>{1, 5});
  state.set("images", Array::from(std::vector<int64_t>{1, 2, 3, 256}, {1, 2, 2}));
  write_file(h5, to_hdf5(state));
  refuses<FileError>([&] { open_pictures({h5}); }, {"images holds 256"});
}

TEST_CASE("files without labels are refused where each needs one") {
  const Folder folder;
  const std::string a = folder.write("a.pgm", plain(1));
  refuses<FileError>([&] { open_pictures({a}); }, {"a.pgm: has no label", "FOLDER/LABEL"});
  CHECK(open_pictures({a}, {.labelled = false})->size() == 1);
  CHECK_THROWS_AS(open_pictures({}), ValueError);
}
