// eval, generate, inspect and stories.
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <set>

#include "program.h"

namespace {

/// A trained run, made once.
struct TrainedRun : Folder {
  TrainedRun() {
    write_text(*this);
    const Result result =
        run_weft(*this, train("run", {"max_iters=200", "eval_interval=50", "checkpoint_interval=100"}));
    REQUIRE_MESSAGE(result.code == 0, result.err);
  }
};

const Folder& trained_run() {
  static const TrainedRun folder;
  return folder;
}

Result generate(const Arguments& more) {
  Arguments all{"generate", "run"};
  all.insert(all.end(), more.begin(), more.end());
  return run_weft(trained_run(), all);
}

double loss_of(const Arguments& more) {
  Arguments all{"eval", "run", "--json"};
  all.insert(all.end(), more.begin(), more.end());
  const Result result = run_weft(trained_run(), all);
  REQUIRE_MESSAGE(result.code == 0, result.err);
  return number_in(result.out, "loss");
}

}  // namespace

TEST_CASE("eval scores every token of the validation split but the first") {
  const Result result = run_weft(trained_run(), {"eval", "run", "--json"});
  REQUIRE(result.code == 0);
  REQUIRE(lines_of(result.out).size() == 1);
  const double loss = number_in(result.out, "loss"),
               size = static_cast<double>(trained_run().read("text.txt").size());
  CHECK(number_in(result.out, "tokens") == size - std::floor(0.9 * size) - 1);
  CHECK(number_in(result.out, "perplexity") == doctest::Approx(std::exp(loss)).epsilon(1e-12));
  CHECK(number_in(result.out, "bits_per_character") == doctest::Approx(loss / std::log(2.0)).epsilon(1e-12));
  CHECK(loss < 2);
  const Result words = run_weft(trained_run(), {"eval", "run"});
  CHECK(contains(words.out, "perplexity"));
  CHECK(contains(words.out, "bits per character"));
}

TEST_CASE("eval gives the same number every time") {
  const double loss = loss_of({});
  CHECK(loss_of({"--threads", "2"}) == loss);
  CHECK(loss_of({"--stride", "8"}) == loss);
  CHECK(loss_of({"--stride", "4"}) != loss);
  CHECK(loss_of({"--stride", "1"}) != loss);
  // The best, and the last: two checkpoints unless the last is the best.
  CHECK(
      loss_of({"--last"}) ==
      number_in(run_weft(trained_run(), {"eval", "run/checkpoints/step-00000200.h5", "--json"}).out, "loss"));
}

TEST_CASE("eval --data scores all of a text") {
  trained_run().write("other.txt", "the cat sat on a mat; dogs ran.\n");
  const Result result = run_weft(trained_run(), {"eval", "run/best.h5", "--data", "other.txt", "--json"});
  REQUIRE(result.code == 0);
  CHECK(number_in(result.out, "tokens") == 31);
  trained_run().write("strange.txt", "the Cat");
  const Result strange = run_weft(trained_run(), {"eval", "run", "--data", "strange.txt"});
  CHECK(strange.code == 2);
  CHECK(contains(strange.err, "strange.txt: character 'C' (U+0043) at position 4"));
}

