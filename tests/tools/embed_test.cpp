// weft embed: hidden states and vectors of texts and pictures.
#include <doctest/doctest.h>

#include <cmath>

#include "arrays.h"
#include "program.h"

namespace {

/// A trained run that reads eight characters at most, made once.
const Folder& trained_embedder() {
  static const struct Trained : Folder {
    Trained() {
      write_text(*this);
      const Result result = run_weft(*this, train("run", {"n_layer=2"}));
      REQUIRE_MESSAGE(result.code == 0, result.err);
      write("texts.txt", "the cat\nran.\nmat; \non a\n");
      write("rows.csv", "id,said\n1,the cat\n2,ran.\n");
    }
  } folder;
  return folder;
}

ArrayFile embedded(const Arguments& more, const Program::Options& options = {}) {
  Arguments all{"embed", "run", "--out", "e.h5"};
  all.insert(all.end(), more.begin(), more.end());
  const Result result = run_weft(trained_embedder(), all, options);
  REQUIRE_MESSAGE(result.code == 0, result.err);
  return read_arrays(trained_embedder().path("e.h5"));
}

void refused(const Arguments& more, const std::vector<std::string>& parts) {
  Arguments all{"embed", "run"};
  all.insert(all.end(), more.begin(), more.end());
  refused_with(trained_embedder(), all, parts);
}

}  // namespace

TEST_CASE("embed: a vector for each text, in their order, whatever shares the batch") {
  const ArrayFile all = embedded({"--data", "texts.txt"});
  const Values& vectors = all.arrays.at("embeddings");
  CHECK(vectors.shape == std::vector<int64_t>{4, 16});
  CHECK(all.arrays.at("lengths").values == std::vector<double>{7, 4, 5, 4});
  CHECK(all.texts.at("pooling") == "mean");
  CHECK(all.integers.at("layer") == 2);
  const std::string bytes = trained_embedder().read("e.h5");
  const char* const texts[] = {"the cat", "ran.", "mat; ", "on a"};
  for (int64_t i = 0; i < 4; ++i)
    CHECK(embedded({texts[i]}).arrays.at("embeddings").values == vectors.row(i));
  for (const Arguments& more : {Arguments{"--batch", "1"}, Arguments{"--threads", "2", "--batch", "3"}}) {
    Arguments given{"--data", "texts.txt"};
    given.insert(given.end(), more.begin(), more.end());
    embedded(given);
    CHECK(trained_embedder().read("e.h5") == bytes);
  }
  embedded({"--data", "texts.txt"}, {.environment = {"WEFT_ISA=scalar"}});
  CHECK(trained_embedder().read("e.h5") == bytes);
  CHECK(embedded({"--data", "rows.csv", "--set", "text=said"}).arrays.at("embeddings").row(1) ==
        vectors.row(1));
}

TEST_CASE("embed: all hidden states, of which the vectors are made") {
  const ArrayFile all = embedded({"--data", "texts.txt", "--pooling", "none"});
  const Values& hidden = all.arrays.at("hidden");
  CHECK(hidden.shape == std::vector<int64_t>{20, 16});
  const std::vector<double>& offsets = all.arrays.at("offsets").values;
  CHECK(offsets == std::vector<double>{0, 7, 11, 16, 20});
  CHECK(all.arrays.at("ids").shape == std::vector<int64_t>{20});
  const Values mean = embedded({"--data", "texts.txt"}).arrays.at("embeddings"),
               last = embedded({"--data", "texts.txt", "--pooling", "last"}).arrays.at("embeddings"),
               first = embedded({"--data", "texts.txt", "--pooling", "first"}).arrays.at("embeddings");
  for (int64_t i = 0; i < 4; ++i) {
    const auto begin = static_cast<int64_t>(offsets.at(static_cast<size_t>(i))),
               end = static_cast<int64_t>(offsets.at(static_cast<size_t>(i) + 1));
    CHECK(first.row(i) == hidden.row(begin));
    CHECK(last.row(i) == hidden.row(end - 1));
    for (size_t c = 0; c < 16; ++c) {
      double sum = 0;
      for (int64_t t = begin; t < end; ++t) sum += hidden.row(t)[c];
      CHECK(mean.row(i)[c] ==
            static_cast<double>(static_cast<float>(sum / static_cast<double>(end - begin))));
    }
  }
  // "the cat" and "the" begin alike, and a decoder looks back alone.
  const Values shorter = embedded({"the", "--pooling", "none"}).arrays.at("hidden");
  for (int64_t t = 0; t < 3; ++t) CHECK(shorter.row(t) == hidden.row(t));
}

