// Tasks on a user's tables, from the file to the answer: train, eval, classify, translate, chat.
#include <doctest/doctest.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "program.h"

namespace {

using Json = nlohmann::json;
/// A task with the files it is trained on.
struct TableCase {
  std::string task, data;
};
const std::vector<TableCase> cases = {{"classify", "labels.csv"},
                                      {"pairs", "a.en,a.fr"},
                                      {"text-to-text", "prefixes.tsv"},
                                      {"chat", "chats.jsonl"},
                                      {"masked", "labels.csv"}};

const Names nouns{"cat", "dog", "man", "car", "day"};

void write_tables(const Folder& folder) {
  std::string labels = "text,label\n", en, fr, prefixes = "prefix\tsource\ttarget\n", chats;
  uint64_t state = 1;
  const auto draw = [&](size_t below) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<size_t>(state >> 33) % below;
  };
  for (int i = 0; i < 200; ++i) {
    const std::string noun = nouns[draw(5)], other = nouns[draw(5)];
    const bool good = draw(2) == 0;
    labels += "\"so, the " + noun + " " + std::to_string(i) + " is " + (good ? "good" : "bad") + "\"," +
              (good ? "\"yes, it is\"" : "no") + "\n";
    en += "the " + noun + " sees " + std::to_string(i) + " " + other + "\n";
    fr += "le " + other + " voit " + std::to_string(i) + "\n";
    prefixes += "name\tthe " + noun + " " + std::to_string(i) + "\t" + noun + "\n";
    Json turns = Json::array();
    if (i % 3 == 0) turns.push_back({{"role", "system"}, {"content", "be kind"}});
    for (size_t turn = 0; turn <= draw(2); ++turn) {
      turns.push_back({{"role", "user"}, {"content", "say " + noun + " " + std::to_string(i)}});
      turns.push_back({{"role", "assistant"}, {"content", noun + "!"}});
    }
    chats += Json({{"messages", turns}}).dump() + "\n";
  }
  folder.with("labels.csv", labels).with("a.en", en).with("a.fr", fr);
  folder.with("prefixes.tsv", prefixes).with("chats.jsonl", chats);
}

Arguments train_on(const TableCase& one, const std::string& out, const Names& more = {},
                   const char* threads = "1") {
  Arguments all{"train", "--task", one.task, "--data", one.data, "--out", out, "--threads", threads, "--set"};
  for (const char* const setting :
       {"n_layer=1", "n_head=2", "n_embd=16", "batch_size=8", "max_iters=12", "lr_decay_iters=12",
        "dropout=0.1", "eval_interval=1", "eval_iters=2", "log_interval=1", "warmup_iters=2",
        "learning_rate=0.01", "checkpoint_interval=5", "sample_tokens=0", "vocab_size=270"})
    all.emplace_back(setting);
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

/// The tables with a run of each task, made once.
const Folder& trained_tables() {
  static const struct Trained : Folder {
    Trained() {
      write_tables(*this);
      for (const TableCase& one : cases) {
        const Result result = run_weft(*this, train_on(one, one.task));
        REQUIRE_MESSAGE(result.code == 0, result.err);
        REQUIRE(run_weft(*this, {"export", one.task, "--format", "weft", "--out", one.task + ".h5"}).code ==
                0);
      }
    }
  } folder;
  return folder;
}

/// With lines on its standard input.
Result fed(const Folder& folder, const std::string& input, Arguments arguments) {
  folder.write("input", input);
  Arguments all{"-c", "exec \"$@\" < input", "sh", WEFT_PROGRAM};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return run_weft(folder, all, {.program = "/bin/sh"});
}

Json json_of(const Folder& folder, const Arguments& arguments) {
  const Result result = run_weft(folder, arguments);
  REQUIRE_MESSAGE(result.code == 0, result.err);
  return Json::parse(result.out);
}

}  // namespace

TEST_CASE("tables: k updates and then the rest equal all at once, with any number of threads") {
  const Folder& folder = trained_tables();
  for (const TableCase& one : cases) {
    CAPTURE(one.task);
    const std::string whole = last_saved(folder, one.task);
    for (const int k : {1, 4, 7}) {
      const std::string run = one.task + "-" + std::to_string(k);
      REQUIRE(
          run_weft(folder, train_on(one, run, {"max_iters=" + std::to_string(k)}, k == 4 ? "2" : "3")).code ==
          0);
      REQUIRE(run_weft(folder, resume(run, {"max_iters=12"})).code == 0);
      CHECK(last_saved(folder, run) == whole);
    }
  }
}