TEST_CASE("eval says what it scores, and what of it the run trained on") {
  const std::string text = trained_run().read("text.txt");
  const auto said = [](const Arguments& more) {
    Arguments all{"eval", "run"};
    all.insert(all.end(), more.begin(), more.end());
    const Result result = run_weft(trained_run(), all);
    REQUIRE_MESSAGE(result.code == 0, result.err);
    return result.out;
  };
  const auto size = text.size(), trained_on = size / 10 * 9 + size % 10 * 9 / 10;
  CHECK_MESSAGE(contains(lines_of(said({}))[0], "/text.txt: " + std::to_string(size - trained_on) +
                                                    " tokens, none of which the run trained on"),
                said({}));
  CHECK(said({}).starts_with("validation part of /"));
  CHECK(contains(said({"--json"}), "\"part\":\"validation\",\"trained_share\":0.0}"));
  CHECK(contains(said({"--json"}), "/text.txt\"]"));
  trained_run().write("same.txt", text);
  for (const char* path : {"text.txt", "same.txt"}) {
    const std::string own = lines_of(said({"--data", path}))[0];
    CHECK(own.starts_with(std::string("all of ") + path + ": "));
    CHECK_MESSAGE(contains(own, ", of which the run trained on the first 90.0 %: it is its own text"), own);
  }
  const std::string json = said({"--data", "same.txt", "--json"});
  CHECK(contains(json, "\"data\":[\"same.txt\"],\"part\":\"all\""));
  CHECK(number_in(json, "trained_share") == doctest::Approx(0.9).epsilon(1e-3));
  trained_run().write("else.txt", "the cat sat on a mat.\n");
  CHECK(lines_of(said({"--data", "else.txt"}))[0] == "all of else.txt: 22 tokens");
  CHECK_FALSE(contains(said({"--data", "else.txt", "--json"}), "trained_share"));

  const Folder folder;
  folder.write("a.txt", text);
  folder.write("b.txt", text);
  REQUIRE(run_weft(folder,
                   {"train", "--data", "a.txt", "b.txt", "--out", "run", "--set", "max_iters=1", "n_layer=1"})
              .code == 0);
  CHECK(contains(run_weft(folder, {"eval", "run"}).out, "/a.txt and 1 more: "));
  CHECK(contains(run_weft(folder, {"eval", "run", "--data", "b.txt"}).out,
                 "one of the 2 files that the run was made with, and trained on in part"));
}

TEST_CASE("generate writes the prompt and N tokens, and nothing else") {
  const Result result = generate({"--prompt", "the cat", "--tokens", "40"});
  CHECK(result.code == 0);
  CHECK(result.err.empty());
  CHECK(result.out.size() == 47);
  CHECK(result.out.starts_with("the cat"));
  CHECK(generate({"--prompt", "the cat", "--tokens", "0"}).out == "the cat");
  const Result defaults = generate({});
  CHECK(defaults.out.size() == 501);
  CHECK(defaults.out[0] == '\n');
}

TEST_CASE("generate depends on the seed and on nothing else") {
  const std::string text = generate({"--tokens", "60"}).out;
  CHECK(generate({"--tokens", "60", "--seed", "1337"}).out == text);
  CHECK(generate({"--tokens", "60", "--threads", "3"}).out == text);
  CHECK(generate({"--tokens", "60", "--temperature", "0.8", "--top-k", "0", "--top-p", "1"}).out == text);
  CHECK(text.starts_with(generate({"--tokens", "30"}).out));
  CHECK(generate({"--tokens", "60", "--seed", "2"}).out != text);
  const std::string greedy = generate({"--tokens", "60", "--temperature", "0"}).out;
  CHECK(generate({"--tokens", "60", "--temperature", "0", "--seed", "2"}).out == greedy);
  CHECK(generate({"--tokens", "60", "--top-k", "1"}).out == greedy);
}

TEST_CASE("a prompt that is asked again has another text, the same wherever it is asked") {
  const auto ask = [](Arguments what) {
    what.insert(what.end(), {"--tokens", "30"});
    const Result result = generate(what);
    REQUIRE_MESSAGE(result.code == 0, result.err);
    return result.out;
  };
  const std::string first = ask({"--prompt", "the cat"}), other = ask({"--prompt", "dogs"});
  const std::string samples = ask({"--prompt", "the cat", "--samples", "3"});
  REQUIRE(samples.starts_with(first + "\n---\nthe cat"));
  CHECK(samples.back() == '\n');
  const size_t second_at = first.size() + 5, third_at = samples.find("\n---\n", second_at) + 5;
  const std::string second = samples.substr(second_at, third_at - 5 - second_at),
                    third = samples.substr(third_at, samples.size() - 1 - third_at);
  CHECK(second != first);
  CHECK(third != first);
  CHECK(third != second);
  CHECK(ask({"--prompt", "the cat", "--samples", "2"}) == first + "\n---\n" + second + "\n");
  // What follows the same prompt in a file, in a conversation and as a sample is the same.
  trained_run().write("prompts.txt", "the cat\ndogs\nthe cat\nthe cat\n");
  const std::string lines = first + "\n" + other + "\n" + second + "\n" + third + "\n";
  CHECK(ask({"--prompts", "prompts.txt"}) == lines);
  CHECK(run_weft(trained_run(), {"generate", "run", "--interactive", "--tokens", "30"},
                 {.under = {"sh", "-c", "\"$0\" \"$@\" < prompts.txt"}})
            .out == lines);
  trained_run().write("prompts.txt", "the cat\nthe cat\ndogs\n");
  const std::string pairs = ask({"--prompts", "prompts.txt", "--samples", "2"});
  CHECK(pairs.starts_with(first + "\n" + second + "\n" + third + "\nthe cat"));
  CHECK(contains(pairs, "\n" + other + "\ndogs"));
  // Nothing is drawn where the likeliest is taken.
  const std::string greedy = ask({"--prompt", "the cat", "--temperature", "0"});
  CHECK(ask({"--prompt", "the cat", "--temperature", "0", "--samples", "2"}) ==
        greedy + "\n---\n" + greedy + "\n");
  const std::string ids = ask({"--ids", "1,2", "--samples", "2"});
  CHECK(lines_of(ids).size() == 2);
  CHECK(lines_of(ids)[0] + "\n" == ask({"--ids", "1,2"}));
  // More than are written together.
  trained_run().write("prompts.txt", "the cat\n");
  const std::vector<std::string> many =
      lines_of(ask({"--prompts", "prompts.txt", "--samples", "150", "--seed", "9", "--stop", "\n"}));
  CHECK(std::set<std::string>(many.begin(), many.end()).size() > 100);
}