TEST_CASE("embed: layers from either end") {
  const auto of = [](const char* layer) {
    return embedded({"the cat", "--layer", layer}).arrays.at("embeddings").values;
  };
  CHECK(of("2") == of("-1"));
  CHECK(of("0") == of("-3"));
  CHECK(of("1") == of("-2"));
  CHECK(of("0") != of("1"));
  CHECK(of("1") != of("2"));
  refused({"the", "--layer", "3", "--out", "x.h5"}, {"--layer 3", "the model has 2"});
  refused({"the", "--layer", "-4", "--out", "x.h5"}, {"--layer -4", "to -3"});
}

TEST_CASE("embed: a file of NumPy has the same values") {
  const Values vectors = embedded({"--data", "texts.txt"}).arrays.at("embeddings");
  REQUIRE(run_weft(trained_embedder(), {"embed", "run", "--data", "texts.txt", "--out", "e.npy"}).code == 0);
  CHECK(read_array(trained_embedder().path("e.npy")) == vectors);
  const Values hidden = embedded({"the", "--pooling", "none"}).arrays.at("hidden");
  REQUIRE(run_weft(trained_embedder(), {"embed", "run", "the", "--pooling", "none", "--out", "e.npy"}).code ==
          0);
  CHECK(read_array(trained_embedder().path("e.npy")) == hidden);
  refused({"the", "cat", "--pooling", "none", "--out", "e2.npy"},
          {"e2.npy", "hidden and offsets", "FILE.h5"});
}

TEST_CASE("embed: what is too long is refused, or cut when asked to") {
  refused({"the cat sat", "--out", "x.h5"}, {"text 1: has 11 tokens, and the model reads 8", "--truncate"});
  trained_embedder().write("long.txt", "the\nthe cat sat on a mat; \n");
  refused({"--data", "long.txt", "--out", "x.h5"}, {"long.txt: line 2: has 22 tokens"});
  const Values cut = embedded({"the cat sat", "--truncate"}).arrays.at("embeddings");
  CHECK(cut == embedded({"the cat "}).arrays.at("embeddings"));
  const Result told =
      run_weft(trained_embedder(), {"embed", "run", "--data", "long.txt", "--truncate", "--out", "e.h5"});
  CHECK(contains(told.err, "1 texts have more than 8 tokens"));
  CHECK(!exists(trained_embedder(), "x.h5"));
}

TEST_CASE("embed: bad input is refused before anything is written") {
  refused({"--out", "x.h5"}, {"give --data FILE, or texts"});
  refused({"the", "--data", "texts.txt", "--out", "x.h5"}, {"give --data FILE, or texts"});
  refused({"the", "--out", "x.txt"}, {"x.txt is neither"});
  refused({"the", "--pooling", "max", "--out", "x.h5"}, {"'max' is none of mean, last, first and none"});
  refused({"the", "--weights", "int4", "--out", "x.h5"}, {"'int4' is neither float32 nor int8"});
  refused({"The", "--out", "x.h5"}, {"text 1: ", "character 'T'"});
  refused({"", "--out", "x.h5"}, {"is empty"});
  refused({"the", "--set", "text=1", "--out", "x.h5"}, {"--set: goes with --data"});
  refused({"--data", "none.txt", "--out", "x.h5"}, {"none.txt"});
  refused({"the", "--out", "none/x.h5"}, {"none"});
  refused({"the", "--out", "run/best.h5"}, {"run/best.h5"});
  trained_embedder().write("gaps.txt", "the\n\ncat\n");
  refused({"--data", "gaps.txt", "--out", "x.h5"}, {"gaps.txt: line 2: is empty", "empty=skip"});
  CHECK(embedded({"--data", "gaps.txt", "--set", "empty=skip"}).arrays.at("embeddings").shape ==
        std::vector<int64_t>{2, 16});
  CHECK(!exists(trained_embedder(), "x.h5"));
}

