// The page of `weft attention` as it is made of numbers and text, without a model.
#include <doctest/doctest.h>
#include <weft/lib/base/error.h>
#include <weft/tools/attention_page/attention_page.h>

#include <cmath>

#include "attention_page_data.h"
#include "checks.h"

namespace weft::tools {
namespace {

using nlohmann::json;
using test::refuses;

size_t times(const std::string& text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

/// Two tokens that look at themselves and each other alike.
AttentionPage two_tokens() {
  AttentionPage page{.title = "a model"};
  page.tokens = {"a", "b"};
  page.layers = {{"blocks.0.attention", Looks::own, Array::full({1, 2, 2}, 0.5, float32)}};
  return page;
}

/// A picture of 2 by 2 patches of 2 by 2 pixels, behind a class token.
AttentionPage four_patches(const Array& pixels) {
  AttentionPage page;
  page.tokens = std::vector<std::string>(5);
  page.tokens[0] = "[class]";
  page.picture = AttentionPicture{pixels, 2, 1};
  page.layers = {{"blocks.0.attention", Looks::own, Array::full({3, 5, 5}, 0.2, float32)}};
  return page;
}

}  // namespace

TEST_CASE("attention page: tokens and weights come back as they were given") {
  AttentionPage page{.title = "transformer"};
  page.tokens = {"das", "Haus", "."};
  page.sources = {"the", "house"};
  page.apart = true;
  const std::vector<float> weights{1.0F, 0.0F, 0.5F, 0.5F, 0.999999F, 1e-6F};
  page.layers = {{"encoder.blocks.0.attention", Looks::source, Array::full({1, 2, 2}, 0.5, float32)},
                 {"decoder.blocks.0.attention", Looks::own, Array::full({2, 3, 3}, 0.25, float32)},
                 {"decoder.blocks.0.cross_attention", Looks::cross, Array::from(weights, {1, 3, 2})}};
  const json data = data_of(page.html());
  CHECK(data["title"] == "transformer");
  CHECK(data["tokens"] == json(page.tokens));
  CHECK(data["sources"] == json(page.sources));
  CHECK(data["apart"] == true);
  CHECK(data["picture"].is_null());
  REQUIRE(data["layers"].size() == 3);
  CHECK(data["layers"][0]["looks"] == "source");
  CHECK(data["layers"][1]["looks"] == "own");
  CHECK(data["layers"][1]["heads"] == 2);
  CHECK(bytes_of(data["layers"][1]["weights"]) == std::vector<uint8_t>(18, 128));
  CHECK(data["layers"][2]["name"] == "decoder.blocks.0.cross_attention");
  CHECK(bytes_of(data["layers"][2]["weights"]) == std::vector<uint8_t>{255, 0, 180, 180, 255, 1});
}

TEST_CASE("attention page: every weight is kept nearly, and only none as none") {
  std::vector<float> weights;
  for (int i = 0; i < 1024; ++i) weights.push_back(static_cast<float>(i) / 1023);
  AttentionPage page;
  page.tokens = std::vector<std::string>(32, "x");
  page.layers = {{"layer", Looks::own, Array::from(weights, {1, 32, 32})}};
  const json data = data_of(page.html());
  const std::vector<uint8_t> kept = bytes_of(data["layers"][0]["weights"]);
  REQUIRE(kept.size() == weights.size());
  for (size_t i = 0; i < kept.size(); ++i) {
    const double w = static_cast<double>(weights[i]), back = kept[i] / 255.0 * (kept[i] / 255.0);
    CHECK(std::abs(back - w) <= std::sqrt(w) / 255 + 4e-6);
    CHECK((kept[i] == 0) == (w == 0));
  }
}

TEST_CASE("attention page: text of any kind stays text") {
  const std::vector<std::string> hostile = {"</script><script>alert(1)</script>",
                                            "<!--",
                                            "]]>",
                                            "\"'`\\",
                                            "&lt;",
                                            "@data@ @script@ ${x}",
                                            "\n",
                                            "\t",
                                            "\xf0\x9f\xa6\x8a",
                                            ""};
  AttentionPage page{.title = "</title></script>"};
  page.tokens = hostile;
  page.layers = {{"</script>", Looks::own, Array::full({1, 10, 10}, 0.1, float32)}};
  const std::string html = page.html();
  CHECK(times(html, "</script>") == times(two_tokens().html(), "</script>"));
  CHECK(times(html, "<!--") == 0);
  CHECK(data_of(html)["tokens"] == json(hostile));
  CHECK(data_of(html)["title"] == page.title);
}

TEST_CASE("attention page: bytes that are not UTF-8 and characters that do not show are written as numbers") {
  AttentionPage page = two_tokens();
  page.title = "run \xff";
  page.tokens = {std::string("\xc3|\xa9\xff|\0\x1b\x7f", 8), "\u202e|\u2028|\u00e9|\ufeff"};
  const json data = data_of(page.html());
  CHECK(data["title"] == "run \\xff");
  CHECK(data["tokens"][0] == "\\xc3|\\xa9\\xff|\\u0000\\u001b\\u007f");
  CHECK(data["tokens"][1] == "\\u202e|\\u2028|\u00e9|\\ufeff");
}

TEST_CASE("attention page: one file that asks for nothing else") {
  const std::string html = two_tokens().html();
  CHECK(html.starts_with("<!doctype html>"));
  CHECK(times(html, "default-src 'none'") == 1);
  for (const char* outside :
       {"http:", "https:", "//cdn", "src=", "@import", "url(", "@data@", "@script@", "@page.css@"}) {
    CAPTURE(outside);
    CHECK(times(html, outside) == 0);
  }
}

TEST_CASE("attention page: pictures, in grey and colour, of any range") {
  const json grey = data_of(four_patches(Array::full({1, 4, 4}, 0.2, float32)).html())["picture"];
  CHECK(grey["width"] == 4);
  CHECK(grey["height"] == 4);
  CHECK(grey["patch"] == 2);
  CHECK(grey["first"] == 1);
  CHECK(bytes_of(grey["pixels"]) == std::vector<uint8_t>(48, 51));

  Array colour = Array::zeros({3, 4, 4}, float32);
  std::fill_n(colour.mutable_data<float>() + 16, 16, 1.0F);
  const auto green = bytes_of(data_of(four_patches(colour).html())["picture"]["pixels"]);
  CHECK(std::vector<uint8_t>(green.begin(), green.begin() + 6) == std::vector<uint8_t>{0, 255, 0, 0, 255, 0});

  colour.mutable_data<float>()[0] = -3;
  const auto stretched = bytes_of(data_of(four_patches(colour).html())["picture"]["pixels"]);
  CHECK(std::vector<uint8_t>(stretched.begin(), stretched.begin() + 6) ==
        std::vector<uint8_t>{0, 255, 191, 191, 255, 191});
  const auto flat =
      bytes_of(data_of(four_patches(Array::full({1, 4, 4}, 7, float32)).html())["picture"]["pixels"]);
  CHECK(flat == std::vector<uint8_t>(48, 0));
}

TEST_CASE("attention page: numbers that do not fit are refused by name") {
  const auto with = [](const auto& change) {
    AttentionPage page = two_tokens();
    change(page);
    return page;
  };
  refuses<ValueError>([&] { with([](auto& page) { page.layers.clear(); }).html(); }, {"no layer"});
  refuses<ShapeError>([&] { with([](auto& page) { page.tokens.push_back("c"); }).html(); },
                      {"blocks.0.attention", "(1, 2, 2)", "(H, 3, 3)"});
  refuses<ShapeError>([&] { with([](auto& page) { page.layers[0].looks = Looks::cross; }).html(); },
                      {"blocks.0.attention", "(H, 2, 0)"});
  for (const double bad : {-0.1, 1.1, static_cast<double>(NAN)})
    refuses<ValueError>([&] { with([&](auto& page) { page.layers[0].weights.fill(bad); }).html(); },
                        {"blocks.0.attention", "outside [0, 1]"});
  refuses<ValueError>(
      [&] {
        with([](auto& page) {
          page.layers =
              std::vector<AttentionLayer>(65, {"layer", Looks::own, Array({1, 1024, 1024}, float32)});
        }).html();
      },
      {"65 layers", "68157440 weights", "67108864", "shorter"});

  refuses<ShapeError>([&] { four_patches(Array::zeros({2, 4, 4}, float32)).html(); }, {"(2, 4, 4)"});
  refuses<ShapeError>(
      [&] {
        four_patches(Array::zeros({3, 4, 5}, float32)).html();
      },
      {"(3, 4, 5)", "patches of 2"});
  refuses<ShapeError>(
      [&] {
        four_patches(Array::zeros({3, 4, 6}, float32)).html();
      },
      {"6 patches behind 1 tokens", "5 tokens"});
  refuses<ValueError>([&] { four_patches(Array::full({3, 4, 4}, NAN, float32)).html(); }, {"NaN"});
}

}  // namespace weft::tools
