#include <weft/data/tokenizers/padded_tokenizer.h>
#include <weft/exchange/hugging_face.h>
#include <weft/exchange/peft.h>
#include <weft/exchange/tokenizers.h>
#include <weft/lib/base/advice.h>
#include <weft/lib/base/values.h>
#include <weft/tools/commands/commands.h>
#include <weft/train/files/adapters.h>
#include <weft/train/files/run_folder.h>
#include <weft/train/files/run_paths.h>
#include <weft/train/files/toml_file.h>
#include <weft/train/show/console.h>

#include <filesystem>
#include <memory>

namespace weft::tools {
namespace {

namespace fs = std::filesystem;

/// The tokenizer that lies in the folder, if there is one, for a model of text with so many ids.
std::shared_ptr<const Tokenizer> tokenizer_in(const std::string& folder, const StateDict& settings,
                                              std::vector<std::string>& notes) {
  if (!settings.contains("vocab_size") || !holds_tokenizer(folder)) return nullptr;
  const int64_t wanted = settings.integer("vocab_size");
  try {
    std::shared_ptr<const Tokenizer> theirs = read_tokenizer(folder, &notes);
    if (theirs->vocab_size() > wanted)
      fail<FileError>(folder, ": its tokenizer has ", grouped(theirs->vocab_size()), " tokens, the model ",
                      grouped(wanted));
    if (theirs->vocab_size() == wanted) return theirs;
    return std::make_shared<PaddedTokenizer>(std::move(theirs), wanted);
  } catch (const FileError& error) {
    fail<FileError>(error.what(), "; weft import ", quoted(folder), " --no-tokenizer takes the model alone");
  }
}

/// FileError, with advice, for what is no folder of theirs.
void check_folder(const std::string& folder) {
  std::error_code error;
  if (!fs::exists(folder, error)) {
    const std::string fetching =
        str("huggingface-cli download ", quoted(folder), " --local-dir ", quoted(folder));
    fail_with<FileError>(
        {.typed = {folder}, .meant = {folder}, .lines = {fetching}}, folder,
        ": there is no such folder, and nothing is downloaded; a name on the Hub is fetched by "
        "their own program:");
  }
  const fs::path above = fs::path(folder).parent_path();
  if (!fs::is_directory(folder, error)) {
    if (fs::exists(above / "config.json", error))
      fail_with<FileError>({.typed = {folder}, .meant = {above.empty() ? "." : above.string()}}, folder,
                           ": is a file; name its folder, in which config.json lies");
    fail<FileError>(folder, ": is a file; name a folder with config.json and model.safetensors");
  }
  if (RunFolder{folder}.holds_run())
    fail_with<FileError>({.lines = {str(program_name(), " generate ", quoted(folder))}}, folder,
                         ": is a run of ours, which is used as it is:");
}

/// --out, a file that ends in .h5, or a folder whose model.h5 is meant. FileError when it is there.
std::string target(const std::string& out) {
  const std::string file = fs::path(out).extension() == ".h5" ? out : out + "/model.h5";
  std::error_code error;
  if (file == out && fs::is_directory(out, error)) fail<FileError>(out, ": is a folder; name a file in it");
  if (file != out && is_there(out) && !fs::is_directory(out, error))
    fail<FileError>(out, ": is a file without the ending .h5; name a file that has it, or a folder");
  if (is_there(file)) fail<FileError>(file, ": is there already; choose another");
  if (RunFolder{out}.holds_run()) fail<FileError>(out, ": holds a run already; choose another folder");
  if (file != out && fs::is_directory(out, error) && !fs::is_empty(out, error))
    fail<FileError>(out, ": is not empty; choose another folder");
  return file;
}

/// Adapters of peft, as a file of adapters of the base, and in a folder a file beside it that says where that lies.
Work prepare_peft_import(const ImportArguments& arguments) {
  const auto console = std::make_shared<Console>();
  if (arguments.base.empty())
    fail<ValueError>(arguments.folder, ": holds adapters of a model; --base RUN|FILE.h5 names it");
  const OpenedModel base =
      open_model(arguments.base, false, [&](std::string_view line) { console->print(line); });
  const ModelFile& below = base.checkpoint.model;
  BareAdapters theirs =
      from_peft(read_peft(arguments.folder),
                {.kind = below.kind, .config = below.settings, .weights = below.weights}, arguments.folder);
  const auto model = std::make_shared<ModelFile>(below);
  const bool same_classes = identical(below.settings, theirs.config);
  model->settings = theirs.config;
  model->weights = theirs.weights;
  model->lora = LoraPart{weights_digest(below.weights), theirs.alphas};
  if (!same_classes) model->class_names.clear();
  try {
    model->check();
    ModelFile whole = *model;
    whole.weights = joined_weights(*model, below);
    whole.check();
  } catch (const Error& error) {
    fail<FileError>(arguments.folder, ": does not fit ", base.path, ": ", error.what());
  }
  const std::string file = target(arguments.out);
  std::string beside;
  if (file != arguments.out)
    beside =
        str("# The model that the adapters of model.h5 are of.\nlora_base = ",
            toml_string(path_from(absolute_path(arguments.out), absolute_path(base.path))), "\npaths_from = \"here\"\n");
  return [=, folder = arguments.folder, base = base.path, notes = theirs.notes] {
    if (const fs::path above = fs::path(file).parent_path(); !above.empty()) make_folders(above.string());
    if (!beside.empty()) write_file((fs::path(file).parent_path() / "base.toml").string(), beside);
    model->write(file);
    console->print(
        str(file, ": ", grouped(std::ssize(model->lora->alphas)), " adapters of ", base, ", from ", folder));
    for (const std::string& note : notes) console->print("  " + note);
    return 0;
  };
}

}  // namespace

Work prepare_import(const ImportArguments& arguments) {
  check_folder(arguments.folder);
  if (is_peft(arguments.folder)) return prepare_peft_import(arguments);
  if (!arguments.base.empty())
    fail<ValueError>("--base: is for adapters of peft; ", arguments.folder, " holds no adapter_config.json");
  const BareModel theirs = from_hugging_face(read_hugging_face(arguments.folder), arguments.folder);
  const std::string file = target(arguments.out);
  std::vector<std::string> notes = theirs.notes;
  ModelFile model{.kind = theirs.kind, .settings = theirs.config, .weights = theirs.weights};
  if (!arguments.no_tokenizer) model.tokenizer = tokenizer_in(arguments.folder, theirs.config, notes);
  model.class_names = theirs.class_names;
  if (theirs.end_id >= 0) model.end_ids = {theirs.end_id};
  check_finite(model.weights, arguments.folder + ": ");
  int64_t parameters = 0;
  for (const auto& [name, value] : theirs.weights.entries()) parameters += std::get<Array>(value).size();
  const std::string summary = str(file, ": a ", theirs.kind, " of ", grouped(parameters), " parameters from ",
                                  arguments.folder, model.tokenizer ? ", with its tokenizer" : "");
  return [file, model = std::make_shared<ModelFile>(std::move(model)), summary, notes] {
    if (const fs::path folder = fs::path(file).parent_path(); !folder.empty()) make_folders(folder.string());
    model->write(file);
    Console console;
    console.print(summary);
    for (const std::string& note : notes) console.print("  " + note);
    return 0;
  };
}

}  // namespace weft::tools
