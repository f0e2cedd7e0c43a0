// weft import and weft export.
#include "tools/exchange.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tools/arrays.h"
#include "tools/program.h"

namespace {

std::string text_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("import: transformers' logits; export: transformers' files, and ours by name") {
  const Folder folder;
  for (const std::string name :
       {"gpt2", "gpt2-exact-gelu-bfloat16-shards", "llama", "bert-masked", "t5", "vit"}) {
    CAPTURE(name);
    const std::string kind = name.substr(0, name.find('-'));
    const Result imported = run_weft(folder, {"import", reference_model(name), "--out", name});
    REQUIRE_MESSAGE(imported.code == 0, imported.err);
    CHECK(imported.err.find(name + "/model.h5: a " + kind) != std::string::npos);
    Arguments logits = {"logits", name, "--out", name + ".npy"};
    for (const std::string& argument : second_sample(name, folder.path("image.npy")))
      logits.push_back(argument);
    const Result told = run_weft(folder, logits);
    REQUIRE_MESSAGE(told.code == 0, told.err);
    CHECK(logits_difference(name, folder.path(name + ".npy")) == "");

    const Result theirs = run_weft(folder, {"export", name, "--format", "hf", "--out", "hf/" + name});
    REQUIRE_MESSAGE(theirs.code == 0, theirs.err);
    CHECK(tensors_difference(name, folder.path("hf/" + name)) == "");
    CHECK(folder.read("hf/" + name + "/config.json").find("\"model_type\": \"" + kind) != std::string::npos);

    const Result ours =
        run_weft(folder, {"export", name + "/model.h5", "--format", "safetensors", "--out", "ours/" + name});
    REQUIRE_MESSAGE(ours.code == 0, ours.err);
    const Plain plain = read_plain(folder.path("ours/" + name + "/model.safetensors"));
    CHECK(plain.metadata.at("model") == kind);
    CHECK(plain.metadata.at("n_layer") == "2");
    const char* const embedding = kind == "vit" ? "class_token.weight" : "token_embedding.weight";
    CHECK(std::ranges::count(plain.names, embedding) == 1);
  }
}

TEST_CASE("import: an imported model writes by number, and ends with its own end") {
  const Folder folder;
  REQUIRE(run_weft(folder, {"import", reference_model("gpt2"), "--out", "run"}).code == 0);
  const Result greedy =
      run_weft(folder, {"generate", "run", "--ids", "1,2,3", "--tokens", "30", "--temperature", "0"});
  REQUIRE_MESSAGE(greedy.code == 0, greedy.err);
  CHECK(greedy.out.starts_with("1,2,3,"));
  // Of 30 tokens drawn from 29 some run meets the end, 5, and stops there.
  bool ended = false;
  for (int seed = 0; seed < 8 && !ended; ++seed) {
    const Result drawn = run_weft(folder, {"generate", "run", "--ids", "1", "--tokens", "60", "--temperature",
                                           "2", "--seed", std::to_string(seed)});
    REQUIRE_MESSAGE(drawn.code == 0, drawn.err);
    ended = drawn.out.ends_with(",5\n");
    CHECK((drawn.out.find(",5,") == std::string::npos));
  }
  CHECK(ended);
  const Result beams =
      run_weft(folder, {"generate", "run", "--ids", "1,2,3", "--tokens", "5", "--beams", "3"});
  CHECK(beams.code == 0);
  CHECK(run_weft(folder, {"inspect", "run"}).out.find("gpt2: ") != std::string::npos);
}

TEST_CASE("import and export: refused with exit code 2, and nothing is written") {
  const Folder folder;
  const auto refused = [&](const Arguments& arguments, const std::string& part) {
    CAPTURE(part);
    const size_t before = folder.files().size();
    const Result result = run_weft(folder, arguments);
    CHECK(result.code == 2);
    CHECK_MESSAGE(result.err.find(part) != std::string::npos, result.err);
    CHECK(folder.files().size() == before);
  };
  refused({"import", "none", "--out", "run"}, "none: there is no such folder");
  folder.write("file", "");
  refused({"import", "file", "--out", "run"}, "file: is a file; name a folder with config.json");
  const std::string config = text_of(reference_model("gpt2") + "/config.json");
  folder.with("alone/config.json", config);
  refused({"import", "alone", "--out", "run"}, "holds neither model.safetensors");
  folder.with("foreign/config.json", "{\"architectures\":[\"MambaForCausalLM\"]}")
      .with("foreign/model.safetensors", text_of(reference_model("gpt2") + "/model.safetensors"));
  refused({"import", "foreign", "--out", "run"}, "MambaForCausalLM");
  folder.with("lies/config.json", config).with("lies/model.safetensors", std::string(8, '\xff'));
  refused({"import", "lies", "--out", "run"}, "lies/model.safetensors: is no safetensors file");

  REQUIRE(run_weft(folder, {"import", reference_model("gpt2"), "--out", "run"}).code == 0);
  refused({"import", reference_model("gpt2"), "--out", "run"}, "run/model.h5: is there already");
  refused({"export", "run", "--format", "onnx", "--out", "out"},
          "'onnx' is none of hf, safetensors, gguf, html, weft and peft");
  refused({"export", "none", "--format", "hf", "--out", "out"}, "none");
  refused({"export", "run", "--format", "hf", "--out", "alone"}, "alone/config.json: is there already");
  REQUIRE(run_weft(folder,
                   {"train", "--model", "lstm", "--task", "recall", "--set", "max_iters=1", "eval_iters=1",
                    "n_layer=1", "n_embd=8", "batch_size=2", "samples=8", "--out", "lstm"})
              .code == 0);
  refused({"export", "lstm", "--format", "hf", "--out", "out"},
          "transformers has no model for weft's lstm; there are gpt2");
  refused({"export", "lstm", "--format", "html", "--out", "out"}, "'lstm' is not computed by the page; gpt2");
  refused({"export", "run", "--format", "html", "--out", "out"}, "the model has no tokenizer");
  refused({"export", "run", "--format", "html", "--dtype", "q8_0", "--out", "out"},
          "--dtype: 'q8_0' is none of float32, float16 and bfloat16");
  refused({"export", "run", "--format", "hf", "--dtype", "float16", "--out", "out"},
          "--dtype: 'float16' is neither float32 nor bfloat16");
  refused({"export", "run", "--format", "peft", "--dtype", "float32", "--out", "out"}, "--dtype: adapters");
}

TEST_CASE("export: bfloat16 is half the size, and what is read again is rounded to nearest") {
  const Folder folder;
  write_text(folder);
  REQUIRE(run_weft(folder, train("run")).code == 0);
  for (const std::string format : {"hf", "safetensors"}) {
    REQUIRE(run_weft(folder, {"export", "run", "--format", format, "--out", "whole-" + format}).code == 0);
    const Result half = run_weft(
        folder, {"export", "run", "--format", format, "--dtype", "bfloat16", "--out", "half-" + format});
    REQUIRE_MESSAGE(half.code == 0, half.err);
    CHECK(contains(half.err, "in bfloat16"));
    CHECK(read_tensors(folder.path("half-" + format + "/model.safetensors")) ==
          read_tensors(folder.path("whole-" + format + "/model.safetensors"), true));
    CHECK(folder.read("half-" + format + "/model.safetensors").size() <
          0.7 * static_cast<double>(folder.read("whole-" + format + "/model.safetensors").size()));
  }
  CHECK(contains(folder.read("half-hf/config.json"), "\"dtype\": \"bfloat16\""));
  REQUIRE(run_weft(folder, {"import", "half-hf", "--out", "again.h5"}).code == 0);
}

TEST_CASE("export: a page is of the model that a run keeps, and is not written over") {
  const Folder folder;
  write_text(folder);
  REQUIRE(run_weft(folder, train("run")).code == 0);
  const Result exported = run_weft(folder, {"export", "run", "--format", "html", "--out", "model.html"});
  CHECK_MESSAGE(exported.code == 0, exported.err);
  CHECK(exported.err == "model.html: run/best.h5 as a page, with its tokenizer\n");
  const std::string page = folder.read("model.html");
  CHECK(page.find("\"title\":\"run\"") != std::string::npos);
  CHECK(page.find("\"tokenizer_kind\":\"char\"") != std::string::npos);
  REQUIRE(run_weft(folder, {"export", "run", "--format", "weft", "--out", "model.h5"}).code == 0);
  REQUIRE(run_weft(folder,
                   {"export", "model.h5", "--format", "html", "--dtype", "bfloat16", "--out", "half.html"})
              .code == 0);
  CHECK(folder.read("half.html").find("\"dtype\":\"bfloat16\"") != std::string::npos);
  CHECK(folder.read("half.html").size() < page.size());
  refused_with(folder, {"export", "run", "--format", "html", "--out", "model.html"},
               {"model.html: is there already; choose another"});
  CHECK((folder.read("model.html") == page));
}

TEST_CASE("import: a tokenizer that does not fit the model is refused, and what it asks for beside is told") {
  const Folder folder;
  std::filesystem::copy(reference_model("gpt2"), folder.path("theirs"));
  // Characters of their own, so many.
  const auto tokenizer = [&](int tokens, const std::string& more) {
    std::string vocab;
    for (int id = 0; id < tokens; ++id)
      vocab += (id == 0 ? "\"" : ", \"") + std::string(1, static_cast<char>('0' + id)) +
               "\": " + std::to_string(id);
    folder.write("theirs/tokenizer.json",
                 R"({"model": {"type": "BPE", "merges": [], "vocab": {)" + vocab + "}}" + more + "}");
  };
  tokenizer(30, "");
  const Result large = run_weft(folder, {"import", "theirs", "--out", "a"});
  CHECK(large.code == 2);
  CHECK_MESSAGE(large.err.find(
                    "theirs: its tokenizer has 30 tokens, the model 29; weft import theirs --no-tokenizer") !=
                    std::string::npos,
                large.err);
  CHECK(run_weft(folder, {"import", "theirs", "--out", "b", "--no-tokenizer"}).code == 0);
  tokenizer(20, R"(, "truncation": {"max_length": 8})");
  const Result small = run_weft(folder, {"import", "theirs", "--out", "c"});
  CHECK_MESSAGE(small.code == 0, small.err);
  CHECK(small.err.find("its truncation to 8 tokens is not applied") != std::string::npos);
  const Result encoded = run_weft(folder, {"tokenizer", "inspect", "theirs", "--text", "01"});
  CHECK(encoded.code == 0);
  CHECK(encoded.err.find("its truncation to 8 tokens is not applied") != std::string::npos);
}