TEST_CASE("tables: kill -9, and go on with the same bytes") {
  const Folder& folder = trained_tables();
  for (const TableCase& one : cases) {
    CAPTURE(one.task);
    const Names longer{"max_iters=150", "eval_interval=40", "checkpoint_interval=20"};
    REQUIRE(run_weft(folder, train_on(one, one.task + "-long", longer)).code == 0);
    const std::string run = one.task + "-killed";
    Program program(folder, train_on(one, run, longer, "2"));
    wait_until([&] {
      return !program.running() || (exists(folder, run + "/metrics.jsonl") &&
                                    lines_of(folder.read(run + "/metrics.jsonl")).size() > 50);
    });
    program.send(SIGKILL);
    program.wait();
    REQUIRE(run_weft(folder, resume(run)).code == 0);
    CHECK(last_saved(folder, run) == last_saved(folder, one.task + "-long"));
  }
}

TEST_CASE("tables: files that validate and files that test, as options and as keys") {
  const Folder folder;
  write_tables(folder);
  const std::string some = "text,label\nthe cat 1 is good,\"yes, it is\"\nthe dog 2 is bad,no\n";
  folder.with("v.csv", some).with("t.csv", some + "the car 3 is bad,no\n");
  REQUIRE(run_weft(folder, train_on({"classify", "labels.csv"}, "run",
                                    {"max_iters=1", "val_data=v.csv", "test_data=t.csv"}))
              .code == 0);
  Arguments options = train_on({"classify", "labels.csv"}, "other", {"max_iters=1"});
  options.insert(options.begin() + 1, {"--val-data", "v.csv", "--test-data", "t.csv"});
  REQUIRE(run_weft(folder, options).code == 0);
  CHECK(folder.read("run/config.toml") == folder.read("other/config.toml"));
  CHECK(contains(folder.read("run/config.toml"), "test_data = [\"../t.csv\"]"));
  CHECK(folder.read("run/best.h5") == folder.read("other/best.h5"));
  CHECK(Json::parse(run_weft(folder, {"eval", "run", "--json"}).out).at("samples") == 2);
  CHECK(Json::parse(run_weft(folder, {"eval", "run", "--test", "--json"}).out).at("samples") == 3);
  REQUIRE(run_weft(folder, resume("run", {"max_iters=2"})).code == 0);
  CHECK(Json::parse(run_weft(folder, {"eval", "run", "--test", "--json"}).out).at("samples") == 3);
  refused_with(folder, {"eval", "run", "--test", "--data", "v.csv"}, {"leave out --data"});
  REQUIRE(run_weft(folder, train_on({"classify", "labels.csv"}, "none", {"max_iters=1"})).code == 0);
  refused_with(folder, {"eval", "none", "--test"}, {"was given no --test-data"});
}

TEST_CASE("tables: a resume refuses files that have changed, and finds what was moved") {
  const Folder folder;
  write_tables(folder);
  folder.with("v.en", "the cat sees 1 dog\n").with("v.fr", "le dog voit 1\n");
  Arguments first = train_on({"pairs", "a.en,a.fr"}, "run", {"max_iters=2"});
  first.insert(first.begin() + 1, {"--val-data", "v.en,v.fr"});
  REQUIRE(run_weft(folder, first).code == 0);
  CHECK(contains(run_weft(folder, {"eval", "run"}).out, "v.en"));
  std::filesystem::rename(folder.path("v.en"), folder.path("w.en"));
  refused_with(folder, resume("run", {"max_iters=3"}), {"v.en", "--val-data FILE"});
  Arguments again = resume("run", {"max_iters=3"});
  again.insert(again.begin() + 1, {"--val-data", "w.en,v.fr"});
  CHECK(run_weft(folder, again).code == 0);
  CHECK(contains(folder.read("run/config.toml"), "w.en"));
  folder.write("w.en", "the cat sees 2 dog\n");
  refused_with(folder, resume("run", {"max_iters=4"}), {"is not the text that the run was made with"});
  refused_with(folder, {"eval", "run"}, {"is not the text that the run was made with", "--data FILE"});
  // A project that is moved as a whole.
  folder.write("w.en", "the cat sees 1 dog\n");
  std::filesystem::create_directories(folder.path("else"));
  for (const char* name : {"a.en", "a.fr", "w.en", "v.fr", "run"})
    std::filesystem::rename(folder.path(name), folder.path(std::string("else/") + name));
  CHECK(run_weft(folder, resume("else/run", {"max_iters=4"})).code == 0);
  CHECK(run_weft(folder, {"eval", "else/run"}).code == 0);
}

