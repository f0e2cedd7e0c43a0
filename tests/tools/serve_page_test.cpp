// The page of `weft serve`, its JavaScript where it needs no browser.
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "folder.h"

namespace {

using nlohmann::json;

/// What an expression is behind the page's said.js; null, and said, where there is no node.
json value_of(const std::string& script) {
  if (std::system("node --version >/dev/null 2>&1") != 0) {
    MESSAGE("node is not installed: what the page's script computes is not checked");
    return {};
  }
  const Folder folder;
  std::ifstream in(WEFT_SOURCE_DIR "/tools/serve_page/said.js");
  folder.write("a.js", std::string(std::istreambuf_iterator<char>(in), {}) + "const value = () => {" +
                           script + "};\nconsole.log(JSON.stringify(value()));");
  const int code = std::system(("node " + folder.path("a.js") + " >" + folder.path("out") + " 2>&1").c_str());
  REQUIRE_MESSAGE(code == 0, folder.read("out"));
  return json::parse(folder.read("out"));
}

/// Pieces as [text, how many tokens], then all of the text.
constexpr const char* pieces = R"(
  const said = new Said(true), shown = [];
  const show = (all) => shown.push(...all.map(({ text, tokens }) => [text, tokens.length]));
  const add = (text, ...names) => show(said.add(text, names.length ? names.map((name) => ({ bytes: bytesOf(name) })) : undefined));
)";

}  // namespace

TEST_CASE("serve page: tokens lie over the text that was said, which stays as it was said") {
  const json laid = value_of(std::string(pieces) + R"(
    add('');
    add('The', 'The');
    add(' cat s', ' cat');                        // the text runs ahead of the tokens
    add('at \u20ac', ' s', 'at', ' ', 'bytes:\\xe2', 'bytes:\\x82\\xac');
    add('x', ' x');                               // not written as it is called
    add('a\ufffdb', 'a', 'bytes:\\xff', 'b');     // no text at all
    add('', '<|mark|>');                          // not written
    add('!', '!');
    add('?');                                     // that no token comes for
    show(said.end());
    return [shown, said.text];)");
  if (laid.is_null()) return;
  CHECK(laid[0] == json::parse(R"([["The", 1], [" cat", 1], [" s", 1], ["at", 1], [" ", 1], ["\u20ac", 2],
                                   ["x", 1], ["a", 1], ["\ufffdb", 2], ["!", 2], ["?", 0]])"));
  CHECK(laid[1] == "The cat sat \u20acxa\ufffdb!?");
}

TEST_CASE("serve page: without tokens the text comes at once") {
  const json shown = value_of(
      "const said = new Said(false); return [said.add('a b'), said.add(''), said.end(), said.text];");
  if (shown.is_null()) return;
  CHECK(shown == json::parse(R"([[{"text": "a b", "tokens": []}], [], [], "a b"])"));
}

TEST_CASE("serve page: a seed keeps all its digits") {
  const json asked = value_of(
      "return ['9223372036854775807', '-5', '007', '1.5', '1e3'].map((seed) => jsonOf({ seed: seedOf(seed), "
      "top_p: 1 }))"
      ".concat(jsonOf({ top_p: 1 }));");
  if (asked.is_null()) return;
  CHECK(asked == json({R"({"top_p":1,"seed":9223372036854775807})", R"({"top_p":1,"seed":-5})",
                       R"({"top_p":1,"seed":7})", R"({"top_p":1,"seed":1.5})", R"({"top_p":1,"seed":1000})",
                       R"({"top_p":1})"}));
}