TEST_CASE("the samples of a search are its best texts") {
  const std::string best = generate({"--prompt", "the cat", "--tokens", "10", "--beams", "4"}).out;
  const std::string three =
      generate({"--prompt", "the cat", "--tokens", "10", "--beams", "4", "--samples", "3"}).out;
  CHECK(three.starts_with(best + "\n---\nthe cat"));
  CHECK(lines_of(three).size() >= 5);
  const Result result = generate({"--prompt", "the cat", "--beams", "2", "--samples", "3"});
  CHECK(result.code == 2);
  CHECK(contains(result.err, "--samples 3: a search with 2 beams finds 2 texts at most"));
}

TEST_CASE("a line of standard input that does not end is refused, and so is one of zeros") {
  const auto under = [](const char* command) {
    return run_weft(trained_run(), {"generate", "run", "--interactive", "--tokens", "3"},
                    {.under = {"sh", "-c", command}});
  };
  Result result = under("\"$0\" \"$@\" < /dev/zero");
  CHECK(result.code == 1);
  CHECK_MESSAGE(contains(result.err, "standard input: a line of more than 1,048,576 bytes"), result.err);
  result = under("printf 'the\\0cat\\nthe\\n' | \"$0\" \"$@\"");
  CHECK(result.code == 0);
  CHECK_MESSAGE(contains(result.err, "character U+0000 at position 3"), result.err);
  CHECK(lines_of(result.out).size() == 1);
}

TEST_CASE("a prompt longer than the context is read from its end, with a notice") {
  const Result result = generate({"--prompt", "the cat sat on a mat", "--tokens", "20"});
  CHECK(result.code == 0);
  CHECK(result.out.size() == 40);
  CHECK(result.out.starts_with("the cat sat on a mat"));
  CHECK(contains(result.err, "20 tokens; the model reads the last 8"));
  CHECK(generate({"--prompt", "on a mat", "--tokens", "20"}).out.substr(8) == result.out.substr(20));
}

TEST_CASE("prompts are taken as they are") {
  for (const char* prompt : {"[a]", "{}", "--tokens", "-1", "%%"}) {
    const Result result = generate({"--prompt", prompt, "--tokens", "1"});
    // None of these has only characters of the text: what is refused shows what was read.
    CHECK(result.code == 2);
    CHECK(contains(result.err, std::string("'") + prompt[0] + "'"));
  }
}

