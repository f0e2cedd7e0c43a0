// The commands of weft. Each checks everything it was given first; what it returns then does the work, and
// gives the exit code. So an error before work began and one while working are told apart by where they come
// from.
#pragma once

#include <weft/layers/models/decoding/sampling.h>
#include <weft/train/session.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace weft::tools {

using Work = std::function<int()>;

struct TrainArguments {
  NewRunOptions fresh;  ///< a new run's; of a run that is resumed, `set` and `data` count
  std::string resume;
  std::string base;  ///< where the model that its adapters are of lies now
  bool any_numerics = false;
  bool start_over = false;
  bool profile = false;
  int64_t profile_steps = 10;
};
Work prepare_train(const TrainArguments& arguments);

/// By a short training that nothing is kept of.
struct FindArguments {
  std::string what;                ///< "lr", "batch"
  NewRunOptions fresh;             ///< of what would be trained
  std::optional<double> from, to;  ///< of lr
  int64_t updates = 100;
  std::optional<int64_t> largest;  ///< of batch
  std::string out;                 ///< OUT.svg and OUT.csv, of which one may be named; empty: what
  bool json = false;
};
Work prepare_find(const FindArguments& arguments);

struct EvalArguments {
  static constexpr int64_t usual_samples = 1000;

  std::string model;              ///< RUN or FILE.h5
  std::string base;               ///< RUN or FILE.h5 of the model that adapters are of; empty: as they say
  std::vector<std::string> data;  ///< empty: the run's validation split
  bool test = false;              ///< `data` is the run's test_data
  std::vector<std::string> set;   ///< KEY=VALUE of the task: which columns are read, say
  int64_t stride = 0;
  std::string task;                 ///< empty: the run's own
  int64_t samples = 0;              ///< 0: all of a user's files, usual_samples of a generated task
  int64_t length = 0;               ///< of all its sequences; 0: as trained on
  int64_t beams = 0;                ///< of answers that are written; 0: greedily
  std::string choices;              ///< a file of prompts with endings, which are ranked
  std::string weights = "float32";  ///< built_model.h
  bool per_line = false;
  bool last = false;
  bool json = false;
};
Work prepare_eval(const EvalArguments& arguments);

/// Of the sequences that a model reads: one, as text or as ids, or one a line of a file.
///
/// What is drawn for a prompt depends on the seed, the prompt and how often the same prompt was asked before: the k-th
/// asking, by a line of the file, a line of standard input or a sample, is sample k of generate_batch(). So a prompt in a
/// file gives what it gives alone, and again something else.
struct GenerateArguments {
  std::string model;
  std::string base;
  std::optional<std::string> prompt;
  std::string ids;      ///< "5,9,2": ids are printed then, too
  std::string prompts;  ///< a file
  bool interactive = false;
  int64_t tokens = 500;
  int64_t samples = 1;  ///< texts for each prompt
  SamplingOptions sampling;
  int64_t beams = 0;  ///< 0: tokens are drawn; else the samples are the best of so many
  double length_penalty = 1.0;
  std::vector<std::string> stop;
  uint64_t seed = 1337;
  std::string weights = "float32";  ///< built_model.h
  bool last = false;
};
Work prepare_generate(const GenerateArguments& arguments);

/// Texts, pictures or sounds with a model that was trained to tell classes: of files, or given.
struct ClassifyArguments {
  std::string model;
  std::string base;
  std::vector<std::string> texts;
  std::vector<std::string> data;
  std::vector<std::string> set;  ///< KEY=VALUE of the task classify: which column is read, say
  std::string out;               ///< a csv; empty: standard output
  bool last = false;
};
Work prepare_classify(const ClassifyArguments& arguments);

