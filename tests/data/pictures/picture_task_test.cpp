#include <doctest/doctest.h>
#include <weft/data/pictures/picture_task.h>
#include <weft/data/tasks/registry.h>
#include <weft/data/text/tokenize.h>
#include <weft/lib/base/error.h>
#include <weft/lib/machine/parallel.h>

#include <algorithm>
#include <set>

#include "checks.h"
#include "data/pictures/pictures.h"
#include "folder.h"

using namespace weft;
using test::netpbm;
using test::refuses;

namespace {

/// Bright ones and dark ones, all of them different.
void write_pictures(const Folder& folder, const std::string& name, int count, int from = 0) {
  for (int i = from; i < from + count; ++i) {
    const bool bright = i % 2 == 0;
    folder.with(name + (bright ? "/bright/" : "/dark/") + std::to_string(i) + ".pgm",
                netpbm(8, 8, 1, [&](int64_t x, int64_t y, int64_t) {
                  return (bright ? 150 : 10) + (x * 7 + y * 3 + i) % 60;
                }));
  }
}

TaskRequest request(std::vector<std::string> data,
                    std::initializer_list<std::pair<const std::string, SettingValue>> changed = {}) {
  TaskRequest asked{.name = "classify-pictures", .seed = 3, .update_size = 4, .data = std::move(data)};
  for (const Setting& s : tasks().at(asked.name).settings) asked.settings.set(s.name, s.value);
  for (const auto& [name, value] : changed) asked.settings.set(name, value);
  return asked;
}

bool says(const TaskData& data, const std::string& part) {
  return std::ranges::any_of(data.notes,
                             [&](const std::string& note) { return note.find(part) != std::string::npos; });
}

}  // namespace

TEST_CASE("pictures: sizes, classes and batches of a folder") {
  const Folder folder;
  write_pictures(folder, "p", 60);
  const TaskData data = open_task(request({folder.path("p")}));
  CHECK(data.shape.kind == TaskKind::pictures);
  CHECK(data.shape.classes == 2);
  CHECK(data.shape.sizes.height == 8);
  CHECK(data.shape.sizes.channels == 1);
  CHECK(data.held_out->class_names() == std::vector<std::string>{"bright", "dark"});
  CHECK(says(data, "labels: bright "));
  const int64_t epoch = data.training->samples_per_epoch();
  CHECK(epoch + data.held_out->samples_per_epoch() == 60);
  const Batch batch = data.training->batch(0, epoch);
  CHECK(batch.inputs.shape() == Shape{epoch, 1, 8, 8});
  for (int64_t row = 0; row < epoch; ++row)
    CHECK((batch.inputs.at({row, 0, 0, 0}) > 0) == (batch.targets.at({row}) == 0));
  // Each once an epoch, in another order, and the same from wherever one begins.
  const Batch next = data.training->batch(epoch, epoch);
  CHECK_FALSE(next.inputs.identical(batch.inputs));
  CHECK(data.training->batch(5, 1).inputs.at({0, 0, 3, 3}) == batch.inputs.at({5, 0, 3, 3}));
  std::set<std::string> files;
  for (const auto& places : data.training->places(0, epoch)) files.insert(places.at(0).first.file);
  CHECK(std::ssize(files) == epoch);
}

TEST_CASE("pictures: views are a function of (seed, epoch, picture), for any number of threads") {
  const Folder folder;
  write_pictures(folder, "p", 40);
  const std::initializer_list<std::pair<const std::string, SettingValue>> augmented = {
      {"shift", 0.1},  {"rotate", 15.0}, {"scale", 0.1}, {"flip", 0.5},
      {"colour", 0.2}, {"erase", 0.3},   {"crop", 0.3}};
  const TaskData data = open_task(request({folder.path("p")}, augmented));
  const int64_t epoch = data.training->samples_per_epoch();
  const Batch batch = data.training->batch(0, 2 * epoch);
  const int before = num_threads();
  for (const int threads : {1, 3}) {
    set_num_threads(threads);
    CHECK(open_task(request({folder.path("p")}, augmented))
              .training->batch(0, 2 * epoch)
              .inputs.identical(batch.inputs));
  }
  set_num_threads(before);
  CHECK(data.training->batch(7, 3).inputs.at({2, 0, 1, 1}) == batch.inputs.at({9, 0, 1, 1}));
  // What evaluates is seen plainly.
  const TaskData plain = open_task(request({folder.path("p")}, {{"crop", 0.3}}));
  CHECK(plain.unseen.batch(0, 3).inputs.identical(data.unseen.batch(0, 3).inputs));
}