TEST_CASE("tables: eval tells the scores of each task, of what the run keeps or of any file") {
  const Folder& folder = trained_tables();
  const std::map<std::string, Names> scores = {{"classify", {"accuracy", "f1"}},
                                               {"pairs", {"bleu", "chrf", "exact_match"}},
                                               {"text-to-text", {"exact_match", "bleu", "chrf"}},
                                               {"chat", {"exact_match", "accuracy"}},
                                               {"masked", {"perplexity", "accuracy", "pseudo_perplexity"}}};
  for (const TableCase& one : cases) {
    CAPTURE(one.task);
    const Json kept = json_of(folder, {"eval", one.task, "--json"}),
               all = json_of(folder, {"eval", one.task, "--data", one.data, "--json", "--threads", "2"});
    for (const Json* const json : {&kept, &all}) {
      CHECK((*json)["loss"].get<double>() > 0);
      for (const std::string& name : scores.at(one.task)) CHECK((*json)[name].is_number());
      CHECK((*json)["tokens"].get<int>() >= (*json)["samples"].get<int>());
    }
    CHECK(kept["samples"].get<int>() < 50);
    CHECK_FALSE(kept.contains("data"));
    CHECK(all["samples"] == 200);
    CHECK(all["data"] == Json{one.data});
    if (one.task == "classify") {
      CHECK(kept["classes"] == Json{"no", "yes, it is"});
      int count = 0, right = 0;
      for (size_t i = 0; i < 2; ++i)
        for (size_t j = 0; j < 2; ++j) {
          count += all["confusion"][i][j].get<int>();
          right += i == j ? all["confusion"][i][j].get<int>() : 0;
        }
      CHECK(count == 200);
      CHECK(all["accuracy"].get<double>() == doctest::Approx(right / 200.0));
    }
    CHECK(kept.contains("pseudo_perplexity_samples") == (one.task == "masked"));
    // A model alone, in a file that lies anywhere.
    const std::string file = one.task + ".h5";
    CHECK(json_of(folder, {"eval", file, "--data", one.data, "--json"}) == all);
    refused_with(folder, {"eval", file}, {file, "give --data FILE"});
  }
  CHECK(json_of(folder, {"eval", "pairs", "--beams", "3", "--json"})["loss"] ==
        json_of(folder, {"eval", "pairs", "--json"})["loss"]);
}

TEST_CASE("tables: eval --per-line has an object for each record, with its place") {
  const Folder& folder = trained_tables();
  const Result labels = run_weft(folder, {"eval", "classify", "--data", "labels.csv", "--per-line"});
  REQUIRE(labels.code == 0);
  const Names lines = lines_of(labels.out);
  REQUIRE(lines.size() == 200);
  double sum = 0;
  for (size_t i = 0; i < lines.size(); ++i) {
    const Json one = Json::parse(lines[i]);
    CHECK(one["sample"] == i);
    CHECK(one["file"] == "labels.csv");
    CHECK(one["line"] == i + 2);
    CHECK(one["right"].get<bool>() == (one["target"] == one["answer"]));
    CHECK(one["probability"].get<double>() >= 0.5);
    sum += one["loss"].get<double>();
  }
  CHECK(sum / 200 ==
        doctest::Approx(
            json_of(folder, {"eval", "classify", "--data", "labels.csv", "--json"})["loss"].get<double>())
            .epsilon(1e-6));
  for (const std::string& line : lines_of(run_weft(folder, {"eval", "chat", "--per-line"}).out)) {
    const Json one = Json::parse(line);
    const auto answers = [](const Json& text) {
      const std::string all = text.get<std::string>();
      return std::ranges::count(all, '\n');
    };
    CHECK(answers(one["target"]) == answers(one["answer"]));
  }
  refused_with(folder, {"eval", "chat", "--per-line", "--json"}, {"--per-line", "--json"});
}