/// Hidden states of texts, pictures or sounds, or a vector for each: of files, or given.
struct EmbedArguments {
  std::string model;
  std::string base;
  std::vector<std::string> texts;
  std::vector<std::string> data;
  std::vector<std::string> set;     ///< KEY=VALUE: which column is read, say
  std::string pooling = "mean";     ///< "last", "first", "none"
  int64_t layer = -1;               ///< below 0: from the end
  int64_t batch = 32;               ///< rows at once: the results do not depend on it
  bool truncate = false;            ///< texts of more tokens than the model reads are cut; else refused
  std::string weights = "float32";  ///< built_model.h
  std::string out;                  ///< FILE.h5 or FILE.npy
  bool last = false;
};
Work prepare_embed(const EmbedArguments& arguments);

/// A line out for each line in.
struct TranslateArguments {
  std::string model;
  std::string base;
  int64_t beams = 4;
  double length_penalty = 1.0;
  int64_t tokens =
      0;  ///< of a line at most; 0: twice those of what it answers, rounded up to eights, and ten
  std::string weights = "float32";  ///< built_model.h
  bool last = false;
};
Work prepare_translate(const TranslateArguments& arguments);

/// What is said in sounds, and when.
struct TranscribeArguments {
  std::string model;
  std::string base;
  std::vector<std::string> files;
  int64_t beams = 1;
  /// Seconds. A window of 0: each file whole; -1: as long as the longest that the model was trained on. An overlap of -1: a
  /// fifth of the window, 4 at most.
  double window = -1, overlap = -1;
  bool text = false;  ///< nothing but a line for each file
  bool json = false;
  bool last = false;
};
Work prepare_transcribe(const TranscribeArguments& arguments);

/// Lines of standard input are answered in turn, each knowing what was said before.
struct ChatArguments {
  std::string model;
  std::string base;
  std::string system;  ///< what the assistant is told first
  int64_t tokens = 200;
  SamplingOptions sampling{.temperature = 0};
  uint64_t seed = 1337;
  std::string weights = "float32";  ///< built_model.h
  bool last = false;
};
Work prepare_chat(const ChatArguments& arguments);

/// OpenAI's API over HTTP.
struct ServeArguments {
  std::string model;
  std::string base;
  std::string name;  ///< of the model, as requests ask for it; empty: the run's or the file's
  std::string host = "127.0.0.1";
  int64_t port = 8000;        ///< 0: any that is free
  int64_t rows = 64;          ///< texts that are written at a time
  int64_t waiting = 256;      ///< others that may wait
  int64_t tokens = 4096;      ///< of a text, at most
  int64_t timeout = 600;      ///< seconds, of a request
  int64_t connections = 512;  ///< at once
  int64_t body_limit = 1 << 20;
  std::string api_key, api_key_file;  ///< without both, WEFT_API_KEY of the environment
  std::string weights = "float32";    ///< built_model.h
  bool last = false;
};
Work prepare_serve(const ServeArguments& arguments);

struct LogitsArguments {
  std::string model;
  std::string base;
  std::string ids, target_ids;  ///< "5,9,2"
  std::string image, audio;     ///< files
  std::string out;
  bool last = false;
};
Work prepare_logits(const LogitsArguments& arguments);

/// What is read: --text or --ids; of an encoder-decoder --source or --ids, and its answer, --text or
/// --target-ids (empty: its own); of a model of pictures --image, of one of sounds --audio.
struct AttentionArguments {
  std::string model;
  std::string base;
  std::string text, source;
  std::string ids, target_ids;  ///< "5,9,2"
  std::string image, audio;     ///< files
  std::string out;
  bool last = false;
};
Work prepare_attention(const AttentionArguments& arguments);

struct ImportArguments {
  std::string
      folder;  ///< config.json and safetensors, as Hugging Face lays them out, and a tokenizer; or peft's adapters
  std::string base;  ///< of adapters, RUN or FILE.h5 of the model that they are of
  std::string out;
  bool no_tokenizer = false;
};
Work prepare_import(const ImportArguments& arguments);

