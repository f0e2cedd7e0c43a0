// A model of pictures on a user's own: train, resume, eval, classify, look inside.
#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "program.h"

namespace {

using Json = nlohmann::json;
/// A bar that stands or lies, somewhere, as PGM.
std::string bar(bool stands, int place, int light) {
  std::string bytes = "P5\n12 12\n255\n";
  for (int y = 0; y < 12; ++y)
    for (int x = 0; x < 12; ++x) {
      const int along = stands ? x : y;
      bytes += static_cast<char>(along == place % 12 || along == (place + 1) % 12 ? light : 20 + place);
    }
  return bytes;
}

void write_bars(const Folder& folder, const std::string& name, int count, int first) {
  for (int i = first; i < first + count; ++i)
    folder.with(name + (i % 2 == 0 ? "/stands/" : "/lies/") + std::to_string(i) + ".pgm",
                bar(i % 2 == 0, i / 2, 150 + i % 90));
}

Arguments train_on_pictures(const std::string& out, const Names& more = {}, const char* threads = "1") {
  Arguments all{"train", "--model", "vit", "--task",    "classify", "--data",
                "bars",  "--out",   out,   "--threads", threads,    "--set"};
  for (const char* const setting :
       {"n_layer=1", "n_head=2", "n_embd=16", "batch_size=8", "max_iters=30", "lr_decay_iters=30",
        "dropout=0.1", "eval_interval=1", "eval_iters=2", "log_interval=1", "warmup_iters=2",
        "learning_rate=0.01", "checkpoint_interval=7", "shift=0.1", "flip=0.5", "val_share=0.2"})
    all.emplace_back(setting);
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

const Folder& trained_pictures() {
  static const struct Trained : Folder {
    Trained() {
      write_bars(*this, "bars", 120, 0);
      write_bars(*this, "others", 20, 500);
      const Result result = run_weft(*this, train_on_pictures("run"));
      REQUIRE_MESSAGE(result.code == 0, result.err);
    }
  } folder;
  return folder;
}

Json picture_json(const Folder& folder, const Arguments& arguments) {
  const Result result = run_weft(folder, arguments);
  REQUIRE_MESSAGE(result.code == 0, result.err);
  return Json::parse(result.out);
}

}  // namespace

TEST_CASE("pictures: k updates and then the rest equal all at once, with any number of threads") {
  const Folder& folder = trained_pictures();
  const std::string whole = last_saved(folder, "run");
  for (const int k : {1, 11}) {
    const std::string run = "run-" + std::to_string(k);
    REQUIRE(run_weft(folder, train_on_pictures(run, {"max_iters=" + std::to_string(k)}, k == 1 ? "2" : "3"))
                .code == 0);
    REQUIRE(run_weft(folder, resume(run, {"max_iters=30"})).code == 0);
    CHECK(last_saved(folder, run) == whole);
  }
  CHECK(run_weft(folder, train_on_pictures("mixed", {"mixup=0.3", "max_iters=3"})).code == 0);
}

TEST_CASE("pictures: eval tells accuracy, and writes a page of mistakes") {
  const Folder& folder = trained_pictures();
  const Json own = picture_json(folder, {"eval", "run", "--json"}),
             other = picture_json(folder, {"eval", "run", "--data", "others", "--json"});
  for (const char* const key : {"loss", "accuracy", "f1"}) {
    CHECK(own.contains(key));
    CHECK(other.contains(key));
  }
  CHECK(exists(folder, "run/mistakes.html"));
  const Result lines = run_weft(folder, {"eval", "run", "--data", "others", "--per-line"});
  REQUIRE(lines_of(lines.out).size() == 20);
  int64_t wrong = 0;
  for (const std::string& line : lines_of(lines.out)) {
    const Json one = Json::parse(line);
    CHECK(contains(one.at("file").get<std::string>(), "others/"));
    wrong += !one.at("right").get<bool>();
  }
  const std::string page = folder.read("run/mistakes.html");
  size_t figures = 0;
  for (size_t at = page.find("<figure>"); at != std::string::npos; at = page.find("<figure>", at + 1))
    ++figures;
  CHECK(static_cast<int64_t>(figures) == wrong);
  CHECK(contains(page, "</html>"));
}

TEST_CASE("pictures: classify tells them one by one and as a table") {
  const Folder& folder = trained_pictures();
  const Result one = run_weft(folder, {"classify", "run", "others/lies/501.pgm"});
  REQUIRE_MESSAGE(one.code == 0, one.err);
  CHECK(contains(one.out, "others/lies/501.pgm  "));
  const Result table = run_weft(folder, {"classify", "run", "--data", "others", "--out", "answers.csv"});
  REQUIRE_MESSAGE(table.code == 0, table.err);
  const std::string answers = folder.read("answers.csv");
  CHECK(answers.starts_with("file,label,probability,lies,stands\n"));
  CHECK(lines_of(answers).size() == 21);
  refused_with(folder, {"classify", "run", "some text"}, {"some text"});
  folder.write("bad.pgm", "P5 12 12 255\nshort");
  folder.write("none.png", "no picture");
  refused_with(folder, {"classify", "run", "none.png"}, {"none.png: is no picture"});
}

TEST_CASE("pictures: any file is shown to the model as it was trained") {
  const Folder& folder = trained_pictures();
  const Result page =
      run_weft(folder, {"attention", "run", "--image", "others/lies/501.pgm", "--out", "attention.html"});
  CHECK_MESSAGE(page.code == 0, page.err);
  CHECK(exists(folder, "attention.html"));
  CHECK(run_weft(folder, {"logits", "run", "--image", "others/lies/501.pgm", "--out", "logits.npy"}).code ==
        0);
}

TEST_CASE("pictures: bad input is refused before anything is written") {
  const Folder folder;
  write_bars(folder, "bars", 40, 0);
  folder.write("bars/lies/bad.pgm", "P5 12 12 255\nshort");
  refused_with(folder, train_on_pictures("x"), {"bad.pgm: ends early", "invalid=skip"});
  CHECK_FALSE(exists(folder, "x"));
  const Result skipped = run_weft(folder, train_on_pictures("x", {"invalid=skip", "max_iters=1"}));
  CHECK_MESSAGE(skipped.code == 0, skipped.err);
  CHECK(contains(skipped.err, "1 picture cannot be read"));
  Arguments texts{"train", "--task", "classify", "--data", "bars", "--out", "y"};
  refused_with(folder, texts, {"holds pictures", "--model vit"});
  folder.write("t.csv", "file,label\nnone.pgm,a\n");
  refused_with(folder, {"train", "--model", "vit", "--task", "classify", "--data", "t.csv", "--out", "y"},
               {"t.csv: line 2: there is no file"});
}

TEST_CASE("pictures: without the plug-in it is named, and no picture is called bad") {
  const Folder folder;
  const std::string from = std::string(WEFT_SOURCE_DIR) + "/tests/reference/pictures/";
  for (const char* const label : {"a", "b"})
    for (const char* const name : {"grey.png", "colour.png"}) {
      std::filesystem::create_directories(folder.path("p/" + std::string(label)));
      std::filesystem::copy_file(from + name, folder.path("p/" + std::string(label) + "/" + name));
    }
  const Result result = run_weft(folder,
                                 {"train", "--model", "vit", "--task", "classify", "--data", "p",
                                  "--val-data", "p", "--out", "x", "--set", "invalid=skip"},
                                 {.environment = {"WEFT_PLUGINS=" + folder.path("none")}});
  CHECK(result.code == 2);
  CHECK_MESSAGE(contains(result.err, "install the package weft-pictures"), result.err);
  CHECK_FALSE(exists(folder, "x"));
}

TEST_CASE("pictures: masks beside them, from training to the mean IoU, and pages that show samples") {
  const Folder folder;
  for (int i = 0; i < 60; ++i) {
    const std::string name = "p/" + std::to_string(i);
    std::string picture = "P5\n12 12\n255\n", mask = picture;
    for (int y = 0; y < 12; ++y)
      for (int x = 0; x < 12; ++x) {
        const bool inside = x / 4 == i % 3 && y / 4 == i / 3 % 3;
        picture += static_cast<char>(inside ? 200 : 20 + (x * y + i) % 20);
        mask += static_cast<char>(inside ? 1 : 0);
      }
    folder.with(name + ".pgm", picture).with(name + "_mask.pgm", mask);
  }
  Arguments arguments{"train", "--model", "vit", "--task", "segment", "--data", "p", "--out", "run", "--set"};
  for (const char* const setting :
       {"patch_size=4", "n_layer=1", "n_head=2", "n_embd=16", "batch_size=8", "max_iters=80",
        "eval_interval=40", "learning_rate=0.01", "val_share=0.2", "flip=0.5"})
    arguments.emplace_back(setting);
  Result result = run_weft(folder, arguments);
  REQUIRE_MESSAGE(result.code == 0, result.err);
  result = run_weft(folder, {"eval", "run", "--data", "p", "--json"});
  REQUIRE_MESSAGE(result.code == 0, result.err);
  const Json scores = Json::parse(result.out);
  CHECK(scores["iou"] > 0.95);
  CHECK(scores["accuracy"] > 0.95);
  CHECK(run_weft(folder, {"eval", "run", "--json"}).code == 0);
  CHECK(run_weft(folder, {"attention", "run", "--image", "p/0.pgm", "--out", "a.html"}).code == 0);
  refused_with(folder, {"classify", "run", "p/0.pgm"}, {"tells the class of each patch"});
  result = run_weft(folder, {"data", "inspect", "p", "--task", "segment", "--set", "patch_size=4", "--out",
                             "samples.html"});
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK(contains(result.out, "60 pictures"));
  CHECK(contains(folder.read("samples.html"), "data:image/bmp;base64,"));
  result = run_weft(trained_pictures(), {"data", "inspect", "bars", "--json"});
  REQUIRE_MESSAGE(result.code == 0, result.err);
  const Json report = Json::parse(result.out);
  CHECK(report["samples"] == 120);
  CHECK(report["labels"]["lies"] == 60);
  CHECK(report["shapes"]["12 x 12, grey"] == 120);
  CHECK(report["run"].contains("memory"));
}