TEST_CASE("prompts are read as the text was: carriage returns dropped, kept, or refused with what to do") {
  const Folder folder;
  write_text(folder);
  std::string windows;
  for (const std::string& line : lines_of(folder.read("text.txt"))) windows += line + "\r\n";
  folder.write("windows.txt", windows);
  folder.write("prompts.txt", "the cat\ndogs\n");
  folder.write("windows-prompts.txt", "the cat\r\ndogs\r\n");
  for (const Arguments& how :
       {Arguments{"lf", "windows.txt", "newlines=lf"}, Arguments{"keep", "windows.txt", "newlines=keep"},
        Arguments{"plain", "text.txt", "newlines=keep"}})
    REQUIRE(run_weft(folder, {"train", "--data", how[1], "--out", how[0], "--set", how[2], "max_iters=1",
                              "n_layer=1", "sample_tokens=0"})
                .code == 0);
  const auto ask = [&](const std::string& run, const Arguments& what) {
    Arguments all{"generate", run, "--tokens", "5"};
    all.insert(all.end(), what.begin(), what.end());
    return run_weft(folder, all);
  };
  const Arguments unix_lines{"--prompts", "prompts.txt"}, windows_lines{"--prompts", "windows-prompts.txt"};
  const Result lf = ask("lf", windows_lines);
  CHECK_MESSAGE(lf.code == 0, lf.err);
  CHECK(lf.out == ask("lf", unix_lines).out);
  CHECK(ask("lf", {"--prompt", "the\r cat\r"}).out == ask("lf", {"--prompt", "the cat"}).out);
  const Result lines = run_weft(folder, {"generate", "lf", "--interactive", "--tokens", "5"},
                                {.under = {"sh", "-c", "\"$0\" \"$@\" < windows-prompts.txt"}});
  CHECK_MESSAGE(lines.out == lf.out, lines.err);
  CHECK(run_weft(folder, {"attention", "lf", "--text", "the\r\n", "--out", "page.html"}).code == 0);
  // A vocabulary that has them reads them.
  CHECK(contains(ask("keep", windows_lines).out, "the cat\r"));
  const Result refused = ask("plain", windows_lines);
  CHECK(refused.code == 2);
  CHECK_MESSAGE(contains(refused.err,
                         "windows-prompts.txt:1: ends with a carriage return, as lines of Windows do, which "
                         "is not among the "),
                refused.err);
  CHECK(contains(refused.err, "; sed -i 's/\\r$//' windows-prompts.txt takes them out"));
  CHECK(ask("plain", {"--prompt", "the cat\r"}).code == 2);
  CHECK(contains(ask("plain", {"--prompt", "the\rcat"}).err, "U+000D"));
  folder.write("prompts.gz", std::string("\x1f\x8b\x08", 3));
  CHECK(contains(ask("plain", {"--prompts", "prompts.gz"}).err, "prompts.gz: is gzip-compressed"));
}

TEST_CASE("bytes are written as bytes") {
  const Folder folder;
  std::string text;
  for (int i = 0; i < 600; ++i) text += "\xc3\xa9\xff";
  folder.write("text.txt", text);
  REQUIRE(run_weft(folder, train("run", {"tokenizer=byte", "sample_tokens=9"})).code == 0);
  const Result result = run_weft(folder, {"generate", "run", "--prompt", "\xc3", "--tokens", "50"});
  CHECK(result.code == 0);
  CHECK(result.out.size() == 51);
  // No newline was ever seen, but a byte tokenizer knows it.
  CHECK(run_weft(folder, {"generate", "run", "--tokens", "2", "--seed", "5"}).out.size() >= 2);
}

TEST_CASE("a model of bytes that writes text ends with a whole character") {
  const Folder folder;
  std::string text;
  for (int i = 0; i < 900; ++i) text += "\u20ac";
  folder.write("text.txt", text);
  REQUIRE(run_weft(folder, train("run", {"tokenizer=byte", "max_iters=150", "sample_tokens=50"})).code == 0);
  folder.write("prompts.txt", "\u20ac\u20ac\n");
  for (int tokens = 30; tokens < 36; ++tokens) {
    const Arguments ask{"generate", "run", "--temperature", "0", "--tokens", std::to_string(tokens)};
    const auto with = [&](const Arguments& what) {
      Arguments all = ask;
      all.insert(all.end(), what.begin(), what.end());
      return run_weft(folder, all).out;
    };
    std::string wanted = "\u20ac\u20ac";
    for (int i = 0; i < tokens / 3; ++i) wanted += "\u20ac";
    CHECK(with({"--prompt", "\u20ac\u20ac"}) == wanted);
    CHECK(with({"--prompts", "prompts.txt"}) == wanted + "\n");
  }
}

TEST_CASE("without a newline in the text, generation begins with another character") {
  const Folder folder;
  std::string text;
  for (int i = 0; i < 600; ++i) text += "abc";
  folder.write("text.txt", text);
  REQUIRE(run_weft(folder, train("run")).code == 0);
  const Result result = run_weft(folder, {"generate", "run", "--tokens", "2"});
  CHECK(result.code == 0);
  CHECK(result.out.size() == 3);
}

