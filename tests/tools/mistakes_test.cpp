// Mistakes that people make in their first hour: what weft says to each, and that its last lines, typed next, work.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "program.h"

namespace {

namespace fs = std::filesystem;

struct Mistake {
  std::string typed;              ///< into a shell
  std::vector<std::string> said;  ///< parts of what is said before the lines to type
  std::vector<std::string>
      lines;  ///< to type instead; the last replaces the command. FOLDER is where it was typed
  int code = 2;
  bool works = true;  ///< the lines do, in the folder as it is
};

/// A shell with weft in its path.
Result shell(const Folder& folder, const std::string& typed, std::vector<std::string> environment = {}) {
  Program::Options bash;
  bash.program = "bash";
  bash.environment = std::move(environment);
  bash.environment.push_back("PATH=" + fs::path(WEFT_PROGRAM).parent_path().string() + ":" +
                             std::getenv("PATH"));
  bash.environment.push_back("HOME=" + folder.name());
  return run_weft(folder, {"-c", typed}, bash);
}

/// The lines to type that end what was said.
std::vector<std::string> advised(const std::string& said) {
  std::vector<std::string> all = lines_of(said), found;
  while (!all.empty() && all.back().starts_with("  ")) {
    found.insert(found.begin(), all.back().substr(2));
    all.pop_back();
  }
  return found;
}

std::string shown(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += "\n  " + line;
  return text;
}

/// Small and quick.
const std::string small_run =
    " --set n_layer=1 n_embd=16 n_head=2 block_size=8 batch_size=4 max_iters=4 eval_iters=2 "
    "warmup_iters=1 sample_tokens=0";
std::string fresh(const std::string& more) {
  return "weft train --data text.txt --out runs/new" + small_run + more;
}

/// What lies about where a newcomer types.
void furnish(const Folder& folder) {
  write_text(folder);
  REQUIRE(shell(folder, "weft train --data text.txt --out runs/first" + small_run).code == 0);
  folder.with("short.txt", "the cat sat on a mat; the cat sat on a mat; ");
  std::string table = "review,stars\n";
  for (int i = 0; i < 60; ++i)
    table += (i % 2 ? "a good film number " : "a bad film number ") + std::to_string(i) +
             (i % 2 ? ",up\n" : ",down\n");
  folder.with("reviews.csv", table);
  std::string latin;
  for (int i = 0; i < 60; ++i) latin += "un caf\xe9 au lait, s'il vous pla\xeet\n";
  folder.with("latin.txt", latin);
  std::string wide = "\xff\xfe";
  for (const char c : folder.read("text.txt")) wide += {c, '\0'};
  folder.with("wide.txt", wide);
  std::string noise;
  for (int i = 0; i < 3000; ++i) noise += static_cast<char>(i * i % 251);
  folder.with("noise.bin", noise);
  folder.with("picture.png", "\x89PNG\r\n\x1a\n" + std::string(100, '\0'));
  folder.with("model.pt", "PK\x03\x04" + std::string(100, '\0'));
  folder.with("theirs/config.json", "{\"model_type\": \"gpt2\"}").with("theirs/model.safetensors", "none");
}

void make(const Mistake& mistake) {
  const Folder folder;
  furnish(folder);
  const Result result = shell(folder, mistake.typed);
  INFO("$ ", mistake.typed, "\n", result.err);
  CHECK(result.code == mistake.code);
  for (const std::string& part : mistake.said) CHECK_MESSAGE(contains(result.err, part), part);
  const std::vector<std::string> lines = advised(result.err);
  std::vector<std::string> wanted = mistake.lines;
  for (std::string& line : wanted)
    for (size_t at = 0; (at = line.find("FOLDER")) != line.npos;) line.replace(at, 6, folder.name());
  CHECK_MESSAGE(lines == wanted, "instead: ", shown(lines), "\nnot: ", shown(wanted));
  if (!mistake.works) return;
  for (const std::string& line : lines) {
    const Result next = shell(folder, line);
    CHECK_MESSAGE(next.code == 0, line, " ends with ", next.code, ": ", next.err);
  }
}

void make(const std::vector<Mistake>& mistakes) {
  for (const Mistake& mistake : mistakes) make(mistake);
}

}  // namespace

