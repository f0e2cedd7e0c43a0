// Masks beside pictures, and the classes of patches.
#include <doctest/doctest.h>
#include <weft/data/pictures/picture_task.h>
#include <weft/data/tasks/registry.h>
#include <weft/data/text/tokenize.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <cmath>

#include "checks.h"
#include "data/pictures/pictures.h"
#include "folder.h"

using namespace weft;
using test::netpbm;
using test::refuses;

namespace {

/// Light squares of 4 on dark ground, one a picture, and masks that say so: 0 and 7.
void write_masked(const Folder& folder, const std::string& name, int count, int64_t side = 16,
                  int64_t of = 7) {
  for (int i = 0; i < count; ++i) {
    const int64_t left = i % 4 * 4, top = i / 4 % 4 * 4;
    const auto inside = [=](int64_t x, int64_t y) {
      return x >= left && x < left + 4 && y >= top && y < top + 4;
    };
    const std::string path = name + "/" + std::to_string(i);
    folder.with(path + ".pgm", netpbm(side, side, 1, [&](int64_t x, int64_t y, int64_t) {
                  return inside(x, y) ? 200 + i % 20 : 20 + (x + y + i) % 9;
                }));
    folder.with(path + (i % 2 == 0 ? ".mask.pgm" : "_mask.pgm"),
                netpbm(side, side, 1, [&](int64_t x, int64_t y, int64_t) { return inside(x, y) ? of : 0; }));
  }
}

TaskRequest segment_request(std::vector<std::string> data,
                            std::initializer_list<std::pair<const std::string, SettingValue>> changed = {}) {
  TaskRequest asked{.name = "segment", .seed = 3, .update_size = 4, .data = std::move(data)};
  for (const Setting& s : tasks().at(asked.name).settings) asked.settings.set(s.name, s.value);
  asked.settings.set("patch_size", int64_t{4});
  for (const auto& [name, value] : changed) asked.settings.set(name, value);
  return asked;
}

}  // namespace

TEST_CASE("segment: each patch has the class that its mask has") {
  const Folder folder;
  write_masked(folder, "p", 48);
  const TaskData data = open_task(segment_request({folder.path("p")}));
  CHECK(data.shape.kind == TaskKind::patches);
  CHECK(data.shape.sizes.patch == 4);
  CHECK(data.held_out->class_names() == std::vector<std::string>{"0", "7"});
  CHECK(data.held_out->scores() == std::vector<std::string>{"iou", "accuracy"});
  const int64_t epoch = data.training->samples_per_epoch();
  CHECK(epoch + data.held_out->samples_per_epoch() == 48);
  const Batch batch = data.training->batch(0, epoch);
  REQUIRE(batch.targets.shape() == Shape{epoch, 16});
  for (int64_t row = 0; row < epoch; ++row)
    for (int64_t p = 0; p < 16; ++p)
      CHECK((batch.inputs.at({row, 0, p / 4 * 4 + 2, p % 4 * 4 + 2}) > 0) ==
            (batch.targets.at({row, p}) == 1));
}

TEST_CASE("segment: masks move with their pictures, and what is padded takes no part") {
  const Folder folder;
  write_masked(folder, "p", 48);
  const TaskData data = open_task(
      segment_request({folder.path("p")}, {{"flip", 0.5}, {"shift", 0.25}, {"rotate", 90.0}, {"crop", 0.3}}));
  const int64_t epoch = data.training->samples_per_epoch();
  const Batch batch = data.training->batch(0, 2 * epoch);
  int64_t light = 0, agree = 0;
  for (int64_t row = 0; row < 2 * epoch; ++row)
    for (int64_t p = 0; p < 16; ++p) {
      double mean = 0;
      for (int64_t i = 0; i < 16; ++i)
        mean += batch.inputs.at({row, 0, p / 4 * 4 + i / 4, p % 4 * 4 + i % 4}) / 16;
      if (std::abs(mean) < 0.35) continue;  // on an edge
      light += mean > 0;
      agree += (mean > 0) == (batch.targets.at({row, p}) == 1);
      CHECK((mean > 0) == (batch.targets.at({row, p}) == 1));
    }
  CHECK(light > 15);
  CHECK(agree > 400);

  const Folder wide;
  for (int i = 0; i < 24; ++i) {
    const std::string path = "w/" + std::to_string(i);
    wide.with(path + ".pgm", netpbm(8, 16, 1, [&](int64_t x, int64_t, int64_t) { return x * 10 + i; }));
    wide.with(path + ".mask.pgm",
              netpbm(8, 16, 1, [&](int64_t x, int64_t, int64_t) { return x < 8 ? 1 : 2; }));
  }
  const TaskData padded = open_task(
      segment_request({wide.path("w")}, {{"fit", std::string("pad")}, {"image_size", int64_t{16}}}));
  const Batch one = padded.training->batch(0, 1);
  for (int64_t p = 0; p < 16; ++p)
    CHECK(one.targets.at({0, p}) == (p / 4 == 0 || p / 4 == 3 ? Batch::ignored : p % 4 < 2 ? 0 : 1));
}

