// The page of `weft board` as a text, and its JavaScript where it needs no browser.
#include <doctest/doctest.h>
#include <weft/tools/board/board_page.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "folder.h"
#include "tools/attention_page_data.h"

namespace weft::tools {
namespace {

using nlohmann::json;

size_t times(const std::string& text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

/// The last <script> of the page.
std::string script_of(const std::string& html) {
  const size_t begin = html.rfind("<script>") + 8;
  return html.substr(begin, html.find("</script>", begin) - begin);
}

/// False, and said, where there is none.
bool has_node() {
  if (std::system("node --version >/dev/null 2>&1") == 0) return true;
  MESSAGE("node is not installed: what the script of the page computes is not checked");
  return false;
}

/// Runs JavaScript behind some of the page's files; what it prints.
std::string printed(const std::string& script) {
  const Folder folder;
  std::string all = "'use strict';\n";
  for (const char* const name : {"numbers.js", "scales.js", "smoothing.js"}) {
    std::ifstream in(std::string(WEFT_SOURCE_DIR) + "/tools/board/page/" + name);
    all.append(std::istreambuf_iterator<char>(in), {});
  }
  folder.write("a.js", all + script);
  REQUIRE(std::system(("node " + folder.path("a.js") + " >" + folder.path("out") + " 2>&1").c_str()) == 0);
  return folder.read("out");
}
json value_of(const std::string& expression) {
  return json::parse(printed("console.log(JSON.stringify(" + expression + "));"));
}

}  // namespace

TEST_CASE("board page: one file that asks for nothing else") {
  const std::string html = board_html("null");
  CHECK(html.starts_with("<!doctype html>"));
  CHECK(times(html, "default-src 'none'") == 1);
  for (const char* outside : {"http:", "https:", "//cdn", "src=", "@import", "url(", "@data@", "@script@",
                              "@board.css@", "eval(", "innerHTML"}) {
    CAPTURE(outside);
    CHECK(times(html, outside) == 0);
  }
  CHECK(data_of(html).is_null());
}

TEST_CASE("board page: data of any kind stay data") {
  const json data{{"text", "</script><script>alert(1)</script><!-- @script@ @data@ \u2028"}};
  const std::string html = board_html(data.dump());
  CHECK(times(html, "</script>") == times(board_html("null"), "</script>"));
  CHECK(times(html, "<!--") == 0);
  CHECK(data_of(html) == data);
}

TEST_CASE("board page: every element that the script asks for is there") {
  const std::string html = board_html("null"), script = script_of(html);
  size_t asked = 0;
  for (size_t at = script.find("byId('"); at != std::string::npos; at = script.find("byId('", at + 1)) {
    const std::string id = script.substr(at + 6, script.find('\'', at + 6) - at - 6);
    CAPTURE(id);
    CHECK(times(html, "id=\"" + id + "\"") == 1);
    ++asked;
  }
  CHECK(asked > 50);
}

TEST_CASE("board page: its script is JavaScript") {
  if (!has_node()) return;
  const Folder folder;
  folder.write("page.js", script_of(board_html("null")));
  CHECK(std::system(("node --check " + folder.path("page.js")).c_str()) == 0);
}

TEST_CASE("board page: numbers as they are written") {
  if (!has_node()) return;
  CHECK(value_of("[0, 1234.4, 0.000994123, 1.23e-7, 12345678, null, 1.5].map((x) => digits(x))") ==
        json({"0", "1234", "0.0009941", "1.23e-7", "12,345,678", "–", "1.5"}));
  CHECK(value_of("[950, 12300, 999999, 1.2e6, 3.4e9, 0].map(brief)") ==
        json({"950", "12.3k", "1M", "1.2M", "3.4G", "0"}));
  CHECK(value_of("[0, 7, 2.25, 59.6, 125, 3725, 266400, NaN].map(duration)") ==
        json({"0 s", "7 s", "2.3 s", "1:00", "2:05", "1:02:05", "3 d 2 h", "–"}));
  CHECK(value_of("[1.57, 0.0012, 12345].map(lossText)") == json({"1.570", "0.0012", "12,345"}));
  CHECK(value_of("[64.2e6, 512, 3.21e9].map(bytes)") == json({"64.2 MB", "512 B", "3.21 GB"}));
}

TEST_CASE("board page: axes") {
  if (!has_node()) return;
  CHECK(value_of("linearTicks(0, 1999, 5)") == json({0, 500, 1000, 1500}));
  CHECK(value_of("Object.is(linearTicks(0, 10, 5)[0], -0)") == false);
  CHECK(value_of("tickTexts(linearTicks(1.48, 1.53, 5))") ==
        json({"1.48", "1.49", "1.50", "1.51", "1.52", "1.53"}));
  CHECK(value_of("logTicks(0.9, 110, 8)") == json({1, 2, 5, 10, 20, 50, 100}));
  CHECK(value_of("logTicks(1e-9, 1, 5).length <= 10") == true);
  CHECK(value_of("timeTicks(0, 3600, 6)") == json({0, 600, 1200, 1800, 2400, 3000, 3600}));
  CHECK(value_of("[scale(0, 10, 100, 200).to(5), scale(1, 100, 0, 2, true).to(10), scale(0, 10, 100, "
                 "200).from(150)]") == json({150, 1, 5}));
  CHECK(value_of("scale(3, 3, 0, 100).to(3)") == 0);
}

TEST_CASE("board page: smoothing follows what is far apart as what is dense, and has no pull to 0") {
  if (!has_node()) return;
  CHECK(value_of("smoothed([0, 1, 2], [3, 4, 5], 0)") == json({3, 4, 5}));
  CHECK(value_of("smoothed([0, 1, 2, 3], [7, 7, null, 7], 50).map((x) => Number(x.toFixed(9)))") ==
        json({7, 7, 7, 7}));
  // A line every update, and the means of ten of them.
  const json both = value_of(R"((() => {
    const steps = [...Array(1000).keys()], values = steps.map((i) => 2 + Math.sin(i / 100));
    const few = steps.filter((i) => i % 10 === 9), means = few.map((i) => values.slice(i - 9, i + 1).reduce((a, b) => a + b) / 10);
    return [smoothed(steps, values, 60).at(-1), smoothed(few, means, 60).at(-1)];
  })())");
  CHECK(both[0].get<double>() == doctest::Approx(both[1].get<double>()).epsilon(0.01));
  // What lies before a part is not forgotten.
  const json part = value_of(R"((() => {
    const steps = [...Array(100).keys()], values = steps.map((i) => (i < 50 ? 1 : 3));
    return [smoothed(steps, values, 20).slice(50), smoothed(steps.slice(50), values.slice(50), 20, { steps, values })];
  })())");
  CHECK(part[0] == part[1]);
}

