// The page of `weft export --format html` as it is made of a model: what it holds is the model. That its engine computes what weft
// computes is for scripts/check-page to say, which needs node.
#include <doctest/doctest.h>
#include <weft/data/text/bpe_tokenizer.h>
#include <weft/data/text/character_class.h>
#include <weft/data/text/word_tokenizer.h>
#include <weft/data/tokenizers/marked_tokenizer.h>
#include <weft/data/tokenizers/padded_tokenizer.h>
#include <weft/layers/models/registry.h>
#include <weft/lib/array/random.h>
#include <weft/lib/base/bfloat16.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>
#include <weft/lib/base/float16.h>
#include <weft/tools/model_page/model_page.h>

#include <cstring>
#include <regex>

#include "attention_page_data.h"
#include "checks.h"

namespace weft::tools {
namespace {

using nlohmann::json;
using test::refuses;

StateDict page_settings(const std::string& kind, int64_t vocab_size, SettingValues values = {}) {
  StateDict all;
  for (const Setting& s : models().at(kind).settings)
    put(all, s.name, values.contains(s.name) ? values.at(s.name) : s.value);
  all.set("vocab_size", vocab_size);
  return all;
}

const SettingValues small_page = {
    {"n_layer", int64_t{2}}, {"n_head", int64_t{2}}, {"n_embd", int64_t{8}}, {"block_size", int64_t{16}}};

/// A small model with its first values.
OpenedModel model_of(const std::string& kind, const std::shared_ptr<const Tokenizer>& tokenizer,
                     SettingValues values = {}) {
  for (const auto& [name, value] : small_page.entries())
    if (!values.contains(name)) values.set(name, value);
  const RandomScope random({.seed = 1});
  OpenedModel opened{.path = "model.h5"};
  ModelFile& file = opened.checkpoint.model;
  file.kind = kind;
  file.settings = page_settings(kind, tokenizer ? tokenizer->vocab_size() : 7, values);
  file.weights = make_model(kind, file.settings)->state_dict();
  file.tokenizer = tokenizer;
  return opened;
}

std::shared_ptr<const Tokenizer> letters() {
  return std::make_shared<CharTokenizer>(CharTokenizer::of("a <b\n"));
}

/// The bytes of each of the weights, in order.
std::vector<std::vector<uint8_t>> weights_of(const std::string& html) {
  const std::string begin = "<script type=\"text/plain\" class=\"weights\">";
  std::vector<std::vector<uint8_t>> all;
  for (size_t at = html.find(begin); at != std::string::npos; at = html.find(begin, at + 1))
    all.push_back(bytes_of(html.substr(at + begin.size(), html.find("</script>", at) - at - begin.size())));
  return all;
}

template <class T>
std::vector<T> page_values(const std::vector<uint8_t>& bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  return values;
}

}  // namespace

TEST_CASE("model page: settings, tokenizer and every weight are in it") {
  const OpenedModel opened = model_of("gpt2", letters(), {{"bias", true}});
  const std::string html = ModelPage{.title = "</script> \xff"}.html(opened);
  const json data = data_of(html);
  CHECK(data["title"] == "</script> \\xff");
  CHECK(data["kind"] == "gpt2");
  CHECK(data["family"] == "gpt2");
  CHECK(data["dtype"] == "float32");
  CHECK(data["settings"]["n_embd"] == 8);
  CHECK(data["settings"]["bias"] == 1);
  CHECK(data["tokenizer"] ==
        json{{"kind", "char"}, {"characters", {10, 32, 60, 97, 98}}, {"unknown", false}});
  CHECK(data["default_prompt"] == "\n");
  CHECK_FALSE(data.contains("marks"));
  const std::vector<std::vector<uint8_t>> weights = weights_of(html);
  const StateDict& theirs = opened.checkpoint.model.weights;
  REQUIRE(weights.size() == theirs.size());
  REQUIRE(data["weights"].size() == theirs.size());
  int64_t parameters = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    const Array& array = theirs.array(data["weights"][i]["name"]);
    const std::vector<float> values = page_values<float>(weights[i]);
    CHECK(data["weights"][i]["shape"] ==
          json(std::vector<int64_t>(array.shape().begin(), array.shape().end())));
    REQUIRE(values.size() == static_cast<size_t>(array.size()));
    CHECK(std::memcmp(values.data(), array.data<float>(), 4 * values.size()) == 0);
    parameters += array.size();
  }
  CHECK(data["parameters"] == parameters);
  CHECK((ModelPage{.title = "</script> \xff"}.html(opened) == html));
}

