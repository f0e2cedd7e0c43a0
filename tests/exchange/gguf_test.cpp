#include <doctest/doctest.h>
#include <weft/exchange/gguf.h>
#include <weft/lib/base/error.h>

#include <cmath>
#include <cstring>

using namespace weft;

namespace {

/// Reads a file as docs/gguf.md of ggml has it, apart from the code that writes it.
struct Read {
  explicit Read(std::string file) : bytes(std::move(file)) {
    REQUIRE(bytes.substr(0, 4) == "GGUF");
    at = 4;
    REQUIRE(take<uint32_t>() == 3);
    const auto tensors = take<uint64_t>(), values = take<uint64_t>();
    for (uint64_t i = 0; i < values; ++i) {
      const std::string key = text();
      value(key, take<uint32_t>());
    }
    for (uint64_t i = 0; i < tensors; ++i) {
      Entry entry;
      entry.name = text();
      const auto rank = take<uint32_t>();
      for (uint32_t axis = 0; axis < rank; ++axis) entry.extents.push_back(take<uint64_t>());
      entry.type = take<uint32_t>();
      entry.offset = take<uint64_t>();
      CHECK(entry.offset % 32 == 0);
      entries.push_back(entry);
    }
    data = (at + 31) / 32 * 32;
  }
  template <class T>
  T take() {
    T made;
    REQUIRE(at + sizeof(T) <= bytes.size());
    std::memcpy(&made, bytes.data() + at, sizeof(T));
    at += sizeof(T);
    return made;
  }
  std::string text() {
    const auto length = take<uint64_t>();
    at += length;
    return bytes.substr(at - length, length);
  }
  void value(const std::string& key, uint32_t kind) {
    if (kind == 4) numbers.emplace_back(key, take<uint32_t>());
    if (kind == 5) numbers.emplace_back(key, take<int32_t>());
    if (kind == 6) numbers.emplace_back(key, take<float>());
    if (kind == 7) numbers.emplace_back(key, take<uint8_t>());
    if (kind == 8) texts.emplace_back(key, text());
    if (kind != 9) return;
    const auto of = take<uint32_t>();
    for (auto left = take<uint64_t>(); left > 0; --left) value(key, of);
  }
  double number(const std::string& key) const {
    for (const auto& [name, one] : numbers)
      if (name == key) return one;
    FAIL(key, " is not there");
    return 0;
  }
  struct Entry {
    std::string name;
    std::vector<uint64_t> extents;
    uint32_t type = 0;
    uint64_t offset = 0;
  };
  const Entry& entry(const std::string& name) const {
    for (const Entry& one : entries)
      if (one.name == name) return one;
    FAIL(name, " is not there");
    return entries[0];
  }
  const char* values(const std::string& name) const { return bytes.data() + data + entry(name).offset; }
  float float_at(const std::string& name, size_t i) const {
    float made;
    std::memcpy(&made, values(name) + i * sizeof made, sizeof made);
    return made;
  }
  uint16_t half_at(const std::string& name, size_t i) const {
    uint16_t made;
    std::memcpy(&made, values(name) + i * sizeof made, sizeof made);
    return made;
  }

  std::string bytes;
  size_t at = 0, data = 0;
  std::vector<std::pair<std::string, double>> numbers;
  std::vector<std::pair<std::string, std::string>> texts;
  std::vector<Entry> entries;
};

/// One layer, two heads of four, width 8.
HuggingFaceModel llama() {
  HuggingFaceModel model;
  model.config =
      R"({"model_type": "llama", "hidden_size": 8, "num_attention_heads": 2, "num_key_value_heads": 1,
    "num_hidden_layers": 1, "intermediate_size": 32, "max_position_embeddings": 16, "rms_norm_eps": 1e-5, "vocab_size": 4,
    "rope_theta": 500.0})";
  const auto rows = [](int64_t count, int64_t width) {
    Array made({count, width}, float32);
    for (int64_t i = 0; i < made.size(); ++i) made.mutable_data<float>()[i] = static_cast<float>(i / width);
    return made;
  };
  model.tensors.emplace("model.embed_tokens.weight", rows(4, 8));
  model.tensors.emplace("model.layers.0.self_attn.q_proj.weight", rows(8, 8));
  model.tensors.emplace("model.layers.0.self_attn.k_proj.weight", rows(4, 8));
  model.tensors.emplace("model.layers.0.mlp.down_proj.weight", rows(8, 32));
  model.tensors.emplace("model.norm.weight", Array::ones({8}, float32));
  return model;
}

constexpr const char* tokenizer = R"({"pre_tokenizer": {"type": "ByteLevel"}, "model": {"type": "BPE",
  "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]},
  "added_tokens": [{"id": 3, "content": "<end>", "special": true}]})";

}  // namespace

TEST_CASE("gguf: names, extents and numbers are where llama.cpp looks for them") {
  const Read file(gguf_bytes(llama(), {.name = "tiny", .tokenizer = tokenizer, .end_id = 3}));
  CHECK(file.texts[0] == std::pair<std::string, std::string>("general.architecture", "llama"));
  CHECK(file.number("llama.embedding_length") == 8);
  CHECK(file.number("llama.attention.head_count_kv") == 1);
  CHECK(file.number("llama.rope.dimension_count") == 4);
  CHECK(file.number("llama.rope.freq_base") == 500);
  CHECK(file.number("tokenizer.ggml.eos_token_id") == 3);
  CHECK(file.entry("token_embd.weight").extents == std::vector<uint64_t>{8, 4});
  CHECK(file.entry("blk.0.ffn_down.weight").extents == std::vector<uint64_t>{32, 8});
  CHECK(file.float_at("output_norm.weight", 7) == 1.0f);
  std::vector<std::string> tokens;
  for (const auto& [key, text] : file.texts)
    if (key == "tokenizer.ggml.tokens") tokens.push_back(text);
  CHECK(tokens == std::vector<std::string>{"a", "b", "ab", "<end>"});
}