struct ExportArguments {
  std::string model;
  std::string base;
  std::string format;  ///< "hf", "safetensors", "gguf", "html", "weft", "peft"
  std::string dtype;   ///< "float32", "bfloat16", "float16", "q8_0"; empty: float32
  std::string out;
  bool last = false;
};
Work prepare_export(const ExportArguments& arguments);

/// Adapters and the model that they are of, as one file.
struct MergeArguments {
  std::string model;
  std::string base;
  std::string out;
  bool last = false;
};
Work prepare_merge(const MergeArguments& arguments);

/// The mean of the weights of models that are alike.
struct AverageArguments {
  std::vector<std::string> models;  ///< files; a run's folder stands for its newest checkpoints
  int64_t newest = 5;               ///< so many of them
  std::string out;
};
Work prepare_average(const AverageArguments& arguments);

/// A page that follows runs while they train.
struct BoardArguments {
  static constexpr int usual_port = 6060;

  std::vector<std::string> runs;  ///< folders of runs, or folders that hold such
  std::string host = "127.0.0.1";
  std::optional<int> port;  ///< none: the usual one, or the first free behind it; 0: any
  std::string out;          ///< a file, instead of serving
};
Work prepare_board(const BoardArguments& arguments);

struct InspectArguments {
  std::string model;
  bool json = false;
};
Work prepare_inspect(const InspectArguments& arguments);

/// Records: tables, lines, files side by side (data/records/record_reader.h), and plain text.
struct DataArguments {
  std::string action;                 ///< "inspect", "where"
  std::vector<std::string> files;     ///< of where: a run
  std::string format;                 ///< empty: what the endings say
  std::vector<std::string> set;       ///< KEY=VALUE, of RecordSettings and of a run
  std::string task;                   ///< empty: what the columns say; "none"
  std::string model;                  ///< that a run would train; empty: the task's own
  std::string tokenizer;              ///< a run, a model, a file or folder of one; empty: the task's own
  int64_t overlong = 1000;            ///< characters beyond which a field is counted as such
  std::vector<std::string> val_data;  ///< files that validate
  std::string out;                    ///< a page with samples, of pictures and sounds
  int64_t step = -1;                  ///< of where: the update
  bool json = false;
};
Work prepare_data(const DataArguments& arguments);
/// Which files and lines fed an update of a run.
Work prepare_data_where(const DataArguments& arguments);

struct SealArguments {
  std::string file;  ///< that another program has edited
};
Work prepare_seal(const SealArguments& arguments);
struct TokenizerArguments {
  std::string action;     ///< "encode", "decode", "inspect", "train"
  std::string tokenizer;  ///< a folder or a file; none of train
  bool jsonl = false;
  bool special = false;
  std::vector<std::string> data;
  std::optional<std::string> text;  ///< of inspect: what becomes of it is shown
  std::string kind = "bpe";         ///< or "unigram", "sentencepiece-bpe"
  std::string pattern;              ///< of bpe; empty: gpt2
  std::string normalization;        ///< of the others; empty: identity
  int64_t vocab_size = 8192;
  std::string layout;  ///< of ids in a file: "nanogpt", "llm.c"; empty: JSON
  std::string ids;     ///< of decode: a file of that kind
  std::string out;
};
Work prepare_tokenizer(const TokenizerArguments& arguments);

struct StoriesArguments {
  std::string kind = "stories";  ///< or "dialogues"
  int64_t bytes = 0, count = 0;  ///< 0: not given
  std::string split;             ///< of dialogues: "train", "validation"; empty: train
  uint64_t seed = 0;
  std::string out;
  bool json = false;
};
Work prepare_stories(const StoriesArguments& arguments);

/// A script that completes what is typed in a shell.
struct CompletionArguments {
  std::string shell;                  ///< "bash", "zsh", "fish"
  const CLI::App* program = nullptr;  ///< with all commands
};
Work prepare_completion(const CompletionArguments& arguments);

struct ManArguments {
  const CLI::App* program = nullptr;  ///< with all commands
};
Work prepare_man(const ManArguments& arguments);

}  // namespace weft::tools