TEST_CASE("model page: rounded weights are the nearest ones") {
  OpenedModel opened = model_of("llama", letters());
  const Array tiny = Array::full({8}, 0x1.006p-20, float32);
  opened.checkpoint.model.weights.set("norm.weight", tiny);
  const auto check = [&](PageType type, const char* name, uint16_t (*round)(float)) {
    const std::string html = ModelPage{.title = "", .type = type}.html(opened);
    const json data = data_of(html);
    CHECK(data["dtype"] == name);
    const auto weights = weights_of(html);
    for (size_t i = 0; i < weights.size(); ++i) {
      const auto wanted = opened.checkpoint.model.weights.array(data["weights"][i]["name"]).values<float>();
      const std::vector<uint16_t> bits = page_values<uint16_t>(weights[i]);
      REQUIRE(bits.size() == wanted.size());
      size_t wrong = 0;
      for (size_t j = 0; j < bits.size(); ++j) wrong += bits[j] != round(wanted[j]);
      CHECK(wrong == 0);
    }
  };
  check(PageType::float16, "float16", float16_of);
  check(PageType::bfloat16, "bfloat16", bfloat16_of);
  CHECK(page_type("bfloat16") == PageType::bfloat16);
  refuses<ValueError>([] { page_type("q8_0"); }, {"'q8_0' is none of float32, float16 and bfloat16"});
  opened.checkpoint.model.weights.set("norm.weight", Array::full({8}, 70000.0, float32));
  refuses<ValueError>([&] { ModelPage{.title = "", .type = PageType::float16}.html(opened); },
                      {"'norm.weight' has a weight of 70000, beyond the largest float16"});
  ModelPage{.title = "", .type = PageType::bfloat16}.html(opened);
}

TEST_CASE("model page: rotary places, and what a file leaves out, as the model has them") {
  OpenedModel opened =
      model_of("llama", letters(),
               {{"rope_scaling", std::string("linear")}, {"rope_factor", 4.0}, {"rope_base", 100.0}});
  json data = data_of(ModelPage{}.html(opened));
  CHECK(data["family"] == "llama");
  CHECK(data["frequencies"] == json({0.25, 0.025}));
  CHECK(data["settings"]["activation"] == "silu");
  StateDict few;
  for (const auto& [name, value] : small_page.entries()) put(few, name, value);
  few.set("vocab_size", letters()->vocab_size());
  opened.checkpoint.model.settings = few;
  data = data_of(ModelPage{}.html(opened));
  CHECK(data["settings"]["activation"] == "silu");
  CHECK(data["settings"]["logit_softcap"] == 0);
}

TEST_CASE("model page: what was found of the weights when they were saved") {
  OpenedModel opened = model_of("gpt2", letters());
  CHECK_FALSE(data_of(ModelPage{}.html(opened)).contains("step"));
  opened.checkpoint.training = TrainingState{.step = 20};
  opened.checkpoint.training->history.evaluations = {
      {10, 2.5, 2.75, {}}, {20, 1.5, 1.75, {}}, {30, 1.25, 2.0, {}}};
  const json data = data_of(ModelPage{}.html(opened));
  CHECK(data["step"] == 20);
  CHECK(data["train_loss"] == 1.5);
  CHECK(data["val_loss"] == 1.75);
}