TEST_CASE("embed: a model that classifies reads texts between <cls> and <sep>, as it was trained to") {
  const Folder folder;
  std::string table = "text,label\n";
  for (int i = 0; i < 60; ++i) table += i % 2 == 0 ? "the cat sat,a\n" : "dogs ran,b\n";
  folder.write("t.csv", table);
  Arguments how{"train", "--model",    "bert",  "--task", "classify", "--data",
                "t.csv", "--val-data", "t.csv", "--out",  "run",      "--set"};
  for (const char* const setting : {"n_layer=1", "n_head=2", "n_embd=16", "max_iters=3", "batch_size=4",
                                    "tokenizer=char", "eval_iters=1", "eval_interval=3"})
    how.emplace_back(setting);
  const Result result = run_weft(folder, how);
  REQUIRE_MESSAGE(result.code == 0, result.err);
  REQUIRE(run_weft(folder, {"embed", "run", "--data", "t.csv", "--pooling", "none", "--out", "e.h5"}).code ==
          0);
  const ArrayFile all = read_arrays(folder.path("e.h5"));
  CHECK(all.arrays.at("offsets").values.at(1) == 13);  // 11 characters and two marks
  CHECK(all.arrays.at("offsets").values.at(2) == 23);
  const std::vector<double>& ids = all.arrays.at("ids").values;
  CHECK(ids.at(0) == ids.at(13));
  CHECK(ids.at(12) == ids.at(22));
  CHECK(ids.at(0) != ids.at(12));
}

TEST_CASE("embed: pictures, by name") {
  const Folder folder;
  for (int i = 0; i < 20; ++i) {
    std::string bytes = "P5\n8 8\n255\n";
    for (int p = 0; p < 64; ++p) bytes += static_cast<char>((i % 2 == 0 ? p % 8 : p / 8) * 10 + i);
    folder.with(std::string("p/") + (i % 2 == 0 ? "a/" : "b/") + std::to_string(i) + ".pgm", bytes);
  }
  Arguments how{"train", "--model", "vit", "--task", "classify", "--data", "p", "--out", "run", "--set"};
  for (const char* const setting :
       {"n_layer=1", "n_head=2", "n_embd=16", "max_iters=2", "batch_size=4", "eval_iters=1", "val_share=0.2"})
    how.emplace_back(setting);
  const Result result = run_weft(folder, how);
  REQUIRE_MESSAGE(result.code == 0, result.err);
  REQUIRE(
      run_weft(folder, {"embed", "run", "p/a/0.pgm", "p/b/1.pgm", "--pooling", "first", "--out", "two.h5"})
          .code == 0);
  const ArrayFile two = read_arrays(folder.path("two.h5"));
  CHECK(two.texts.at("names") == "p/a/0.pgm\np/b/1.pgm");
  CHECK(two.arrays.at("embeddings").shape == std::vector<int64_t>{2, 16});
  REQUIRE(run_weft(folder,
                   {"embed", "run", "--data", "p", "--batch", "3", "--pooling", "first", "--out", "all.h5"})
              .code == 0);
  const ArrayFile all = read_arrays(folder.path("all.h5"));
  CHECK(all.arrays.at("embeddings").shape == std::vector<int64_t>{20, 16});
  CHECK(all.arrays.at("embeddings").row(0) == two.arrays.at("embeddings").row(0));
  REQUIRE(run_weft(folder, {"embed", "run", "p/a/0.pgm", "--pooling", "none", "--out", "whole.h5"}).code ==
          0);
  const Values hidden = read_arrays(folder.path("whole.h5")).arrays.at("hidden");
  CHECK(hidden.row(0) == two.arrays.at("embeddings").row(0));
  refused_with(folder, {"embed", "run", "some text", "--out", "x.h5"}, {"some text"});
}
