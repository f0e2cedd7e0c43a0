// --weights int8 of the commands that use a model.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "program.h"

namespace {

/// A run whose layers are wide enough to become integers, made once.
const Folder& trained_model() {
  static const struct Trained : Folder {
    Trained() {
      write_text(*this);
      const Result result = run_weft(
          *this, train("run", {"n_embd=64", "n_layer=2", "block_size=16", "max_iters=120", "batch_size=8"}));
      REQUIRE_MESSAGE(result.code == 0, result.err);
    }
  } folder;
  return folder;
}

std::string output_of(const Arguments& arguments, const Program::Options& options = {}) {
  const Result result = run_weft(trained_model(), arguments, options);
  REQUIRE_MESSAGE(result.code == 0, result.err);
  return result.out;
}

}  // namespace

TEST_CASE("int8: eval tells nearly the same loss, and another") {
  const double floats = number_in(output_of({"eval", "run", "--json"}), "loss"),
               integers = number_in(output_of({"eval", "run", "--json", "--weights", "int8"}), "loss");
  CHECK(floats < 1.5);
  CHECK(floats != integers);
  CHECK(std::abs(floats - integers) < 0.005);
  CHECK(number_in(output_of({"eval", "run", "--json", "--weights", "float32"}), "loss") == floats);
  for (const Arguments& more : {Arguments{"--threads", "2"}, Arguments{"--stride", "16"}})
    CHECK(number_in(output_of(with({"eval", "run", "--json", "--weights", "int8"}, more)), "loss") ==
          integers);
  for (const char* const set : {"WEFT_ISA=scalar", "WEFT_ISA=avx2"}) {
    const Result result =
        run_weft(trained_model(), {"eval", "run", "--json", "--weights", "int8"}, {.environment = {set}});
    if (result.code == 0)
      CHECK(number_in(result.out, "loss") == integers);
    else
      CHECK(contains(result.err, "this processor lacks"));
  }
}

TEST_CASE("int8: generate writes the same on every processor, with any threads, in any batch") {
  const Arguments one{"generate", "run", "--prompt", "the ", "--tokens", "60", "--weights", "int8"};
  const std::string text = output_of(one);
  CHECK(text.starts_with("the "));
  CHECK(output_of(with(one, {"--threads", "2"})) == text);
  CHECK(output_of(one, {.environment = {"WEFT_ISA=scalar"}}) == text);
  trained_model().write("prompts.txt", "dogs \nthe \nmat; dogs ran.\n");
  const std::string many =
      output_of({"generate", "run", "--prompts", "prompts.txt", "--tokens", "8", "--weights", "int8"});
  const std::string alone =
      output_of({"generate", "run", "--prompt", "the ", "--tokens", "8", "--weights", "int8"});
  CHECK(contains(many, "\n" + alone + "\n"));
  const std::string likeliest =
      output_of({"generate", "run", "--prompt", "the ", "--tokens", "20", "--temperature", "0"});
  CHECK(output_of({"generate", "run", "--prompt", "the ", "--tokens", "20", "--temperature", "0", "--weights",
                   "int8"}) == likeliest);
}

TEST_CASE("int8: another word is refused") {
  for (const char* const command : {"generate", "eval", "chat", "translate"})
    refused_with(trained_model(), {command, "run", "--weights", "int4"},
                 {"--weights: 'int4' is neither float32 nor int8"});
  refused_with(trained_model(), {"generate", "run", "--weights", ""}, {"--weights"});
}

TEST_CASE("int8: adapters become integers together with the weights that they are folded into") {
  const Folder& folder = trained_model();
  std::string other;
  for (int i = 0; i < 100; ++i) other += "dogs sat on the mat; the cat ran.\n";
  folder.write("other.txt", other);
  Arguments adapted =
      train("adapted", {"lora_rank=4", "n_embd=64", "n_layer=2", "max_iters=20", "block_size=16"});
  adapted.insert(adapted.begin() + 1, {"--init-from", "run"});
  std::ranges::replace(adapted, "text.txt", "other.txt");
  for (const Arguments& one : {adapted, Arguments{"merge", "adapted", "--out", "merged.h5"}}) {
    const Result result = run_weft(folder, one);
    REQUIRE_MESSAGE(result.code == 0, result.err);
  }
  const auto text = [](const char* model) {
    return output_of({"generate", model, "--prompt", "the ", "--tokens", "100", "--weights", "int8"});
  };
  CHECK(text("adapted") == text("merged.h5"));
  CHECK(text("adapted") != text("run"));
  CHECK(output_of({"generate", "adapted", "--base", "run", "--prompt", "the ", "--tokens", "100", "--weights",
                   "int8"}) == text("merged.h5"));
  for (const char* const model : {"adapted", "merged.h5"})
    output_of({"embed", model, "the cat", "--weights", "int8", "--out", std::string(model) + ".npy"});
  CHECK(folder.read("adapted.npy") == folder.read("merged.h5.npy"));
}

TEST_CASE("int8: a command that the model is not for says which one is") {
  for (const char* const command : {"chat", "translate"})
    refused_with(trained_model(), {command, "run", "--weights", "int8"},
                 {"run/best.h5: ", "weft generate run"});
}
