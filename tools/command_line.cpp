#include "command_line.h"

#include <weft/data/records/record_options.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/join.h>
#include <weft/lib/base/values.h>
#include <weft/lib/kernels/products/matmul.h>
#include <weft/train/run_config.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "command.h"

namespace weft::tools {
namespace {

constexpr int64_t most_tokens = 1'000'000'000;
constexpr int64_t most_bytes = int64_t{1} << 28;

/// What a new run is of.
template <class Arguments>
void declare_fresh(Command<Arguments>& c, NewRunOptions& n) {
  c.texts("--data", n.data, "FILE", "files, folders, patterns; each file of text is a document");
  c.texts("--val-data", n.val_data, "FILE", "files that validate; without them a part of --data does");
  c.text("--model", n.model, "NAME", "what is trained (gpt2); see below");
  c.text("--task", n.task, "NAME", "what it learns (text); see below");
  c.text("--config", n.config, "FILE", "settings to begin with; RUN/config.toml starts a run again");
  c.texts("--set", n.set, "KEY=VALUE", "settings, taken after --config from left to right");
  c.text("--init-from", n.init_from, "RUN|FILE.h5", "begin with the weights of a model");
  c.app.footer([] { return parts_help() + config_help(); });
}

void declare(Command<TrainArguments>& c) {
  TrainArguments& a = c.arguments;
  NewRunOptions& n = a.fresh;
  c.threads();
  declare_fresh(c, n);
  c.texts("--test-data", n.test_data, "FILE",
          "files that eval RUN --test scores; the run reads nothing of them");
  c.text("--out", n.out, "RUN", "the run's folder; without it the first free of runs/NAME, runs/NAME-2, ...");
  c.number("--minutes", n.minutes, "M", 0.1, 100'000,
           "how long the run may take in all: what is not set is chosen to learn the most until then");
  c.flag("--with-optimizer", n.with_optimizer, "and with its optimizer's state, for the parameters that fit");
  c.text("--continue", n.continued, "RUN|FILE.h5",
         "a new run with the settings and the whole state of this one, for other settings: --set");
  c.flag("--overwrite", n.overwrite, "replace the run that is in --out");
  c.text("--resume", a.resume, "RUN", "go on with a run that was stopped, to the same bytes");
  c.text("--base", a.base, "RUN|FILE.h5",
         "of a run of adapters (lora_rank) that is resumed: where the model that they are of lies now");
  c.flag("--any-numerics", a.any_numerics,
         "resume a run of a weft with other numerics: its bits will be others");
  c.flag("--start-over", a.start_over,
         "resume a run of which nothing can be read: move it aside and begin again");
  CLI::Option* const profile =
      c.flag("--profile", a.profile, "print where the time of some updates goes, and write RUN/trace.json");
  c.integer("--profile-steps", a.profile_steps, "N", 1, 10'000, "how many updates --profile looks at (10)")
      ->needs(profile);
}

void declare(Command<FindArguments>& c) {
  FindArguments& a = c.arguments;
  c.threads();
  c.text("what", a.what, "lr|batch",
         "lr: the loss while the learning rate rises; batch: how much noise is in the gradient, and how fast "
         "micro-batches go")
      ->required();
  declare_fresh(c, a.fresh);
  c.number("--from", a.from, "LR", 1e-12, 1e12, "of lr: the first rate (1e-6)");
  c.number("--to", a.to, "LR", 1e-12, 1e12, "of lr: the last rate (1)");
  c.integer("--updates", a.updates, "N", 10, 1 << 20, "how many are made (100)");
  c.integer("--largest", a.largest, "N", 1, 1 << 20, "of batch: the largest micro-batch that is timed (256)");
  c.text("--out", a.out, "NAME", "writes NAME.svg and NAME.csv (lr, batch)");
  c.json();
}

void declare(Command<EvalArguments>& c) {
  EvalArguments& a = c.arguments;
  c.threads();
  c.model();
  c.texts("--data", a.data, "FILE", "score all of these files; without it the run's validation split");
  c.integer("--stride", a.stride, "S", 1, 1 << 20, "windows begin so far apart (block_size: no overlap)");
  c.flag("--test", a.test, "score the run's --test-data");
  c.texts("--set", a.set, "KEY=VALUE", "of a task on files, columns and how they are read: text=2 label=1");
  c.text("--task", a.task, "NAME", "score another task than the run's own");
  c.integer("--samples", a.samples, "N", 1, 1 << 30,
            "how many samples of a task: of files the first (all), of a generated one (1000)");
  c.integer("--beams", a.beams, "N", 1, 1000, "of answers that are written: search with N beams");
  c.text("--choices", a.choices, "FILE.jsonl",
         "rank given endings: {\"prompt\": ..., \"choices\": [...], \"answer\": 0} a line");
  c.flag("--per-line", a.per_line, "print a JSON object for each line or sample");
  c.integer("--length", a.length, "N", 1, 1 << 20,
            "all its sequences of this length: longer than trained on, say");
  c.weights();
  c.last();
  c.json();
}

void declare(Command<GenerateArguments>& c) {
  GenerateArguments& a = c.arguments;
  c.threads();
  c.model();
  c.app
      .add_option_function<std::string>(
          "--prompt", [&a](const std::string& typed) { a.prompt = typed; },
          "text to go on from (a newline), or, for an encoder-decoder, to be answered")
      ->type_name("TEXT");
  c.text("--ids", a.ids, "IDS", "the same by number: 5,9,2; ids are printed");
  c.text("--prompts", a.prompts, "FILE", "a file with a prompt a line, written together");
  c.flag("--interactive", a.interactive, "read prompts from standard input, line by line");
  c.integer("--tokens", a.tokens, "N", 0, most_tokens,
            "how many to add (500); a character that is not whole by then is left out");
  c.integer("--samples", a.samples, "N", 1, 100'000,
            "how many texts for each prompt (1); of --beams, the N best");
  SamplingOptions& s = a.sampling;
  constexpr double unlimited = std::numeric_limits<double>::infinity();
  c.number("--temperature", s.temperature, "X", 0, unlimited, "0 takes the likeliest (0.8)");
  c.integer("--top-k", s.top_k, "K", 0, INT64_MAX, "draw from the K likeliest; 0 is off (0)");
  c.number("--top-p", s.top_p, "P", 0, 1, "draw from the likeliest that reach P; 1 is off (1)");
  c.number("--min-p", s.min_p, "P", 0, 1, "draw from those at least P times as likely as the likeliest (0)");
  c.number("--repetition-penalty", s.repetition_penalty, "X", 0, unlimited,
           "above 1 avoids tokens that were read (1)");
  CLI::Option* const beams =
      c.integer("--beams", a.beams, "N", 1, 1000, "search with N beams instead of drawing");
  c.number("--length-penalty", a.length_penalty, "X", -100, unlimited,
           "of beams; above 0 prefers long texts (1)")
      ->needs(beams);
  c.texts("--stop", a.stop, "TEXT", "end once this text has been written", true);
  c.integer("--seed", a.seed, "S", 0, INT64_MAX, "of the draws (1337)");
  c.weights();
  c.last();
  c.app.footer(
      "The seed has a text for each prompt, and others for the same prompt asked again, by --samples, by a "
      "line of\n"
      "--prompts or of --interactive: a prompt in a file gives what it gives alone, and the second time its "
      "second\n"
      "text. Samples of --prompt are parted by lines of ---; of --prompts each is a line, those of a prompt "
      "together.\n"
      "Bytes that are no UTF-8 are written as they are, to a terminal as U+FFFD.\n");
}

void declare(Command<ClassifyArguments>& c) {
  ClassifyArguments& a = c.arguments;
  c.threads();
  c.model();
  c.texts("text", a.texts, "TEXT", "texts, or files of pictures or sounds, to classify, instead of --data")
      ->allow_extra_args(true);
  c.texts("--data", a.data, "FILE", "files of records, as those that it was trained on");
  c.texts("--set", a.set, "KEY=VALUE", "which column is read, and how: text=2, format=txt");
  c.text("--out", a.out, "FILE.csv",
         "text, label, its probability, and that of each class (standard output)");
  c.last();
}

void declare(Command<EmbedArguments>& c) {
  EmbedArguments& a = c.arguments;
  c.threads();
  c.model();
  c.texts("text", a.texts, "TEXT", "texts, or files of pictures or sounds, instead of --data")
      ->allow_extra_args(true);
  c.texts("--data", a.data, "FILE", "files of records, or of lines, a text each");
  c.texts("--set", a.set, "KEY=VALUE", "which column is read, and how: text=2, format=txt, empty=skip");
  c.text("--pooling", a.pooling, "mean|last|first|none",
         "what is taken of the hidden states of a text: a vector, or all of them (mean)");
  c.integer("--layer", a.layer, "N", -(1 << 20), 1 << 20,
            "of which layer: 0 is what the first one reads; below 0 from the end (-1, behind the last norm)");
  c.integer("--batch", a.batch, "N", 1, 1 << 20, "texts at once (32); the results do not depend on it");
  c.flag("--truncate", a.truncate, "read the first tokens of texts that are longer than the model's context");
  c.text("--out", a.out, "FILE.h5|FILE.npy",
         "embeddings (N, C); of --pooling none hidden (tokens, C), and offsets (N + 1), where texts begin")
      ->required();
  c.weights();
  c.last();
}

void declare(Command<TranslateArguments>& c) {
  TranslateArguments& a = c.arguments;
  c.threads();
  c.model();
  c.integer("--beams", a.beams, "N", 1, 1000,
            "search with N beams; 1 takes the likeliest token each time (4)");
  c.number("--length-penalty", a.length_penalty, "X", -100, std::numeric_limits<double>::infinity(),
           "above 0 prefers long texts (1)");
  c.integer("--tokens", a.tokens, "N", 1, most_tokens,
            "of a line at most (twice those of its source, and ten)");
  c.weights();
  c.last();
}

void declare(Command<TranscribeArguments>& c) {
  TranscribeArguments& a = c.arguments;
  c.threads();
  c.model();
  c.texts("files", a.files, "FILE",
          "sounds (WAV, FLAC, Ogg, AIFF), folders of them, or tables that name them")
      ->required()
      ->allow_extra_args(true);
  c.integer("--beams", a.beams, "N", 1, 1000, "search with N beams; 1 takes the likeliest each time (1)");
  c.number("--window", a.window, "SECONDS", 0, 1e6,
           "longer sounds are heard in windows of so many (as long as what it was trained on); 0 hears each "
           "whole");
  c.number("--overlap", a.overlap, "SECONDS", 0, 1e6, "that two windows share (a fifth of one, at most 4)");
  c.flag("--text", a.text, "nothing but a line of text for each sound");
  c.flag("--json", a.json, "a JSON object a line: file, seconds, text, and words with begin and end");
  c.last();
}

void declare(Command<ChatArguments>& c) {
  ChatArguments& a = c.arguments;
  c.threads();
  c.model();
  c.text("--system", a.system, "TEXT", "what the assistant is told before");
  c.integer("--tokens", a.tokens, "N", 1, most_tokens, "of an answer at most (200)");
  c.number("--temperature", a.sampling.temperature, "X", 0, std::numeric_limits<double>::infinity(),
           "0 takes the likeliest (0)");
  c.integer("--top-k", a.sampling.top_k, "K", 0, INT64_MAX, "draw from the K likeliest; 0 is off (0)");
  c.number("--top-p", a.sampling.top_p, "P", 0, 1, "draw from the likeliest that reach P; 1 is off (1)");
  c.integer("--seed", a.seed, "S", 0, INT64_MAX, "of the draws (1337)");
  c.weights();
  c.last();
}

void declare(Command<ServeArguments>& c) {
  ServeArguments& a = c.arguments;
  c.threads();
  c.model();
  c.text("--name", a.name, "NAME", "what the model is called in requests (the run's or file's name)");
  c.text("--host", a.host, "HOST",
         "where to listen: 127.0.0.1 is this machine alone, 0.0.0.0 all nets (127.0.0.1)");
  c.integer("--port", a.port, "N", 0, 65535, "likewise; 0 is any that is free (8000)");
  c.integer("--rows", a.rows, "N", 1, 4096, "texts that are written at a time (64)");
  c.integer("--waiting", a.waiting, "N", 0, 1 << 20, "texts that may wait; more are answered with 429 (256)");
  c.integer("--tokens", a.tokens, "N", 1, most_tokens, "that a text may have (4096)");
  c.integer("--timeout", a.timeout, "SECONDS", 1, 1 << 20, "within which a request is answered (600)");
  c.integer("--connections", a.connections, "N", 1, 1 << 16, "at once; more are answered with 503 (512)");
  c.integer("--body-limit", a.body_limit, "BYTES", 1, most_bytes, "that a request may have (1048576)");
  c.text("--api-key", a.api_key, "KEY",
         "that requests must carry; others who use this machine see it, so rather");
  c.text("--api-key-file", a.api_key_file, "FILE", "a file with it, or WEFT_API_KEY in the environment");
  c.weights();
  c.last();
  c.app.footer(
      "GET /v1/models, POST /v1/completions and /v1/chat/completions are OpenAI's; /health and /metrics are\n"
      "for those who watch, and / is a page to talk to the model with. A seed gives the text that generate "
      "and\n"
      "chat give, whoever else is served. It speaks no TLS: for other machines put a proxy before it.\n");
}

void declare(Command<LogitsArguments>& c) {
  LogitsArguments& a = c.arguments;
  c.threads();
  c.model();
  c.text("--ids", a.ids, "IDS", "what is read: 5,9,2");
  c.text("--target-ids", a.target_ids, "IDS",
         "what an encoder-decoder has written so far, the start token first");
  c.text("--image", a.image, "FILE", "a picture: PNG, JPEG, PPM; of .npy float32 (channels, height, width)");
  c.text("--audio", a.audio, "FILE", "a sound: WAV, FLAC, Ogg, AIFF");
  c.text("--out", a.out, "FILE.npy", "the logits: float32 (T, V), or the classes")->required();
  c.last();
}

void declare(Command<AttentionArguments>& c) {
  AttentionArguments& a = c.arguments;
  c.threads();
  c.model();
  c.text("--text", a.text, "TEXT", "what is read; of an encoder-decoder, its answer");
  c.text("--source", a.source, "TEXT", "what an encoder-decoder answers");
  c.text("--ids", a.ids, "IDS", "what is read, by number: 5,9,2");
  c.text("--target-ids", a.target_ids, "IDS",
         "the answer by number, the start token first; without an answer, the model's own");
  c.text("--image", a.image, "FILE", "a picture: PNG, JPEG, PPM; of .npy float32 (channels, height, width)");
  c.text("--audio", a.audio, "FILE", "a sound: WAV, FLAC, Ogg, AIFF");
  c.text("--out", a.out, "FILE.html", "the page: one HTML file")->required();
  c.last();
}

void declare(Command<ImportArguments>& c) {
  c.text("folder", c.arguments.folder, "DIR",
         "config.json and model.safetensors, or its shards, and the tokenizer that lies there; or peft's "
         "adapter_config.json and adapter_model.safetensors")
      ->required();
  c.text("--base", c.arguments.base, "RUN|FILE.h5", "of peft's adapters, the model that they are of");
  c.text("--out", c.arguments.out, "FILE.h5|DIR", "the file to write, or a folder, whose model.h5 it becomes")
      ->required();
  c.flag("--no-tokenizer", c.arguments.no_tokenizer, "leave the tokenizer where it is");
}

void declare(Command<ExportArguments>& c) {
  c.model();
  c.text("--format", c.arguments.format, "hf|safetensors|gguf|html|weft|peft",
         "hf: config.json, weights and tokenizer as transformers has them; safetensors: weights as weft "
         "names them; gguf: what llama.cpp reads, of gpt2 and llama; html: a page that writes in a browser "
         "what generate writes, of gpt2, llama and best; weft: the model alone, which every command takes "
         "where it takes a run; peft: the adapters (lora_rank) alone, as peft has them")
      ->required();
  c.text("--dtype", c.arguments.dtype, "float32|bfloat16|float16|q8_0",
         "of the weights: bfloat16 is half the size, of all but gguf and peft; float16 half, of gguf and "
         "html; q8_0 a quarter, of gguf");
  c.text("--out", c.arguments.out, "DIR|FILE", "the folder to write; of weft, gguf and html, the file")
      ->required();
  c.last();
}

void declare(Command<MergeArguments>& c) {
  c.model();
  c.text("--out", c.arguments.out, "FILE.h5", "the file to write, of a model alone")->required();
  c.last();
}

void declare(Command<AverageArguments>& c) {
  AverageArguments& a = c.arguments;
  c.texts("models", a.models, "RUN|FILE.h5",
          "models that are alike; a run's folder stands for its newest checkpoints")
      ->required()
      ->allow_extra_args(true);
  c.integer("--newest", a.newest, "N", 1, 1 << 20, "of a run, how many checkpoints (5)");
  c.text("--out", a.out, "FILE.h5", "the file to write, of a model alone")->required();
}

void declare(Command<BoardArguments>& c) {
  BoardArguments& a = c.arguments;
  c.texts("runs", a.runs, "RUN|DIR", "runs, or a folder that holds runs, also those that begin later")
      ->required()
      ->allow_extra_args(true);
  c.option("--port", "N", "where the page is served: http://127.0.0.1:N (6060, or the next that is free)",
           [&a](const std::string& typed) {
             a.port = static_cast<int>(parse_integer("--port", typed, 0, 65535));
           });
  c.text("--host", a.host, "ADDRESS",
         "the address that it listens on (127.0.0.1: nobody but this machine can ask)");
  c.text("--out", a.out, "FILE.html",
         "write the page with all that is known now as one file, and serve nothing");
}

void declare(Command<InspectArguments>& c) {
  c.model();
  c.json();
}

void declare(Command<DataArguments>& c) {
  DataArguments& a = c.arguments;
  c.text("action", a.action, "inspect|where",
         "inspect: what files hold, in characters and in tokens, and what a run on them would be; where: the "
         "files and lines that fed an update of a run")
      ->required();
  c.texts("files", a.files, "FILE|RUN",
          "files, folders, patterns; a.en,a.fr are read side by side; of where a run")
      ->required()
      ->allow_extra_args(true);
  c.text("--format", a.format, "csv|tsv|jsonl|json|txt|pairs", "what they are; else their endings say it");
  c.text("--task", a.task, "classify|pairs|masked|chat|text-to-text|text|transcribe|none",
         "what a run would learn; else what the columns say; none: only what the files hold");
  c.text("--model", a.model, "NAME", "the model whose memory is told; else the task's own");
  c.text(
      "--tokenizer", a.tokenizer, "RUN|FILE|DIR",
      "count the tokens of this one, as weft tokenizer takes it; else of the one that the run would learn");
  c.texts("--val-data", a.val_data, "FILE", "files that validate; else a part of the others");
  c.texts("--set", a.set, "KEY=VALUE", "columns, and how they are read, see below; any key of weft train");
  c.text("--out", a.out, "FILE.html", "a page that shows the first samples, of pictures and sounds");
  c.integer("--step", a.step, "N", 0, INT64_MAX, "of where: the update, by its number in metrics.jsonl");
  c.integer("--overlong", a.overlong, "N", 1, INT64_MAX, "count fields of more characters (1000)");
  c.json();
  c.app.footer([] {
    std::string text = "Keys, for --set:\n";
    for (const Setting& key : RecordSettings::settings().list())
      text += str("  ", key.name, std::string(10 - key.name.size(), ' '), key.help,
                  key.choices.empty() ? "" : str(" (", joined(key.choices), ")"), "\n");
    return text;
  });
}

void declare(Command<SealArguments>& c) {
  c.text("file", c.arguments.file, "FILE.h5",
         "a checkpoint or a model's file; attributes that it was given are dropped")
      ->required();
}

void declare(Command<TokenizerArguments>& c) {
  TokenizerArguments& a = c.arguments;
  c.threads();
  c.text("action", a.action, "encode|decode|inspect|train",
         "text to ids, ids to text, what there is in one, or a new one from text")
      ->required();
  c.text("tokenizer", a.tokenizer, "DIR|FILE",
         "a tokenizer.json, vocab.json with merges.txt, vocab.txt or .model, a folder with one of them, or a "
         "run or model of weft; none for train");
  c.flag("--jsonl", a.jsonl,
         "lines of JSON: {\"text\": ...} becomes an array of ids, an array or {\"ids\": ...} becomes a text");
  c.flag("--special", a.special,
         "of encode: read special tokens where their names are written, and add those around a text");
  c.texts("--data", a.data, "FILE", "of train and inspect: text files, joined in order");
  c.app
      .add_option_function<std::string>(
          "--text", [&a](const std::string& typed) { a.text = typed; }, "of inspect: show what this becomes")
      ->type_name("TEXT");
  c.text("--kind", a.kind, "bpe|unigram|sentencepiece-bpe",
         "of train: byte-level BPE (bpe), or a model of SentencePiece, with the package weft-sentencepiece");
  c.integer("--vocab-size", a.vocab_size, "N", 257, 1 << 24,
            "of train: tokens, the 256 bytes among them (8192)");
  c.text("--pattern", a.pattern, "gpt2|cl100k", "of train, bpe: how text is cut into words (gpt2)");
  c.text("--normalization", a.normalization, "identity|nmt_nfkc",
         "of train, SentencePiece: identity gives texts back as they were (identity)");
  c.text("--ids", a.ids, "FILE.bin", "of decode: a file of ids as nanoGPT or llm.c write it");
  c.text("--layout", a.layout, "nanogpt|llm.c", "of encode: how --out has the ids");
  c.text("--out", a.out, "FILE.json|FILE.model|FILE.bin",
         "of train, the tokenizer.json, or SentencePiece's .model, to write; of encode, a file of ids");
  c.app.footer(
      "Without --jsonl all of standard input is one text, or one array of ids.\n"
      "With --special a line may say \"pair\": a second text, and \"add_bos\", \"add_eos\": true or "
      "false.\n");
}

void declare(Command<StoriesArguments>& c) {
  c.text(
      "--kind", c.arguments.kind, "stories|dialogues",
      "a text of stories, a line each (stories); or chats about a story, their answers known, each a line of "
      "JSON:\n{\"messages\": [{\"role\": ..., \"content\": ...}, ...]}");
  c.integer("--bytes", c.arguments.bytes, "N", 1, most_bytes,
            "how long a text, to the end of a story or dialogue");
  c.integer("--count", c.arguments.count, "N", 1, 1 << 20, "how many dialogues, instead of --bytes");
  c.text("--split", c.arguments.split, "train|validation",
         "which dialogues (train): no story of the one is in the other, whatever the seeds");
  c.integer("--seed", c.arguments.seed, "S", 0, INT64_MAX, "which text")->required();
  c.text("--out", c.arguments.out, "FILE", "file to write")->required();
  c.json();
}

void declare(Command<CompletionArguments>& c) {
  c.text("shell", c.arguments.shell, "bash|zsh|fish", "the shell that reads the script")->required();
  c.arguments.program = c.app.get_parent();
}

void declare(Command<ManArguments>& c) { c.arguments.program = c.app.get_parent(); }

struct Declared {
  const CLI::App* app;
  std::function<Work()> prepare;
};

template <class Arguments>
Declared declared(CLI::App& app, const char* name, const char* help, Work (*prepare)(const Arguments&)) {
  const auto command = std::make_shared<Command<Arguments>>(app, name, help, prepare);
  declare(*command);
  return {&command->app, [command] { return command->prepare(); }};
}

}  // namespace

std::function<Work()> declare_commands(CLI::App& app) {
  std::vector<Declared> commands{
      declared(app, "train", "train a model, or go on with a run", prepare_train),
      declared(app, "find", "what learning rate or batch size fits, by a short training", prepare_find),
      declared(app, "eval", "how well a model does what it learned: losses of a text, scores of a task",
               prepare_eval),
      declared(app, "generate", "write text, or answer it", prepare_generate),
      declared(app, "classify", "tell the classes of texts, pictures or sounds", prepare_classify),
      declared(app, "embed", "hidden states of texts, pictures or sounds, or a vector for each",
               prepare_embed),
      declared(app, "translate", "answer each line of standard input with a line", prepare_translate),
      declared(app, "transcribe", "write down what is said in sounds, and when", prepare_transcribe),
      declared(app, "chat", "talk to a model", prepare_chat),
      declared(app, "serve", "answer programs and browsers over HTTP, as OpenAI's API does", prepare_serve),
      declared(app, "logits", "what a model says to ids, a picture or a sound, as a file of NumPy",
               prepare_logits),
      declared(app, "attention", "a page that shows where every layer and head looks", prepare_attention),
      declared(app, "import", "a model in Hugging Face's layout, as a file of weft", prepare_import),
      declared(app, "export",
               "a model for others: for transformers, llama.cpp, browsers, as safetensors, or a file of weft",
               prepare_export),
      declared(app, "merge", "adapters (lora_rank) and the model that they are of, as one file",
               prepare_merge),
      declared(app, "average", "the mean of the weights of models that are alike", prepare_average),
      declared(app, "inspect", "what a run or a checkpoint holds", prepare_inspect),
      declared(app, "board", "a page that follows runs while they train", prepare_board),
      declared(app, "data", "what files hold: text, tables, JSON, pairs; what fed an update", prepare_data),
      declared(app, "seal", "check a file that another program has edited, h5py say, and take it back",
               prepare_seal),
      declared(app, "tokenizer", "tokenizers, ours and others': text to ids and back; learn one",
               prepare_tokenizer),
      declared(app, "stories", "write small English stories whose probability is known", prepare_stories),
      declared(app, "completion", "a script with which a shell completes commands, options, keys and names",
               prepare_completion),
      declared(app, "man", "this help as a man page", prepare_man)};
  return [commands = std::move(commands)] {
    const auto command =
        std::ranges::find_if(commands, [](const Declared& one) { return one.app->parsed(); });
    // The first product reads WEFT_ISA, WEFT_TUNING and WEFT_BFLOAT16, and refuses what this processor lacks.
    kernels::matmul(Array::zeros({1, 1}, bfloat16), Array::zeros({1, 1}, bfloat16));
    return command->prepare();
  };
}

}  // namespace weft::tools
