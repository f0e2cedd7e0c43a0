// weft average: the mean of the weights of models that are alike.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "checkpoints.h"
#include "program.h"

TEST_CASE("average: of checkpoints of a run, each weight is the mean to a rounding") {
  const Folder folder;
  write_text(folder);
  REQUIRE(run_weft(folder, train("run", {"max_iters=6", "eval_interval=6", "checkpoint_interval=2",
                                         "keep_checkpoints=5"}))
              .code == 0);
  const Result made = run_weft(folder, {"average", "run", "--newest", "2", "--out", "mean.h5"});
  REQUIRE_MESSAGE(made.code == 0, made.err);
  CHECK(contains(made.err, "the mean of 2 models"));
  const std::string a = folder.path("run/checkpoints/step-00000004.h5"),
                    b = folder.path("run/checkpoints/step-00000006.h5"), mean = folder.path("mean.h5");
  const std::vector<std::string> names = keys_under(mean, "model/weights");
  CHECK(names == keys_under(a, "model/weights"));
  const std::vector<std::string> whole = keys_under(mean, "");
  CHECK(std::count(whole.begin(), whole.end(), "training") == 0);
  double moved = 0;
  for (const std::string& name : names) {
    const std::string place = "model/weights/" + name;
    const double first = first_value(a, place), last = first_value(b, place);
    CHECK(first_value(mean, place) == static_cast<float>((first + last) / 2));
    moved += std::fabs(first - last);
  }
  CHECK(moved > 0);
  // Files named one by one are the same.
  REQUIRE(run_weft(folder, {"average", "run/checkpoints/step-00000004.h5", "run/checkpoints/step-00000006.h5",
                            "--out", "same.h5"})
              .code == 0);
  CHECK(folder.read("same.h5") == folder.read("mean.h5"));
  CHECK(run_weft(folder, {"eval", "mean.h5", "--data", "text.txt"}).code == 0);
}

TEST_CASE("average: what is not alike, too few, or in the way is refused") {
  const Folder folder;
  write_text(folder);
  REQUIRE(run_weft(folder, train("a", {"max_iters=2"})).code == 0);
  REQUIRE(run_weft(folder, train("b", {"max_iters=2", "n_layer=2"})).code == 0);
  refused_with(folder, {"average", "a/best.h5", "b/best.h5", "--out", "m.h5"},
               {"b/best.h5: its settings are not those of a/best.h5"});
  refused_with(folder, {"average", "a/best.h5", "--out", "m.h5"}, {"needs two files at least, not 1"});
  refused_with(folder, {"average", "a", "--out", "a/best.h5"}, {"a/best.h5"});
  refused_with(folder, {"average", "a/best.h5", "nowhere.h5", "--out", "m.h5"}, {"nowhere.h5"});
  // Alike but for what their outputs mean.
  write_model_that_tells(folder.path("a/best.h5"), folder.path("ends.h5"), {.end_ids = {1}});
  std::string labels = "text,label\n";
  for (int i = 0; i < 40; ++i) labels += "the cat " + std::to_string(i) + (i % 2 == 0 ? ",yes\n" : ",no\n");
  folder.write("labels.csv", labels);
  REQUIRE(run_weft(folder, {"train", "--model", "bert", "--task", "classify", "--data", "labels.csv", "--out",
                            "c", "--set", "n_layer=1", "n_head=1", "n_embd=8", "block_size=16",
                            "batch_size=2", "max_iters=1", "eval_iters=1"})
              .code == 0);
  write_model_that_tells(folder.path("c/best.h5"), folder.path("classes.h5"),
                         {.class_names = {"cat", "dog"}});
  refused_with(folder, {"average", "a/best.h5", "ends.h5", "--out", "m.h5"},
               {"ends.h5: the ids that end its texts are not those of a/best.h5"});
  refused_with(folder, {"average", "c/best.h5", "classes.h5", "--out", "m.h5"},
               {"classes.h5: the names of its classes are not those of c/best.h5"});
  CHECK_FALSE(exists(folder, "m.h5"));
}

TEST_CASE("export: GGUF holds a model with its tokenizer") {
  const Folder folder;
  write_text(folder);
  REQUIRE(run_weft(folder, train("run", {"max_iters=2", "tokenizer=bpe", "vocab_size=300"})).code == 0);
  for (const std::string type : {"float32", "float16", "q8_0"}) {
    const Result made =
        run_weft(folder, {"export", "run", "--format", "gguf", "--dtype", type, "--out", type + ".gguf"});
    REQUIRE_MESSAGE(made.code == 0, made.err);
    CHECK(contains(made.err, "as GGUF, with its tokenizer"));
    CHECK(folder.read(type + ".gguf").substr(0, 4) == "GGUF");
  }
  CHECK(folder.read("float16.gguf").size() < folder.read("float32.gguf").size());
  std::filesystem::create_directory(folder.path("runs"));
  std::filesystem::rename(folder.path("run"), folder.path("runs/tiny-1.5"));
  const auto named = [&](const std::string& model) {
    REQUIRE(run_weft(folder, {"export", model, "--format", "gguf", "--out", "named.gguf"}).code == 0);
    const std::string file = folder.read("named.gguf");
    std::filesystem::remove(folder.path("named.gguf"));
    return contains(file, "tiny-1.5");
  };
  CHECK(named("runs/tiny-1.5"));
  CHECK(named("runs/tiny-1.5/"));
  CHECK(named("runs/tiny-1.5/best.h5"));
  std::filesystem::rename(folder.path("runs/tiny-1.5"), folder.path("run"));
  refused_with(folder, {"export", "run", "--format", "gguf", "--dtype", "bfloat16", "--out", "x.gguf"},
               {"none of float32, float16 and q8_0"});
  refused_with(folder, {"export", "run", "--format", "gguf", "--out", "q8_0.gguf"}, {"is there already"});
}