TEST_CASE("gguf: rows of queries and keys turn in pairs, head by head") {
  const Read file(gguf_bytes(llama(), {}));
  std::vector<float> query, key;
  for (size_t row = 0; row < 8; ++row) query.push_back(file.float_at("blk.0.attn_q.weight", 8 * row));
  for (size_t row = 0; row < 4; ++row) key.push_back(file.float_at("blk.0.attn_k.weight", 8 * row));
  CHECK(query == std::vector<float>{0, 2, 1, 3, 4, 6, 5, 7});
  CHECK(key == std::vector<float>{0, 2, 1, 3});
}

TEST_CASE("gguf: float16 is rounded to the nearest, q8_0 is blocks of 32 with a factor") {
  HuggingFaceModel model = llama();
  Array& embedding = model.tensors.at("model.embed_tokens.weight");
  const std::vector<float> numbers{1.0f,      -2.0f,         65504.0f,      65519.0f,
                                   -65519.0f, 5.9604645e-8f, 2.9802322e-8f, 1.0009766f};
  std::copy(numbers.begin(), numbers.end(), embedding.mutable_data<float>());
  Array& down = model.tensors.at("model.layers.0.mlp.down_proj.weight");
  for (int64_t i = 0; i < 32; ++i) down.mutable_data<float>()[i] = static_cast<float>(i - 20) * 12.7f;
  const Read half(gguf_bytes(model, {.type = GgufType::f16}));
  const std::vector<uint16_t> wanted{0x3C00, 0xC000, 0x7BFF, 0x7BFF, 0xFBFF, 0x0001, 0x0000, 0x3C01};
  for (size_t i = 0; i < wanted.size(); ++i) CHECK(half.half_at("token_embd.weight", i) == wanted[i]);
  CHECK(half.entry("output_norm.weight").type == 0);

  const Read whole(gguf_bytes(model, {.type = GgufType::q8_0}));
  CHECK(whole.entry("token_embd.weight").type == 1);  // rows of 8
  CHECK(whole.entry("blk.0.ffn_down.weight").type == 8);
  const char* const block = whole.values("blk.0.ffn_down.weight");
  CHECK(whole.half_at("blk.0.ffn_down.weight", 0) == 0x4000);  // 254 / 127
  for (int i = 0; i < 32; ++i)
    CHECK(static_cast<int>(static_cast<signed char>(block[2 + i])) ==
          static_cast<int>(std::round(static_cast<float>(i - 20) * 12.7f / 2.0f)));
}

TEST_CASE("gguf: what is beyond a type is refused with the tensor's name, what is below it is 0") {
  HuggingFaceModel model = llama();
  float* const down = model.tensors.at("model.layers.0.mlp.down_proj.weight").mutable_data<float>();
  const auto refused = [&](GgufType type, const char* weight) {
    CHECK_THROWS_WITH_AS(
        gguf_bytes(model, {.type = type}),
        doctest::Contains(("'blk.0.ffn_down.weight' has a weight of " + std::string(weight)).c_str()),
        ValueError);
  };
  down[5] = -65520.0f;
  refused(GgufType::f16, "-65520");
  CHECK(Read(gguf_bytes(model, {.type = GgufType::q8_0})).half_at("blk.0.ffn_down.weight", 0) == 0x6008);
  down[5] = 65504.0f * 127.0f;
  CHECK(Read(gguf_bytes(model, {.type = GgufType::q8_0})).half_at("blk.0.ffn_down.weight", 0) == 0x7BFF);
  down[5] = 9e6f;
  refused(GgufType::q8_0, "9e+06");
  CHECK(Read(gguf_bytes(model, {})).float_at("blk.0.ffn_down.weight", 5) == 9e6f);
  std::fill(down, down + 32, 1e-40f);
  const Read least(gguf_bytes(model, {.type = GgufType::q8_0}));
  for (int i = 0; i < 34; ++i) CHECK(least.values("blk.0.ffn_down.weight")[i] == 0);
}

TEST_CASE("gguf: what it does not have is named") {
  HuggingFaceModel model = llama();
  model.tensors.emplace("model.layers.0.strange.weight", Array::ones({2}, float32));
  CHECK_THROWS_WITH_AS(gguf_bytes(model, {}),
                       doctest::Contains("'model.layers.0.strange.weight' has no place"), ValueError);
  model = llama();
  model.config.replace(model.config.find("llama"), 5, "bert");
  CHECK_THROWS_WITH_AS(gguf_bytes(model, {}), doctest::Contains("'bert' is not written"), ValueError);
  CHECK_THROWS_WITH_AS(gguf_bytes(llama(), {.tokenizer = R"({"model": {"type": "Unigram"}})"}),
                       doctest::Contains("'Unigram'"), ValueError);
  CHECK_THROWS_WITH_AS(
      gguf_bytes(
          llama(),
          {.tokenizer = R"({"pre_tokenizer": null, "model": {"type": "BPE", "vocab": {}, "merges": []}})"}),
      doctest::Contains("--set tokenizer=bpe"), ValueError);
  CHECK_THROWS_AS(gguf_type("q4_0"), ValueError);
}