TEST_CASE("mistakes: commands and options") {
  make({
      {"weft", {"a command is needed"}, {"weft --help"}},
      {"weft trian --data text.txt" + small_run,
       {"there is no command 'trian'; did you mean 'train'?"},
       {"weft train --data text.txt" + small_run}},
      {"weft resume runs/first", {"did you mean 'train --resume'?"}, {"weft train --resume runs/first"}},
      {"weft help", {"there is no command 'help'"}, {"weft --help"}},
      {"weft data reviews.csv", {"data: what of reviews.csv?"}, {"weft data inspect reviews.csv"}},
      {"weft train --dat text.txt" + small_run,
       {"there is no option --dat; did you mean --data?"},
       {"weft train --data text.txt" + small_run}},
      {"weft train text.txt --out runs/new" + small_run,
       {"nothing takes 'text.txt'; files are named by --data"},
       {"weft train --data text.txt --out runs/new" + small_run}},
      {"weft train --data text.txt --n_layer 1" + small_run,
       {"there is no option --n_layer; it is a key, which --set takes"},
       {"weft train --data text.txt --set n_layer=1" + small_run}},
      {"weft train --data text.txt --max-iters=3" + small_run,
       {"there is no option --max-iters; it is a key"},
       {"weft train --data text.txt --set max_iters=3" + small_run}},
      {"weft generate --prompt the", {"which model?"}, {"weft generate runs/first --prompt the"}},
      {"weft generate runs/first --temp 0",
       {"there is no option --temp; did you mean --temperature?"},
       {"weft generate runs/first --temperature 0"}},
      {"weft generate runs/first --prompt ''", {"--prompt: is empty"}, {"weft generate runs/first"}},
      {"weft stories --bytes 1e4 --seed 1 --out new.txt",
       {"'1e4' is not a whole number"},
       {"weft stories --bytes 10000 --seed 1 --out new.txt"}},
      {"weft stories --bytes 1000 --out new.txt",
       {"--seed is required"},
       {"weft stories --bytes 1000 --out new.txt --seed 1"}},
      {"weft generate runs/first --tempreature 0",
       {"there is no option --tempreature; did you mean --temperature?"},
       {"weft generate runs/first --temperature 0"}},
      {"weft generate runs/first --temperature 0,8",
       {"--temperature: '0,8' is not a number of at least 0"},
       {"weft generate runs/first --temperature 0.8"}},
      {"weft logits runs/first --ids 1,2",
       {"--out FILE.npy is required"},
       {"weft logits runs/first --ids 1,2 --out logits.npy"}},
      {"weft attention runs/first --text 'the cat'",
       {"--out FILE.html is required"},
       {"weft attention runs/first --text 'the cat' --out attention.html"}},
      {"weft board --out board.html", {"board: which runs?"}, {"weft board runs --out board.html"}},
      {"weft board nowhere --out board.html",
       {"nowhere: there is no such run or file; there is runs/first"},
       {"weft board runs/first --out board.html"}},
      {"weft export runs/first --format safetensor --out exported",
       {"'safetensor' is none of hf, safetensors, gguf, html, weft and peft"},
       {"weft export runs/first --format safetensors --out exported"}},
      {"weft train --data", {"--data", "FILE"}, {"weft train --help"}},
  });
}

TEST_CASE("mistakes: settings") {
  make({
      {fresh(" n_layr=2"), {"there is no key 'n_layr'; did you mean 'n_layer'?"}, {fresh(" n_layer=2")}},
      {fresh(" lr=1e-3"),
       {"there is no key 'lr'; did you mean 'learning_rate'?"},
       {fresh(" learning_rate=1e-3")}},
      {fresh(" --set n_layer = 2"), {"without spaces around ="}, {fresh(" --set n_layer=2")}},
      {fresh(" 'n_layer= 2'"),
       {"n_layer must be a whole number between 1 and 1024, not ' 2'"},
       {fresh(" n_layer=2")}},
      {fresh(" --set n_layer"), {"needs the form key=value"}, {fresh(" --set n_layer=4")}},
      {fresh(" n_layer=two"), {"n_layer must be a whole number"}, {fresh(" n_layer=4")}},
      {fresh(" learning_rate=0,01"), {"learning_rate must be a number"}, {fresh(" learning_rate=0.01")}},
      {fresh(" max_iters=1e1"), {"max_iters must be a whole number"}, {fresh(" max_iters=10")}},
      {fresh(" recompute=True"), {"recompute must be true or false"}, {fresh(" recompute=true")}},
      {fresh(" n_embd=18 n_head=4"),
       {"n_embd = 18 is not divided by n_head = 4"},
       {fresh(" n_embd=16 n_head=4")}},
      {fresh(" vocab_size=300"),
       {"char has no such key; bpe"},
       {fresh(" vocab_size=300 --set tokenizer=bpe")}},
      {fresh(" epochs=3"), {"max_iters says, in updates"}, {fresh(" max_iters=2000")}, 2, false},
      {fresh(" optimizer=adamW"), {"did you mean 'adamw'?"}, {fresh(" optimizer=adamw")}},
      {"weft train --model gtp2 --data text.txt" + small_run,
       {"model must be gpt2 or", "did you mean 'gpt2'?"},
       {"weft train --model gpt2 --data text.txt" + small_run}},
      {fresh(" block_size=500"),
       {"text.txt: too short for one window: block_size 500 needs at least 501 tokens, found 300"},
       {fresh(" block_size=299")}},
      {"weft train --resume runs/first --set learning_rate=0.1",
       {"is fixed when a run is created"},
       {"weft train --continue runs/first --set learning_rate=0.1"}},
      {"weft train --resume runs/first --set max_iters=2",
       {"the run has made 4 updates already"},
       {"weft train --resume runs/first --set max_iters=8"}},
  });
}

