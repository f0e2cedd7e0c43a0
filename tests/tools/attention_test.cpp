// weft attention.
#include <doctest/doctest.h>

#include <filesystem>

#include "attention_page_data.h"
#include "program.h"

namespace {

using nlohmann::json;

/// Arguments that train a model of a task for a moment.
Arguments task(const std::string& out, const std::string& model, const std::string& name) {
  Arguments all = train(out, {"max_iters=2", "eval_interval=2", "checkpoint_interval=2", "block_size=64"});
  all.erase(all.begin() + 1, all.begin() + 3);  // --data
  all.insert(all.end(), {"--model", model, "--task", name});
  return all;
}

/// Runs of a GPT on text and of an encoder-decoder, made once.
struct Runs : Folder {
  Runs() {
    write_text(*this);
    make("gpt", train("gpt"));
    make("pairs", task("pairs", "transformer", "reverse"));
  }

 private:
  void make(const std::string& name, const Arguments& arguments) const {
    const Result result = run_weft(*this, arguments);
    REQUIRE_MESSAGE(result.code == 0, name << ": " << result.err);
  }
};

const Folder& runs() {
  static const Runs folder;
  return folder;
}

Result attention(const Arguments& more) {
  Arguments all{"attention"};
  all.insert(all.end(), more.begin(), more.end());
  all.insert(all.end(), {"--out", "page.html"});
  std::filesystem::remove(runs().path("page.html"));
  return run_weft(runs(), all);
}

json page_of(const Arguments& more) {
  const Result result = attention(more);
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK(result.out.empty());
  return data_of(runs().read("page.html"));
}

/// A black picture of three channels, as NumPy saves it.
void write_picture(const std::string& name, int side) {
  const std::string extent = std::to_string(side);
  std::string header =
      "{'descr': '<f4', 'fortran_order': False, 'shape': (3, " + extent + ", " + extent + "), }";
  header.resize(117, ' ');
  runs().write(name, std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header + "\n" +
                         std::string(static_cast<size_t>(4 * 3 * side * side), '\0'));
}

}  // namespace

TEST_CASE("attention writes every layer and head of a decoder") {
  const json page = page_of({"gpt", "--text", "the cat"});
  CHECK(page["tokens"] == json({"t", "h", "e", " ", "c", "a", "t"}));
  CHECK(page["sources"].empty());
  REQUIRE(page["layers"].size() == 1);
  CHECK(page["layers"][0]["name"] == "blocks.0.attention");
  CHECK(page["layers"][0]["looks"] == "own");
  CHECK(page["layers"][0]["heads"] == 2);
  const std::vector<uint8_t> weights = bytes_of(page["layers"][0]["weights"]);
  REQUIRE(weights.size() == 2 * 7 * 7);
  for (size_t row = 0; row < 14; ++row) {
    double sum = 0;
    for (size_t s = 0; s < 7; ++s) {
      const double root = weights[row * 7 + s] / 255.0;
      sum += root * root;
      CHECK((weights[row * 7 + s] == 0) == (s > row % 7));
    }
    CHECK(sum == doctest::Approx(1).epsilon(0.01));
  }
}

TEST_CASE("attention by number is attention by text, and the page is the same each time") {
  attention({"gpt", "--text", "cat"});
  const std::string text = runs().read("page.html");
  attention({"gpt", "--text", "cat", "--threads", "2"});
  CHECK((runs().read("page.html") == text));
  // Of the characters of the text in their order: newline, space, . ; a c d e g h m n o r s t.
  attention({"gpt", "--ids", "5,4,15"});
  CHECK((runs().read("page.html") == text));
}

TEST_CASE("attention of an encoder-decoder: both sides and across, for an answer given or its own") {
  const json page = page_of({"pairs", "--source", "a b c", "--text", "c b a"});
  CHECK(page["sources"] == json({" a", " b", " c", " </s>"}));
  CHECK(page["tokens"] == json({" <s>", " c", " b", " a"}));
  REQUIRE(page["layers"].size() == 3);
  CHECK(page["layers"][0]["looks"] == "source");
  CHECK(page["layers"][1]["looks"] == "own");
  CHECK(page["layers"][2]["looks"] == "cross");
  CHECK(page["layers"][2]["name"] == "decoder.blocks.0.cross_attention");
  CHECK(bytes_of(page["layers"][2]["weights"]).size() == 2 * 4 * 4);
  CHECK(page_of({"pairs", "--source", "a b c"})["tokens"][0] == " <s>");
  CHECK(page_of({"pairs", "--ids", "40,41", "--target-ids", "1,42"})["tokens"].size() == 2);
}

TEST_CASE("attention refuses what does not fit before work begins, and writes nothing") {
  const std::pair<Arguments, std::vector<std::string>> wrong[] = {
      {{"gpt"}, {"--text", "--ids"}},
      {{"gpt", "--text", "cat", "--ids", "1"}, {"--text", "--ids"}},
      {{"gpt", "--text", "the cat sat on"}, {"--text", "14 tokens", "8 at most"}},
      {{"gpt", "--text", "Cat"}, {"--text", "'C'"}},
      {{"gpt", "--ids", "1,99"}, {"--ids", "99"}},
      {{"gpt", "--source", "cat", "--text", "cat"}, {"--source", "gpt2"}},
      {{"gpt", "--image", "text.txt"}, {"--image", "gpt2"}},
      {{"pairs", "--text", "a"}, {"--source", "--ids"}},
      {{"pairs", "--source", "a", "--text", "a", "--target-ids", "1"}, {"--text", "--target-ids"}},
      {{"pairs", "--ids", "40", "--target-ids", "2,40"}, {"--target-ids", "start token 1"}},
      {{"nowhere", "--text", "a"}, {"nowhere"}},
  };
  for (const auto& [arguments, parts] : wrong) {
    const Result result = attention(arguments);
    CAPTURE(result.err);
    CHECK(result.code == 2);
    for (const std::string& part : parts) CHECK(contains(result.err, part));
    CHECK_FALSE(exists(runs(), "page.html"));
  }
  const Result folder = run_weft(runs(), {"attention", "gpt", "--text", "cat", "--out", "none/page.html"});
  CHECK(folder.code == 2);
  CHECK(contains(folder.err, "none"));
}

TEST_CASE("attention of a model that has none is refused") {
  REQUIRE(run_weft(runs(), task("lstm", "lstm", "recall")).code == 0);
  const Result result = attention({"lstm", "--ids", "40"});
  CHECK(result.code == 2);
  CHECK(contains(result.err, "lstm, which has no attention to show"));
}

TEST_CASE("attention of a picture: patches behind the class token") {
  REQUIRE(run_weft(runs(), task("vit", "vit", "which")).code == 0);
  write_picture("picture.npy", 32);
  const json page = page_of({"vit", "--image", "picture.npy"});
  CHECK(page["picture"]["patch"] == 4);
  CHECK(page["picture"]["first"] == 1);
  CHECK(page["tokens"].size() == 65);
  CHECK(page["tokens"][0] == "[class]");
  CHECK(bytes_of(page["layers"][0]["weights"]).size() == 2 * 65 * 65);
  write_picture("small.npy", 28);
  const Result small = attention({"vit", "--image", "small.npy"});
  CHECK(small.code == 2);
  CHECK(contains(small.err, "28, 28"));
}
