// weft: trains, scores and runs character and byte language models.
//
// Exit codes: 0 done; 2 refused before work began; 1 failed while working; 130 and 143 after SIGINT and
// SIGTERM.
#include <malloc.h>
#include <signal.h>
#include <weft/lib/error.h>
#include <weft/lib/kernels/elementwise.h>
#include <weft/lib/parallel.h>

#include <CLI/CLI.hpp>
#include <exception>
#include <iterator>
#include <new>

#include "commands.h"
#include "config.h"
#include "console.h"
#include "model_config.h"
#include "signals.h"
#include "values.h"

namespace weft::tools {
namespace {

constexpr int refused = 2, failed = 1;
constexpr int64_t most_tokens = 1'000'000'000;
constexpr int64_t most_bytes = int64_t{1} << 28;

/// Options as they were typed. Numbers are read by values.h, which refuses what does not fit.
struct Typed {
  TrainArguments train;
  EvalArguments eval;
  GenerateArguments generate;
  LogitsArguments logits;
  AttentionArguments attention;
  ImportArguments import_;
  ExportArguments export_;
  InspectArguments inspect;
  StoriesArguments stories;
  std::string threads, profile_steps, stride, samples, length, tokens, temperature, top_k, top_p, min_p,
      repetition_penalty, beams, length_penalty, seed, bytes, prompt;
};

struct Commands {
  CLI::App *train, *eval, *generate, *logits, *attention, *import_, *export_, *inspect, *stories;
};

constexpr const char* model_help = "a run's folder, or a checkpoint";
constexpr const char* last_help = "of a run, the newest checkpoint instead of best.h5";

Commands declare(CLI::App& app, Typed& t) {
  const Commands c{
      app.add_subcommand("train", "train a model, or go on with a run"),
      app.add_subcommand("eval", "loss, perplexity and bits per character of a text"),
      app.add_subcommand("generate", "write text, or answer it"),
      app.add_subcommand("logits", "what a model says to ids or to a picture, as a file of NumPy"),
      app.add_subcommand("attention", "a page that shows where every layer and head looks"),
      app.add_subcommand("import", "a run of a model in Hugging Face's layout"),
      app.add_subcommand("export", "a model as safetensors, for transformers or by our own names"),
      app.add_subcommand("inspect", "what a run or a checkpoint holds"),
      app.add_subcommand("stories", "write small English stories whose probability is known")};
  for (CLI::App* command : {c.train, c.eval, c.generate, c.logits, c.attention})
    command->add_option("--threads", t.threads, "threads to use; the results do not depend on it")
        ->type_name("N");

  // Extra arguments are collected up to the number expected anyway; allowed, "[a,b]" would become two.
  c.train->add_option("--data", t.train.data, "text files, joined in order")
      ->type_name("FILE")
      ->expected(1, 1 << 20)
      ->allow_extra_args(false);
  c.train->add_option("--model", t.train.model, "what is trained (gpt2); see below")->type_name("NAME");
  c.train->add_option("--task", t.train.task, "what it learns (text); see below")->type_name("NAME");
  c.train
      ->add_option("--out", t.train.out,
                   "the run's folder; without it the first free of runs/NAME, runs/NAME-2, ...")
      ->type_name("RUN");
  c.train
      ->add_option("--config", t.train.config, "settings to begin with; RUN/config.toml starts a run again")
      ->type_name("FILE");
  c.train->add_option("--set", t.train.set, "settings, taken after --config from left to right")
      ->type_name("KEY=VALUE")
      ->expected(1, 1 << 20)
      ->allow_extra_args(false);
  c.train->add_option("--init-from", t.train.init_from, "begin with the weights of a finished run")
      ->type_name("RUN|FILE.h5");
  c.train->add_flag("--overwrite", t.train.overwrite, "replace the run that is in --out");
  c.train->add_option("--resume", t.train.resume, "go on with a run that was stopped, to the same bytes")
      ->type_name("RUN");
  CLI::Option* const profile = c.train->add_flag(
      "--profile", t.train.profile, "print where the time of some updates goes, and write RUN/trace.json");
  c.train->add_option("--profile-steps", t.profile_steps, "how many updates --profile looks at (10)")
      ->type_name("N")
      ->needs(profile);
  c.train->footer([] { return models_help() + config_help(); });

  c.eval->add_option("model", t.eval.model, model_help)->required()->type_name("RUN|FILE.h5");
  c.eval->add_option("--data", t.eval.data, "score all of this file; without it the run's validation split")
      ->type_name("FILE");
  c.eval->add_option("--stride", t.stride, "windows begin so far apart (block_size: no overlap)")
      ->type_name("S");
  c.eval->add_option("--task", t.eval.task, "score another task than the run's own")->type_name("NAME");
  c.eval->add_option("--samples", t.samples, "how many samples of a generated task (1000)")->type_name("N");
  c.eval->add_option("--length", t.length, "all its sequences of this length: longer than trained on, say")
      ->type_name("N");
  c.eval->add_flag("--last", t.eval.last, last_help);
  c.eval->add_flag("--json", t.eval.json, "print one JSON object");

  c.generate->add_option("model", t.generate.model, model_help)->required()->type_name("RUN|FILE.h5");
  c.generate
      ->add_option("--prompt", t.prompt,
                   "text to go on from (a newline), or, for an encoder-decoder, to be answered")
      ->type_name("TEXT");
  c.generate->add_option("--ids", t.generate.ids, "the same by number: 5,9,2; ids are printed")
      ->type_name("IDS");
  c.generate->add_option("--prompts", t.generate.prompts, "a file with a prompt a line, written together")
      ->type_name("FILE");
  c.generate->add_flag("--interactive", t.generate.interactive,
                       "read prompts from standard input, line by line");
  c.generate->add_option("--tokens", t.tokens, "how many to add (500)")->type_name("N");
  c.generate->add_option("--temperature", t.temperature, "0 takes the likeliest (0.8)")->type_name("X");
  c.generate->add_option("--top-k", t.top_k, "draw from the K likeliest; 0 is off (0)")->type_name("K");
  c.generate->add_option("--top-p", t.top_p, "draw from the likeliest that reach P; 1 is off (1)")
      ->type_name("P");
  c.generate
      ->add_option("--min-p", t.min_p, "draw from those at least P times as likely as the likeliest (0)")
      ->type_name("P");
  c.generate
      ->add_option("--repetition-penalty", t.repetition_penalty, "above 1 avoids tokens that were read (1)")
      ->type_name("X");
  CLI::Option* const beams =
      c.generate->add_option("--beams", t.beams, "search with N beams instead of drawing")->type_name("N");
  c.generate->add_option("--length-penalty", t.length_penalty, "of beams; above 0 prefers long texts (1)")
      ->type_name("X")
      ->needs(beams);
  c.generate->add_option("--stop", t.generate.stop, "end once this text has been written")
      ->type_name("TEXT")
      ->expected(1, 1 << 20)
      ->allow_extra_args(false);
  c.generate->add_option("--seed", t.seed, "of the draws (1337)")->type_name("S");
  c.generate->add_flag("--last", t.generate.last, last_help);

  c.logits->add_option("model", t.logits.model, model_help)->required()->type_name("RUN|FILE.h5");
  c.logits->add_option("--ids", t.logits.ids, "what is read: 5,9,2")->type_name("IDS");
  c.logits
      ->add_option("--target-ids", t.logits.target_ids,
                   "what an encoder-decoder has written so far, the start token first")
      ->type_name("IDS");
  c.logits->add_option("--image", t.logits.image, "a picture, float32 (channels, height, width)")
      ->type_name("FILE.npy");
  c.logits->add_option("--out", t.logits.out, "the logits: float32 (T, V), or the classes")
      ->required()
      ->type_name("FILE.npy");
  c.logits->add_flag("--last", t.logits.last, last_help);

  c.attention->add_option("model", t.attention.model, model_help)->required()->type_name("RUN|FILE.h5");
  c.attention->add_option("--text", t.attention.text, "what is read; of an encoder-decoder, its answer")
      ->type_name("TEXT");
  c.attention->add_option("--source", t.attention.source, "what an encoder-decoder answers")
      ->type_name("TEXT");
  c.attention->add_option("--ids", t.attention.ids, "what is read, by number: 5,9,2")->type_name("IDS");
  c.attention
      ->add_option("--target-ids", t.attention.target_ids,
                   "the answer by number, the start token first; without an answer, the model's own")
      ->type_name("IDS");
  c.attention->add_option("--image", t.attention.image, "a picture, float32 (channels, height, width)")
      ->type_name("FILE.npy");
  c.attention->add_option("--out", t.attention.out, "the page: one HTML file")
      ->required()
      ->type_name("FILE.html");
  c.attention->add_flag("--last", t.attention.last, last_help);

  c.import_->add_option("folder", t.import_.folder, "config.json and model.safetensors, or its shards")
      ->required()
      ->type_name("DIR");
  c.import_->add_option("--out", t.import_.out, "the run's folder")->required()->type_name("RUN");

  c.export_->add_option("model", t.export_.model, model_help)->required()->type_name("RUN|FILE.h5");
  c.export_
      ->add_option("--format", t.export_.format,
                   "hf: config.json and weights as transformers names them; "
                   "safetensors: weights as weft names them")
      ->required()
      ->type_name("hf|safetensors");
  c.export_->add_option("--out", t.export_.out, "the folder to write")->required()->type_name("DIR");
  c.export_->add_flag("--last", t.export_.last, last_help);

  c.inspect->add_option("model", t.inspect.model, model_help)->required()->type_name("RUN|FILE.h5");
  c.inspect->add_flag("--json", t.inspect.json, "print one JSON object");

  c.stories->add_option("--bytes", t.bytes, "how long a text, to the end of a story")
      ->required()
      ->type_name("N");
  c.stories->add_option("--seed", t.seed, "which text")->required()->type_name("S");
  c.stories->add_option("--out", t.stories.out, "file to write")->required()->type_name("FILE");
  c.stories->add_flag("--json", t.stories.json, "print one JSON object");
  return c;
}

/// A word that is no command, before CLI11 calls it an unexpected argument.
void check_command(int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return;
  const std::string word = argv[1];
  const std::string commands[] = {"train",  "eval",   "generate", "logits", "attention",
                                  "import", "export", "inspect",  "stories"};
  if (std::find(std::begin(commands), std::end(commands), word) != std::end(commands)) return;
  const std::string near = nearest(word, std::begin(commands), std::end(commands));
  fail<ValueError>("there is no command '", word, "'",
                   near.empty() ? "; weft --help lists them" : cat("; did you mean '", near, "'?"));
}

/// Only a prompt says itself what is wrong with nothing.
void check_not_empty(const CLI::App& command) {
  for (const CLI::Option* option : command.get_options())
    for (const std::string& word : option->results())
      if (word.empty() && option->get_name() != "--prompt" && option->get_name() != "--stop")
        fail<ValueError>(option->get_name(), ": is empty");
}

Work prepare(const Commands& c, Typed& t) {
  for (const CLI::App* command :
       {c.train, c.eval, c.generate, c.logits, c.attention, c.import_, c.export_, c.inspect, c.stories})
    if (command->parsed()) check_not_empty(*command);
  if (!t.threads.empty()) set_num_threads(static_cast<int>(parse_integer("--threads", t.threads, 1, 1024)));
  // The first kernel reads WEFT_ISA, and refuses a set that this processor lacks.
  kernels::unary(kernels::Unary::exp, Array::zeros({1}));

  const auto seed = [&](uint64_t unless) {
    return t.seed.empty() ? unless : static_cast<uint64_t>(parse_integer("--seed", t.seed, 0, INT64_MAX));
  };
  if (c.train->parsed()) {
    if (!t.profile_steps.empty())
      t.train.profile_steps = parse_integer("--profile-steps", t.profile_steps, 1, 10'000);
    return prepare_train(t.train);
  }
  if (c.eval->parsed()) {
    if (!t.stride.empty()) t.eval.stride = parse_integer("--stride", t.stride, 1, 1 << 20);
    if (!t.samples.empty()) t.eval.samples = parse_integer("--samples", t.samples, 1, 1 << 30);
    if (!t.length.empty()) t.eval.length = parse_integer("--length", t.length, 1, 1 << 20);
    return prepare_eval(t.eval);
  }
  if (c.generate->parsed()) {
    GenerateArguments& g = t.generate;
    if (c.generate->count("--prompt") > 0) g.prompt = t.prompt;
    if (!t.tokens.empty()) g.tokens = parse_integer("--tokens", t.tokens, 0, most_tokens);
    if (!t.temperature.empty()) g.sampling.temperature = parse_number("--temperature", t.temperature, 0);
    if (!t.top_k.empty()) g.sampling.top_k = parse_integer("--top-k", t.top_k, 0, INT64_MAX);
    if (!t.min_p.empty()) g.sampling.min_p = parse_number("--min-p", t.min_p, 0, 1);
    if (!t.repetition_penalty.empty())
      g.sampling.repetition_penalty = parse_number("--repetition-penalty", t.repetition_penalty, 0);
    if (!t.beams.empty()) g.beams = parse_integer("--beams", t.beams, 1, 1000);
    if (!t.length_penalty.empty())
      g.length_penalty = parse_number("--length-penalty", t.length_penalty, -100);
    if (!t.top_p.empty()) g.sampling.top_p = parse_number("--top-p", t.top_p, 0, 1);
    g.seed = seed(g.seed);
    return prepare_generate(g);
  }
  if (c.logits->parsed()) return prepare_logits(t.logits);
  if (c.attention->parsed()) return prepare_attention(t.attention);
  if (c.import_->parsed()) return prepare_import(t.import_);
  if (c.export_->parsed()) return prepare_export(t.export_);
  if (c.inspect->parsed()) return prepare_inspect(t.inspect);
  t.stories.bytes = parse_integer("--bytes", t.bytes, 1, most_bytes);
  t.stories.seed = seed(0);
  return prepare_stories(t.stories);
}

int complain(const char* what, int code) {
  Console().print(cat("weft: ", what));
  return code;
}

/// Runs `body`; errors are told and become `code`.
template <class Body>
int guarded(int code, Body&& body) {
  try {
    return body();
  } catch (const Stopped& stopped) {
    return exit_code_of(stopped.signal);
  } catch (const std::bad_alloc&) {
    return complain("there is not enough memory", code);
  } catch (const std::exception& error) {
    return complain(error.what(), code);
  }
}

int run(int argc, char** argv) {
  CLI::App app("weft trains transformers from scratch.", "weft");
  app.set_version_flag("--version", "weft " WEFT_VERSION);
  app.require_subcommand(1);
  Typed typed;
  const Commands commands = declare(app, typed);
  Work work;
  const int code = guarded(refused, [&] {
    check_command(argc, argv);
    try {
      app.parse(argc, argv);
    } catch (const CLI::Success& asked) {
      std::ostringstream text;
      app.exit(asked, text);
      write_out(text.str());
      return 0;
    } catch (const CLI::ParseError& error) {
      fail<ValueError>(error.what(), "; weft ", argc > 1 && argv[1][0] != '-' ? cat(argv[1], " ") : "",
                       "--help tells more");
    }
    work = prepare(commands, typed);
    return 0;
  });
  return work ? guarded(failed, [&] { return with_thread_team(work); }) : code;
}

}  // namespace
}  // namespace weft::tools

int main(int argc, char** argv) {
  // A file that may grow no further is an error of write(), not a death.
  ::signal(SIGXFSZ, SIG_IGN);
#ifdef __GLIBC__
  // Large blocks go back to the system when they are freed, instead of leaving holes: the image of a
  // checkpoint would else take its memory twice.
  ::mallopt(M_MMAP_THRESHOLD, 1 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 24);
#endif
  return weft::tools::run(argc, argv);
}