TEST_CASE("mistakes: files") {
  const std::string behind = " --out runs/new" + small_run;
  make({
      {"weft train" + small_run, {"no text to train on"}, {"weft train" + small_run + " --data text.txt"}},
      {"mkdir empty; cd empty; weft train",
       {"no text to train on"},
       {"weft stories --bytes 1000000 --seed 1 --out stories.txt", "weft train --data stories.txt"},
       2,
       false},
      {"weft train --data txt.txt" + behind,
       {"txt.txt: there is no such file in ", "did you mean text.txt?"},
       {"weft train --data text.txt" + behind}},
      {"weft train --data '~/text.txt'" + behind,
       {"the shell has left the ~ as it is"},
       {"weft train --data FOLDER/text.txt" + behind}},
      {"weft train --data latin.txt" + behind,
       {"latin.txt: not UTF-8 at byte 6"},
       {"iconv -f WINDOWS-1252 -t UTF-8 FOLDER/latin.txt -o FOLDER/latin.txt.utf8",
        "weft train --data latin.txt.utf8" + behind}},
      {"weft train --data wide.txt" + behind,
       {"wide.txt: is in UTF-16, not text"},
       {"iconv -f UTF-16 -t UTF-8 FOLDER/wide.txt -o FOLDER/wide.txt.utf8",
        "weft train --data wide.txt.utf8" + behind}},
      {"weft train --data noise.bin" + behind,
       {"noise.bin: a NUL at byte 0"},
       {"weft train --data noise.bin" + behind + " --set tokenizer=byte"}},
      {"weft train --data picture.png" + behind,
       {"picture.png: is a PNG image, not text"},
       {"weft train --data picture.png" + behind + " --set model=vit task=classify"},
       2,
       false},
      {"weft train --task classify --data reviews.csv --set text=reviw label=stars" + small_run,
       {"there is no column 'reviw'; there are review, stars; did you mean 'review'?"},
       {"weft train --task classify --data reviews.csv --set text=review label=stars" + small_run}},
      {"weft train --model bert --data text.txt" + behind,
       {"is of the kind 'language', which bert does not learn"},
       {"weft train --model bert --data text.txt" + behind + " --set task=masked"}},
      {"weft train --data text.txt,short.txt" + behind,
       {"are files side by side, as pairs are"},
       {"weft train --data text.txt short.txt" + behind}},
      {"WEFT_PLUGINS=/nowhere weft tokenizer train --data text.txt --kind unigram --out new.model",
       {"libweft-sentencepiece.so", "install the package weft-sentencepiece"},
       {"sudo apt-get install libsentencepiece-dev", "cmake -S . -B build -G Ninja && cmake --build build"},
       2,
       false},
      {"weft train --data 'books/*.txt'" + behind,
       {"books/*.txt: matches no file", "nor a folder"},
       {"weft train --data text.txt" + behind}},
      {"weft train --data text.txt --out picture.png" + small_run,
       {"picture.png: is not a folder"},
       {"weft train --data text.txt --out picture.png-2" + small_run}},
      {"weft train --data text.txt --out theirs" + small_run,
       {"theirs: is not empty and holds no run"},
       {"weft train --data text.txt --out theirs-2" + small_run}},
      {"weft eval runs/first --data txt.txt",
       {"did you mean text.txt?"},
       {"weft eval runs/first --data text.txt"}},
      {"weft eval runs/first --data none",
       {"none: there is no such file in "},
       {"weft eval runs/first --data text.txt"}},
  });
}