TEST_CASE("board page: places in lists") {
  if (!has_node()) return;
  CHECK(value_of("[nearest([], 1), nearest([1], 9), nearest([1, 4, 9], 6), nearest([1, 4, 9], 7), "
                 "nearest([1, 4, 9], -3)]") == json({-1, 0, 1, 2, 0}));
  CHECK(value_of("[nearest([null], 1), nearest([null, null, 5, null, 9], -1), nearest([null, 5, null, 9, "
                 "null], 8)]") == json({-1, 2, 3}));
  CHECK(value_of("[within([null, null, 5, 6, null], 0, 9), within([null, 1, null, 3, null], 2, 9), "
                 "within([1, null, 3, null], 0, 2)]") == json({{1, 5}, {2, 5}, {0, 2}}));
  CHECK(value_of("[endsOf([null, 2, 3, null]), endsOf([7]), endsOf([null])]") ==
        json({{2, 3}, {7, 7}, {nullptr, nullptr}}));
  CHECK(value_of("[within([0, 1, 2, 3, 4], 1.5, 2.5), within([0, 1], 5, 6), within([], 0, 1), within([0, 1, "
                 "2], 0, 2)]") == json({{1, 4}, {1, 2}, {0, 0}, {0, 3}}));
}

}  // namespace weft::tools