TEST_CASE("pictures: mixup lays others over them, and targets are shares") {
  const Folder folder;
  write_pictures(folder, "p", 40);
  const TaskData data = open_task(request({folder.path("p")}, {{"mixup", 0.4}}));
  const Batch batch = data.training->batch(0, 200);
  REQUIRE(batch.targets.shape() == Shape{200, 2});
  int64_t mixed = 0;
  for (int64_t row = 0; row < 200; ++row) {
    const double a = batch.targets.at({row, 0}), b = batch.targets.at({row, 1});
    CHECK(a + b == doctest::Approx(1));
    CHECK(a >= 0);
    mixed += a > 0.01 && b > 0.01;
    // Bright in so far as it is.
    const double light = (batch.inputs.at({row, 0, 4, 4}) + 1) * 127.5;
    CHECK(light >= 10 + 140 * a - 1);
    CHECK(light <= 70 + 140 * a + 1);
  }
  CHECK(mixed > 30);
  CHECK(data.unseen.batch(0, 1).targets.shape() == Shape{1});
  CHECK(data.largest(5).targets.shape() == Shape{5, 2});
}

TEST_CASE("pictures: those that validate apart, the cache, and files that have changed") {
  const Folder folder;
  write_pictures(folder, "p", 20);
  write_pictures(folder, "v", 6, 16);
  TaskRequest asked = request({folder.path("p")});
  asked.val_data = {folder.path("v")};
  asked.cache_folder = folder.path("cache");
  const TaskData data = open_task(asked);
  CHECK(data.training->samples_per_epoch() == 20);
  CHECK(data.held_out->samples_per_epoch() == 6);
  CHECK(says(data, "4 of the pictures that validate stand among those that train too"));
  asked.expected_hash = data.content_hash;
  const TaskData again = open_task(asked);
  CHECK(again.training->batch(0, 20).inputs.identical(data.training->batch(0, 20).inputs));
  folder.write("v/dark/17.pgm", netpbm(8, 8, 1, [](int64_t, int64_t, int64_t) { return 1; }));
  CHECK_THROWS_AS(open_task(asked), OtherText);
  asked.expected_hash = {};
  folder.with("v/grey/1.pgm", netpbm(8, 8, 1, [](int64_t, int64_t, int64_t) { return 99; }));
  refuses<FileError>([&] { open_task(asked); }, {"v/grey/1.pgm: the label 'grey' is none", "bright, dark"});
}

TEST_CASE("pictures: what cannot be read is refused, or passed over and counted") {
  const Folder folder;
  write_pictures(folder, "p", 30);
  folder.write("p/dark/bad.pgm", "P5 8 8 255\nshort");
  folder.write("p/dark/none.png", "no picture");
  refuses<FileError>([&] { open_task(request({folder.path("p")})); },
                     {"none.png: is no picture", "invalid=skip"});
  const TaskData data = open_task(request({folder.path("p")}, {{"invalid", std::string("skip")}}));
  CHECK(data.training->samples_per_epoch() + data.held_out->samples_per_epoch() == 30);
  CHECK(says(data, "2 pictures cannot be read and are passed over"));
  TaskRequest scored =
      request({folder.path("p")},
              {{"invalid", std::string("skip")}, {"image_size", int64_t{8}}, {"channels", int64_t{1}}});
  scored.class_names = data.held_out->class_names();
  const auto task = std::dynamic_pointer_cast<const PictureTask>(open_pictures_to_score(scored, false));
  REQUIRE(task);
  CHECK(task->size() == 30);
  REQUIRE(task->notes().size() == 1);
  CHECK(task->notes()[0].find("2 pictures cannot be read") != std::string::npos);
  folder.with("none/a/1.pgm", "P5 8 8 255\nshort").with("none/b/2.pgm", "P5 8 8 255\nshort");
  refuses<FileError>(
      [&] {
        open_task(request({folder.path("none")}, {{"invalid", std::string("skip")}}));
      },
      {"none of 2 pictures can be read", "ends early"});
  folder.with("one/x/1.pgm", netpbm(8, 8, 1, [](int64_t, int64_t, int64_t) { return 1; }));
  refuses<ValueError>([&] { open_task(request({folder.path("one")})); }, {"every picture has the label 'x'"});
  refuses<ValueError>(
      [&] {
        open_task(request({folder.path("p")}, {{"channels", int64_t{2}}}));
      },
      {"channels = 2"});
}

TEST_CASE("pictures: numbers as labels count as numbers, and scoring takes all in order") {
  const Folder folder;
  for (int i = 0; i < 60; ++i)
    folder.with("p/" + std::to_string(i % 12) + "/" + std::to_string(i) + ".pgm",
                netpbm(6, 9, 3, [&](int64_t x, int64_t y, int64_t c) { return x + y * 9 + c + i; }));
  const TaskData data =
      open_task(request({folder.path("p")}, {{"image_size", int64_t{4}}, {"val_share", 0.3}}));
  CHECK(data.held_out->class_names().back() == "11");
  CHECK(data.shape.sizes.channels == 3);
  TaskRequest asked = request({folder.path("p")}, {{"image_size", int64_t{4}}, {"channels", int64_t{3}}});
  refuses<ValueError>([&] { open_pictures_to_score(asked, false); }, {"no names of classes"});
  asked.class_names = data.held_out->class_names();
  const auto task = open_pictures_to_score(asked, false);
  CHECK(task->samples_per_epoch() == 60);
  CHECK(task->target_text(task->batch(0, 1), 0) == "0");
}