TEST_CASE("tables: eval --choices ranks endings") {
  const Folder& folder = trained_tables();
  folder.write("c.jsonl",
               "{\"prompt\":\"the cat\",\"choices\":[\"le cat\",\"le dog voit\"],\"answer\":0}\n"
               "{\"prompt\":\"the dog\",\"choices\":[\"le cat\",\"le dog voit\"],\"answer\":1}\n");
  for (const char* run : {"pairs", "chat"}) {
    const Result result = run_weft(folder, {"eval", run, "--choices", "c.jsonl"});
    REQUIRE_MESSAGE(result.code == 0, result.err);
    int right = 0;
    for (const std::string& line : lines_of(result.out)) {
      const Json one = Json::parse(line);
      REQUIRE(one["log_probabilities"].size() == 2);
      const size_t best = one["log_probabilities"][0] >= one["log_probabilities"][1] ? 0 : 1;
      CHECK(one["best"] == best);
      right += one["right"].get<bool>();
    }
    const Json all = json_of(folder, {"eval", run, "--choices", "c.jsonl", "--json"});
    CHECK(all["samples"] == 2);
    CHECK(all["accuracy"].get<double>() == right / 2.0);
  }
  const auto bad = [&](const std::string& line, const Names& parts) {
    folder.write("bad.jsonl", "{\"prompt\":\"a\",\"choices\":[\"x\",\"y\"],\"answer\":0}\n" + line + "\n");
    refused_with(folder, {"eval", "chat", "--choices", "bad.jsonl"}, parts);
  };
  bad("{\"prompt\":\"a\",\"choices\":[\"x\"],\"answer\":0}", {"bad.jsonl: line 2", "two choices"});
  bad("{\"prompt\":\"a\",\"choices\":\"x\",\"answer\":0}", {"bad.jsonl: line 2", "a list of texts"});
  bad("{\"prompt\":\"a\",\"choices\":[\"x\",\"\"],\"answer\":0}",
      {"bad.jsonl: line 2", "none of them empty"});
  bad("{\"prompt\":\"a\",\"choices\":[\"x\",\"y\"],\"answer\":2}", {"bad.jsonl: line 2", "0 to 1"});
  bad("{\"prompt\":\"a\",\"choices\":[\"x\"", {"bad.jsonl: line 2", "no JSON"});
  bad("{\"prompt\":\"a\",\"choices\":[\"x\",\"" + std::string(5000, 'y') + "\"],\"answer\":1}",
      {"bad.jsonl: line 2", "tokens, and the model reads at most"});
  refused_with(folder, {"eval", "classify", "--choices", "c.jsonl"}, {"does not write"});
}

TEST_CASE("classify: texts, and records as a csv that is read again") {
  const Folder& folder = trained_tables();
  const Result two = run_weft(folder, {"classify", "classify", "so, the cat 3 is good", "bad"});
  REQUIRE_MESSAGE(two.code == 0, two.err);
  REQUIRE(lines_of(two.out).size() == 2);
  CHECK(contains(two.out, "yes, it is 0."));
  folder.write("quotes.csv", "note,text\n1,\"a \"\"b\"\", c\"\n2,\"two\nlines\"\n");
  const Result result =
      run_weft(folder, {"classify", "classify", "--data", "quotes.csv", "--out", "found.csv"});
  REQUIRE_MESSAGE(result.code == 0, result.err);
  const std::string found = folder.read("found.csv");
  CHECK(found.starts_with("text,label,probability,no,\"yes, it is\"\n\"a \"\"b\"\", c\","));
  CHECK(contains(found, "\n\"two\nlines\","));
  CHECK(run_weft(folder, {"classify", "classify", "--data", "quotes.csv"}).out == found);
  // What it wrote it reads, and says the same.
  REQUIRE(run_weft(folder, {"classify", "classify.h5", "--data", "found.csv", "--out", "again.csv"}).code ==
          0);
  CHECK(folder.read("again.csv") == found);
  CHECK(json_of(folder, {"eval", "classify", "--data", "found.csv", "--json"})["accuracy"] == 1.0);
  folder.write("lines.txt", "so, the cat is good\nbad\n");
  CHECK(lines_of(run_weft(folder, {"classify", "classify", "--data", "lines.txt"}).out).size() == 3);
  const Result cut = run_weft(folder, {"classify", "classify", std::string(5000, 'x')});
  CHECK(contains(cut.err, "the model's context, and were cut"));
}

