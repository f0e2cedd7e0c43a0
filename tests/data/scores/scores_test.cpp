#include <doctest/doctest.h>
#include <weft/data/scores/scores.h>
#include <weft/lib/base/error.h>
#include <weft/lib/files/hdf5_file.h>

using namespace weft;
using Ids = std::vector<int64_t>;
using Texts = std::vector<std::string>;

namespace {

Texts texts_of(const std::string& joined) {
  Texts texts(1);
  for (const char c : joined) {
    if (c == '\x1e')
      texts.emplace_back();
    else
      texts.back() += c;
  }
  return texts;
}

}  // namespace

TEST_CASE("BLEU and chrF are sacreBLEU's") {
  const StateDict cases = read_hdf5(std::string(WEFT_SOURCE_DIR) + "/tests/reference/scores.h5");
  CHECK(cases.size() == 14);
  for (const std::string& name : cases.keys()) {
    CAPTURE(name);
    const StateDict& one = cases.dict(name);
    const Texts texts = texts_of(one.text("texts")), references = texts_of(one.text("references"));
    CHECK(bleu(texts, references) == doctest::Approx(one.number("bleu")).epsilon(1e-10));
    CHECK(bleu(texts, references, BleuWords::white_space) ==
          doctest::Approx(one.number("bleu_white_space")).epsilon(1e-10));
    CHECK(chrf(texts, references) == doctest::Approx(one.number("chrf")).epsilon(1e-10));
    const Texts tokenized = texts_of(one.text("tokenized"));
    REQUIRE(tokenized.size() == texts.size());
    for (size_t i = 0; i < texts.size(); ++i) {
      std::string text = texts[i];
      text.erase(text.find_last_not_of(" \n\t") + 1);
      CHECK(tokenize_13a(text) == tokenized[i]);
    }
  }
}

TEST_CASE("no texts score 0, and texts need their references") {
  CHECK(bleu(Texts{}, Texts{}) == 0);
  CHECK(chrf(Texts{}, Texts{}) == 0);
  CHECK(exact_match(Texts{}, Texts{}) == 0);
  CHECK_THROWS_AS(bleu(Texts{"a"}, Texts{}), ValueError);
  CHECK_THROWS_AS(chrf(Texts{"a"}, Texts{}), ValueError);
  CHECK_THROWS_AS(exact_match(Texts{}, Texts{"a"}), ValueError);
  CHECK_THROWS_AS(bleu(Texts{"\xff"}, Texts{"a"}), ValueError);
  CHECK(exact_match(Texts{"a b", "a", "c"}, Texts{"a b", "a ", "c"}) == doctest::Approx(2.0 / 3));
}

TEST_CASE("accuracy, F1 and IoU by hand") {
  Confusion met(3);
  CHECK(met.accuracy() == 0);
  CHECK(met.macro_f1() == 0);
  CHECK(met.mean_iou() == 0);
  met.add(Ids{0, 1, 1, 7}, Ids{0, 1, 0, Batch::ignored});
  met.add(Ids{0, 1}, Ids{1, 1});
  CHECK(met.total() == 5);
  CHECK(met.count(0, 1) == 1);
  CHECK(met.count(1, 1) == 2);
  CHECK(met.accuracy() == doctest::Approx(3.0 / 5));
  // Class 0: 1 right, 1 missed, 1 wrongly said; class 1: 2, 1, 1; class 2 does not occur.
  CHECK(met.f1(0) == doctest::Approx(2.0 / 4));
  CHECK(met.f1() == doctest::Approx(4.0 / 6));
  CHECK(met.f1(2) == 0);
  CHECK(met.macro_f1() == doctest::Approx((2.0 / 4 + 4.0 / 6) / 2));
  CHECK(met.mean_iou() == doctest::Approx((1.0 / 3 + 2.0 / 4) / 2));
  // Predicted but never right: it counts.
  met.add(Ids{2}, Ids{1});
  CHECK(met.macro_f1() == doctest::Approx((2.0 / 4 + 4.0 / 7 + 0) / 3));
  CHECK(met.mean_iou() == doctest::Approx((1.0 / 3 + 2.0 / 5 + 0) / 3));
}

TEST_CASE("what is no class is refused, and nothing of it counted") {
  Confusion met(2);
  CHECK_THROWS_AS(met.add(Ids{0, 2}, Ids{0, 1}), ValueError);
  CHECK_THROWS_AS(met.add(Ids{0, 1}, Ids{0, -1}), ValueError);
  CHECK_THROWS_AS(met.add(Ids{0}, Ids{0, 1}), ValueError);
  CHECK(met.total() == 0);
  CHECK_THROWS_AS(met.count(0, 2), ValueError);
  CHECK_THROWS_AS(met.f1(-1), ValueError);
  CHECK_THROWS_AS(Confusion(0), ValueError);
}