TEST_CASE("model page: byte pairs, marks and padding") {
  BpeTokenizer::Parts parts{.pattern = WordPattern::cl100k, .tokens = {}, .merges = {}};
  for (int byte = 0; byte < 256; ++byte) parts.tokens.push_back(std::string(1, static_cast<char>(byte)));
  parts.tokens.insert(parts.tokens.end(), {"th", "the", "<end>"});
  parts.merges = {{'t', 'h', 256}, {256, 'e', 257}};
  parts.special = {{"<end>", 258}};
  const auto pairs = std::make_shared<BpeTokenizer>(parts);
  const auto chat = with_special(pairs, {"</s>", "<|system|>", "<|user|>", "<|assistant|>"});
  const json data = data_of(ModelPage{}.html(model_of("gpt2", chat)));
  CHECK(data["tokenizer_kind"] == "bpe");
  CHECK(data["tokenizer"]["kind"] == "marked");
  CHECK(data["tokenizer"]["size"] == 259);
  CHECK(data["tokenizer"]["names"] == json({"</s>", "<|system|>", "<|user|>", "<|assistant|>"}));
  CHECK(data["marks"] ==
        json{{"user", 261}, {"assistant", 262}, {"end", 259}, {"unsaid", {258, 259, 260, 261, 262}}});
  const json own = data["tokenizer"]["own"];
  CHECK(own["pattern"] == "cl100k");
  CHECK(own["special"] == json({258}));
  CHECK(own["ignoreMerges"] == false);
  const std::vector<int32_t> ends = page_values<int32_t>(bytes_of(own["ends"]));
  CHECK((ends.at(255) == 256 && ends.at(256) == 258 && ends.at(258) == 266 && ends.size() == 259));
  CHECK(page_values<int32_t>(bytes_of(own["merges"])) == std::vector<int32_t>{'t', 'h', 256, 256, 'e', 257});
  const std::vector<uint8_t> bytes = bytes_of(own["tokens"]);
  CHECK(std::string(bytes.begin() + 256, bytes.end()) == "ththe<end>");
  // Runs of classes cover all code points, and are right at their ends.
  int64_t at = 0, wrong = 0;
  for (size_t i = 0; i < own["classes"].size(); i += 2) {
    const int64_t kind = own["classes"][i], end = at + own["classes"][i + 1].get<int64_t>();
    for (const int64_t point : {at, end - 1})
      wrong += static_cast<int64_t>(character_class(static_cast<char32_t>(point))) != kind;
    wrong += end < 0x110000 && static_cast<int64_t>(character_class(static_cast<char32_t>(end))) == kind;
    at = end;
  }
  CHECK(at == 0x110000);
  CHECK(wrong == 0);
  const json padded = data_of(ModelPage{}.html(
      model_of("gpt2", std::make_shared<PaddedTokenizer>(std::make_shared<ByteTokenizer>(), 260))));
  CHECK(padded["tokenizer"] ==
        json{{"kind", "padded"}, {"size", 256}, {"names", json::array()}, {"own", {{"kind", "byte"}}}});
}

TEST_CASE("model page: what it cannot do is refused by name") {
  const auto refused = [](const OpenedModel& opened, const std::string& part) {
    refuses<ValueError>([&] { ModelPage{}.html(opened); }, {part});
  };
  refused(model_of("lstm", letters()),
          "a model of the kind 'lstm' is not computed by the page; gpt2, llama and best are");
  refused(model_of("gpt2", letters(), {{"n_class", int64_t{3}}}), "tells classes and writes nothing");
  refused(model_of("gpt2", nullptr), "has no tokenizer");
  refused(model_of("gpt2", std::make_shared<WordTokenizer>(WordTokenizer::of("the fox"))),
          "the tokenizer 'word' is not read by the page; char, byte and bpe are");
  OpenedModel damaged = model_of("gpt2", letters());
  damaged.checkpoint.model.weights.set("norm.weight", Array::full({8}, INFINITY, float32));
  refuses<FileError>([&] { ModelPage{}.html(damaged); }, {"'norm.weight' holds a value that is not finite"});
}

TEST_CASE("model page: it needs no network, and its engine no page") {
  const std::string html = ModelPage{}.html(model_of("gpt2", letters()));
  CHECK(html.find("default-src 'none'") != std::string::npos);
  for (const char* part : {"http:", "https:", " src=", "@import", "url("})
    CHECK(html.find(part) == std::string::npos);
  const size_t begin = html.find("<script id=\"engine\">");
  REQUIRE(begin != std::string::npos);
  const std::string engine = html.substr(begin, html.find("</script>", begin) - begin);
  CHECK(engine.find("class Llama extends Decoder") != std::string::npos);
  for (const char* part : {"document.", "window.", "location.", "fetch("})
    CHECK(engine.find(part) == std::string::npos);
}

// A change of a function of lib/ that leaves the engine as it was would be seen by node alone.
TEST_CASE("model page: the engine's constants are those of the kernels") {
  const auto constants_of = [](const std::string& file, const std::string& sources) {
    const std::string engine = read_text(str(WEFT_SOURCE_DIR, "/tools/model_page/engine/", file));
    const std::regex number(R"(\d+\.\d{6,}(e-?\d+)?)");
    int64_t count = 0;
    for (auto found = std::sregex_iterator(engine.begin(), engine.end(), number);
         found != std::sregex_iterator(); ++found, ++count)
      CHECK_MESSAGE(sources.find(found->str()) != std::string::npos, file, ": ", found->str());
    return count;
  };
  const auto source = [](const char* file) { return read_text(str(WEFT_SOURCE_DIR, "/", file)); };
  CHECK(constants_of("numbers.js", source("lib/isa/math.inc")) > 30);
  CHECK(constants_of("doubles.js", source("lib/base/math.cpp") + source("lib/base/trigonometry.cpp")) > 20);
}

}  // namespace weft::tools