TEST_CASE("mistakes: runs and models") {
  make({
      {"weft train --data text.txt --out runs/first" + small_run,
       {"runs/first: holds a run already", "--overwrite replaces it"},
       {"weft train --resume runs/first"}},
      {"weft generate runs/frist",
       {"runs/frist: there is no such run or file; there is runs/first"},
       {"weft generate runs/first"}},
      {"weft generate first", {"first: there is no such run or file"}, {"weft generate runs/first"}},
      {"weft generate runs", {"runs: holds no run"}, {"weft generate runs/first"}},
      {"weft eval text.txt",
       {"text.txt: is not a weft checkpoint but a text"},
       {"weft train --data text.txt"},
       2,
       false},
      {"weft train --resume first", {"there is no such run"}, {"weft train --resume runs/first"}},
      {"weft generate theirs",
       {"a model in Hugging Face's layout, which is imported first"},
       {"weft import theirs --out theirs.h5", "weft generate theirs.h5"},
       2,
       false},
      {"weft generate theirs/model.safetensors",
       {"weights of Hugging Face"},
       {"weft import theirs --out theirs.h5", "weft generate theirs.h5"},
       2,
       false},
      {"weft import theirs/model.safetensors --out new.h5",
       {"is a file; name its folder"},
       {"weft import theirs --out new.h5"},
       2,
       false},
      {"weft generate runs/first/config.toml",
       {"a file of the run runs/first"},
       {"weft generate runs/first"}},
      {"cd runs/first; rm -r best.h5 checkpoints metrics*; cd ../..; weft generate runs/first",
       {"holds no checkpoint that can be used"},
       {"weft train --resume runs/first"}},
      {"cd runs/first; rm -r best.h5 checkpoints; cd ../..; weft train --resume runs/first",
       {"nothing that was saved can be read"},
       {"mend what stands in the way, or move all of it aside and begin again: --start-over",
        "weft train --resume runs/first --start-over"},
       2,
       false},
      {"weft import gpt2 --out gpt2.h5",
       {"nothing is downloaded"},
       {"huggingface-cli download gpt2 --local-dir gpt2", "weft import gpt2 --out gpt2.h5"},
       2,
       false},
      {"weft generate model.pt",
       {"a file of torch.save", "save_pretrained"},
       {"weft import DIR --out model.h5"},
       2,
       false},
      {"weft generate runs/first --prompt 'the Queen'",
       {"character 'Q' (U+0051) at position 4 is not among the "},
       {"weft generate runs/first --prompt 'the een'"}},
      {"weft classify runs/first 'the cat'", {"tells no classes of texts"}, {"weft generate runs/first"}},
      {"weft chat runs/first", {"was not trained to chat"}, {"weft generate runs/first"}},
      {"weft translate runs/first", {"which does not answer a sequence"}, {"weft generate runs/first"}},
      {"weft train --resume runs/first",
       {"4 updates done"},
       {"weft generate runs/first", "weft eval runs/first",
        "weft train --continue runs/first --set max_iters=4"},
       0},
  });
}

TEST_CASE("mistakes: a run that fails while it works") {
  make({
      // A file may not have more than 100 kB.
      {"ulimit -f 100; weft train --data text.txt --out runs/new" + small_run + " n_embd=128",
       {"best.h5: ", "ulimit -f"},
       {"weft train --resume runs/new"},
       1},
      {"weft train --data text.txt --out runs/new" + small_run +
           " learning_rate=1e30 grad_clip=0 warmup_iters=0",
       {"is not finite; nothing was updated", "a smaller learning_rate or grad_clip may help"},
       {"weft train --config runs/new/config.toml --set learning_rate=0.001"},
       1},
  });
}

#ifndef __SANITIZE_ADDRESS__  // which takes more addresses than there are
TEST_CASE("mistakes: a model too large for the machine: what is told to be smaller has room") {
  const Folder folder;
  furnish(folder);
  const std::string limit = "ulimit -v 1000000; ";
  const auto refused = [&](const std::string& settings, const std::string& part) {
    const Result result = shell(folder, limit + fresh(" --threads 1 --set n_head=4 " + settings));
    INFO(result.err);
    CHECK(result.code == 2);
    CHECK(contains(result.err, "the run would take "));
    CHECK(contains(result.err, part));
    const std::vector<std::string> lines = advised(result.err);
    REQUIRE(lines.size() == 1);
    const Result next = shell(folder, limit + lines[0]);
    CHECK_MESSAGE(next.code == 0, lines[0], next.err);
    fs::remove_all(folder.path("runs/new"));
  };
  refused("n_embd=2048 n_layer=8", "Lower n_embd (2048)");
  refused("n_embd=64 block_size=64 batch_size=4000", "Lower batch_size (4000");
}
#endif