TEST_CASE("standard output that takes nothing") {
  const Result result = run_weft(trained_run(), {"generate", "run"}, {.environment = {}, .file_limit = 10});
  CHECK(result.code == 1);
}

TEST_CASE("inspect shows what a run and a file hold") {
  const Result run = run_weft(trained_run(), {"inspect", "run"});
  CHECK(run.code == 0);
  for (const char* part : {"step 200", "checkpoints at 100 200", "parameters", "token_embedding.weight",
                           "(8, 16)", "n_layer 1", "spread", "largest", "best validation"})
    CHECK_MESSAGE(contains(run.out, part), part);
  const Result file = run_weft(trained_run(), {"inspect", "run/checkpoints/step-00000100.h5", "--json"});
  CHECK(file.code == 0);
  for (const char* part : {"\"step\": 100", "\"shape\"", "\"mean\"", "\"deviation\"", "\"largest\"",
                           "\"val_loss\"", "\"n_embd\": 16"})
    CHECK_MESSAGE(contains(file.out, part), part);
}

TEST_CASE("stories tell how probable they are") {
  const Folder folder;
  const Result result =
      run_weft(folder, {"stories", "--bytes", "20000", "--seed", "5", "--out", "a.txt", "--json"});
  REQUIRE_MESSAGE(result.code == 0, result.err);
  const std::string text = folder.read("a.txt");
  CHECK(number_in(result.out, "bytes") == static_cast<double>(text.size()));
  CHECK(text.size() >= 20000);
  CHECK(text.back() == '\n');
  const double rate = number_in(result.out, "entropy_rate");
  CHECK(rate > 0.05);
  CHECK(number_in(result.out, "nats_per_character") == doctest::Approx(rate).scale(0).epsilon(0.1));
  CHECK(number_in(result.out, "validation_nats_per_character") ==
        doctest::Approx(rate).scale(0).epsilon(0.2));
  REQUIRE(run_weft(folder, {"stories", "--bytes", "20000", "--seed", "5", "--out", "b.txt"}).code == 0);
  CHECK(folder.read("b.txt") == text);
  REQUIRE(run_weft(folder, {"stories", "--bytes", "20000", "--seed", "6", "--out", "b.txt"}).code == 0);
  CHECK(folder.read("b.txt") != text);
}

TEST_CASE("dialogues are lines of messages, so many or so long") {
  const Folder folder;
  const auto write = [&](const std::string& out, const Arguments& more) {
    Arguments all = {"stories", "--kind", "dialogues", "--seed", "5", "--out", out, "--json"};
    all.insert(all.end(), more.begin(), more.end());
    const Result result = run_weft(folder, all);
    REQUIRE_MESSAGE(result.code == 0, result.err);
    CHECK(number_in(result.out, "bytes") == static_cast<double>(folder.read(out).size()));
    CHECK(number_in(result.out, "dialogues") == static_cast<double>(lines_of(folder.read(out)).size()));
    return folder.read(out);
  };
  const std::string some = write("a.jsonl", {"--count", "50"});
  CHECK(lines_of(some).size() == 50);
  for (const std::string& line : lines_of(some)) {
    CHECK(line.starts_with(R"({"messages":[{"role":")"));
    CHECK(contains(line, R"(},{"role":"assistant","content":")"));
    CHECK(line.ends_with(R"("}]})"));
  }
  const std::string long_one =
      write("b.jsonl", {"--bytes", std::to_string(some.size() + 1), "--split", "train"});
  CHECK(long_one.starts_with(some));
  CHECK(lines_of(long_one).size() == 51);
  CHECK(lines_of(write("c.jsonl", {"--count", "50", "--split", "validation"}))[0] != lines_of(some)[0]);
}

TEST_CASE("version and help") {
  const Folder folder;
  CHECK(run_weft(folder, {"--version"}).out == "weft " WEFT_VERSION "\n");
  for (const char* command : {"train", "eval", "generate", "inspect", "stories"}) {
    CHECK(contains(run_weft(folder, {"--help"}).out, command));
    const Result help = run_weft(folder, {command, "--help"});
    CHECK(help.code == 0);
    CHECK(help.err.empty());
    CHECK(contains(help.out, command));
  }
}