TEST_CASE("classify: refuses before anything is written") {
  const Folder& folder = trained_tables();
  folder.write("broken.csv", "text\n" + std::string(400, 'a') + "\nb,c\n");
  refused_with(folder, {"classify", "classify", "--data", "broken.csv", "--out", "none.csv"},
               {"broken.csv: line 3"});
  CHECK_FALSE(exists(folder, "none.csv"));
  refused_with(folder, {"classify", "classify", "--data", "a.en"}, {"a.en", "format="});
  refused_with(folder, {"classify", "classify", "--data", "labels.csv", "--set", "text=words"},
               {"labels.csv: line 1", "'words'", "text, label"});
  refused_with(folder, {"classify", "classify", "--data", "labels.csv", "--set", "words=text"},
               {"words", "says nothing of how files"});
  refused_with(folder, {"classify", "classify", "--data", "labels.csv", "--out", "classify/best.h5"},
               {"is not written over"});
  refused_with(folder, {"classify", "classify", "--data", "labels.csv", "--out", "no/where.csv"},
               {"no/where.csv"});
  refused_with(folder, {"classify", "classify"}, {"give --data FILE, or texts"});
  for (const char* run : {"pairs", "chat", "masked", "text-to-text"})
    refused_with(folder, {"classify", run, "text"}, {run, "tells no classes of texts", "--task classify"});
}

TEST_CASE("classify: a signal leaves nothing behind") {
  const Folder& folder = trained_tables();
  std::string many = "text\n";
  for (int i = 0; i < 200000; ++i) many += "so, the cat is good and so is the dog\n";
  folder.write("many.txt", many);
  Program program(folder,
                  {"classify", "classify", "--data", "many.txt", "--out", "many.csv", "--threads", "1"});
  CHECK(wait_until([&] { return exists(folder, "many.csv.weft-partial"); }));
  program.send(SIGTERM);
  CHECK(program.wait().code == 143);
  CHECK_FALSE(exists(folder, "many.csv"));
  CHECK_FALSE(exists(folder, "many.csv.weft-partial"));
}

TEST_CASE("translate: a line for each line, in their order, as each has it alone") {
  const Folder& folder = trained_tables();
  const Names sources{"the cat sees 1 dog",  "", "the dog", "the man sees 12345 man sees 7 day", "", "x",
                      "the car sees 5 car\r"};
  std::string input;
  for (const std::string& line : sources) input += line + "\n";
  for (const char* beams : {"1", "4"}) {
    CAPTURE(beams);
    const Result result = fed(folder, input, {"translate", "pairs", "--beams", beams});
    REQUIRE_MESSAGE(result.code == 0, result.err);
    const Names lines = lines_of(result.out);
    REQUIRE(lines.size() == sources.size());
    for (size_t i = 0; i < lines.size(); ++i) {
      if (sources[i].empty()) CHECK(lines[i].empty());
      CHECK(fed(folder, sources[i] + "\n", {"translate", "pairs", "--beams", beams}).out == lines[i] + "\n");
    }
    CHECK(fed(folder, input, {"translate", "pairs.h5", "--beams", beams, "--threads", "3"}).out ==
          result.out);
  }
  CHECK(fed(folder, "", {"translate", "pairs"}).out.empty());
  CHECK(lines_of(fed(folder, "the cat", {"translate", "pairs"}).out).size() == 1);
  const Result overlong = fed(folder, "the cat\n" + std::string(5000, 'x') + "\n", {"translate", "pairs"});
  CHECK(overlong.code == 1);
  CHECK(contains(overlong.err, "line 2: has"));
  for (const char* run : {"classify", "masked", "chat"}) {
    const Result result = fed(folder, "the cat\n", {"translate", run});
    CHECK(result.code == 2);
    CHECK(contains(result.err, "does not answer a sequence with another"));
  }
}

TEST_CASE("chat: turns are known, an empty line begins anew, and what is told first stays") {
  const Folder& folder = trained_tables();
  const auto chat = [&](const std::string& input, const Arguments& more = {}) {
    Arguments all{"chat", "chat", "--tokens", "6"};
    all.insert(all.end(), more.begin(), more.end());
    const Result result = fed(folder, input, all);
    REQUIRE_MESSAGE(result.code == 0, result.err);
    return result;
  };
  const Arguments drawn{"--temperature", "1"};
  const Result first = chat("say cat\n", drawn);
  CHECK(lines_of(first.out).size() >= 1);
  // After an empty line all is as at the beginning.
  CHECK(chat("say cat\n\nsay cat\n", drawn).out == first.out + first.out);
  CHECK(chat("\n\nsay cat\n", drawn).out == first.out);
  CHECK(chat("say cat\r\n", drawn).out == first.out);
  CHECK(chat("", drawn).out.empty());
  // A conversation that is longer than the context goes on.
  std::string many;
  for (int i = 0; i < 60; ++i) many += "say " + nouns[static_cast<size_t>(i) % 5] + "\n";
  CHECK(chat(many, {"--system", "be kind"}).code == 0);
  // What is too long to be read at all is said, and the conversation goes on without it.
  const Result overlong = chat(std::string(3000, 'x') + "\nsay cat\n", drawn);
  CHECK(contains(overlong.err, "the model reads at most"));
  CHECK(overlong.out == first.out);
  refused_with(folder, {"chat", "chat", "--system", std::string(3000, 'x')}, {"--system", "tokens"});
  for (const char* run : {"classify", "masked", "pairs", "text-to-text"})
    refused_with(folder, {"chat", run}, {run, "was not trained to chat", "--task chat"});
}