TEST_CASE("segment: colours, tables, and a model's own classes") {
  const Folder folder;
  for (int i = 0; i < 20; ++i) {
    const std::string name = std::to_string(i);
    folder.with("x" + name + ".pgm",
                netpbm(8, 8, 1, [&](int64_t x, int64_t, int64_t) { return 20 * x + i; }));
    folder.with("y" + name + ".ppm", netpbm(8, 8, 3, [&](int64_t x, int64_t, int64_t c) {
                  return x < 4 ? 3 : c == 0 ? 255 : 0;
                }));
  }
  std::string table = "picture,colours\n";
  for (int i = 0; i < 20; ++i) table += "x" + std::to_string(i) + ".pgm,y" + std::to_string(i) + ".ppm\n";
  folder.write("t.csv", table);
  TaskRequest asked = segment_request(
      {folder.path("t.csv")},
      {{"file", std::string("picture")}, {"mask", std::string("colours")}, {"val_share", 0.3}});
  asked.cache_folder = folder.path("cache");
  const TaskData data = open_task(asked);
  CHECK(data.held_out->class_names() == std::vector<std::string>{"3", "#ff0000"});
  const TaskData again = open_task(asked);
  CHECK(again.training->batch(0, 5).targets.identical(data.training->batch(0, 5).targets));
  TaskRequest score = asked;
  score.class_names = {"0", "3"};
  score.settings.set("image_size", int64_t{8});
  score.settings.set("channels", int64_t{1});
  refuses<FileError>([&] { tasks().at("segment").open_to_score(score); },
                     {"y0.ppm: the colour #ff0000 is none of those that train: 0, 3"});
  // A mask that changes is other data.
  asked.expected_hash = data.content_hash;
  folder.write("y3.ppm", netpbm(8, 8, 3, [&](int64_t, int64_t y, int64_t c) {
                 return y < 4 ? 3 : c == 0 ? 255 : 0;
               }));
  CHECK_THROWS_AS(open_task(asked), OtherText);
}

TEST_CASE("segment: what is refused, by name, or passed over") {
  const Folder folder;
  write_masked(folder, "p", 30);
  folder.write("p/alone.pgm", netpbm(16, 16, 1, [](int64_t, int64_t, int64_t) { return 9; }));
  refuses<FileError>([&] { open_task(segment_request({folder.path("p")})); },
                     {"p/alone.pgm: has no mask beside it", "invalid=skip"});
  const TaskData data = open_task(segment_request({folder.path("p")}, {{"invalid", std::string("skip")}}));
  CHECK(data.training->samples_per_epoch() + data.held_out->samples_per_epoch() == 30);
  folder.write("p/alone.mask.pgm", netpbm(8, 16, 1, [](int64_t, int64_t, int64_t) { return 0; }));
  refuses<FileError>([&] { open_task(segment_request({folder.path("p")})); },
                     {"is a mask of 8 x 16 for a picture of 16 x 16"});
  folder.write("p/alone.mask.pgm", netpbm(16, 16, 1, [](int64_t, int64_t, int64_t) { return 0; }));
  refuses<ValueError>(
      [&] {
        open_task(segment_request({folder.path("p")}, {{"patch_size", int64_t{5}}}));
      },
      {"patch_size = 5 does not divide pictures of 16 x 16", "image_size=20"});
  const Folder plain;
  write_masked(plain, "p", 10, 16, 0);
  refuses<ValueError>([&] { open_task(segment_request({plain.path("p")})); },
                      {"the masks have one colour alone"});
  refuses<FileError>([&] { open_task(segment_request({folder.path("p/0.pgm")})); },
                     {"is no folder of pictures and masks"});
}