TEST_CASE("tables: what a user mistypes is refused, and nothing is left") {
  const Folder& folder = trained_tables();
  const auto refuses = [&](const TableCase& one, const Names& settings, const Names& parts,
                           const Arguments& more = {}) {
    Arguments all = train_on(one, "none", settings);
    all.insert(all.begin() + 1, more.begin(), more.end());
    refused_with(folder, all, parts);
    CHECK_FALSE(exists(folder, "none"));
  };
  std::string one_class = "text,label\n";
  for (int i = 0; i < 60; ++i) one_class += "a" + std::to_string(i) + ",x\n";
  folder.with("one.csv", one_class).with("other.csv", "text,label\na,maybe\n").with("b.fr", "x\n");
  refuses({"pairs", "a.en"}, {}, {"a.en", "lines of one text", "a.en,a.fr"});
  refuses({"pairs", "a.en,"}, {}, {"a.en,", "one side of a comma"});
  refuses({"pairs", "a.en,gone.fr"}, {}, {"gone.fr", "no such file"});
  refuses({"pairs", "a.en,b.fr"}, {}, {"b.fr: ends after line 1"});
  refuses({"pairs", "a.en,a.fr,a.en"}, {}, {"3 files side by side", "source, target"});
  refuses({"pairs", "."}, {}, {"format="});
  refuses({"classify", "labels.csv:3"}, {}, {"labels.csv:3", "weights"});
  refuses({"classify", "one.csv"}, {}, {"one.csv", "every record has the label 'x'"});
  refuses({"classify", "other.csv"}, {}, {"other.csv", "leave none to", "--val-data FILE"});
  refuses({"classify", "labels.csv"}, {}, {"other.csv: line 2, column label", "'maybe'"},
          {"--val-data", "other.csv"});
  refuses({"classify", "labels.csv"}, {"label=text"}, {"the same column"});
  refuses({"classify", "labels.csv"}, {"lable=text"}, {"did you mean 'label'?"});
  refuses({"classify", "labels.csv"}, {"val_share=0"}, {"val_share = 0", "--val-data FILE"});
  refuses({"classify", "labels.csv"}, {"longest=1"}, {"longest = 1"});
  refuses({"classify", "labels.csv"}, {"batch_tokens=9", "batching=order"}, {"batching = order"});
  refuses({"chat", "labels.csv"}, {}, {"text, label", "question and answer"});
  refused_with(
      folder,
      {"train", "--task", "copy", "--model", "transformer", "--val-data", "labels.csv", "--out", "none"},
      {"copy", "val_data"});
  refused_with(folder, {"train", "--task", "classify", "--val-data", "labels.csv", "--out", "none"},
               {"--data FILE"});
  refused_with(folder, {"eval", "pairs", "--task", "chat", "--data", "chats.jsonl"}, {"of the kind"});
  refused_with(folder, {"eval", "pairs", "--task", "copy"}, {"copy", "words of its own"});
  refused_with(folder, {"eval", "classify", "--data", "other.csv"},
               {"other.csv: line 2, column label", "'maybe'"});
  refused_with(folder, {"eval", "classify", "--set", "text=2"}, {"--set", "--data"});
}

TEST_CASE("tables: defaults of a task are those that its parts have") {
  const Folder& folder = trained_tables();
  CHECK(contains(folder.read("classify/config.toml"), "model = \"bert\""));
  CHECK(contains(folder.read("classify/config.toml"), "tokenizer = \"bpe\""));
  REQUIRE(run_weft(folder, {"train", "--task", "classify", "--data", "labels.csv", "--out", "char", "--set",
                            "max_iters=1", "n_layer=1", "n_embd=16", "n_head=2", "tokenizer=char"})
              .code == 0);
  CHECK(contains(folder.read("char/config.toml"), "batch_size = 32 "));
}
