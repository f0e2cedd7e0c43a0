#include <weft/data/tasks/text_sources.h>
#include <weft/data/text/data_files.h>
#include <weft/data/text/document_encoder.h>
#include <weft/data/text/id_file.h>
#include <weft/data/text/text_origin.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/values.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace weft {
namespace {

constexpr double hashed_share = 0.1;

/// A source before anything of it is encoded.
struct Opened {
  TextFiles files;
  double weight = 1;
  bool validates = false;  ///< all of it
  TextScan scan = {};
};

std::vector<Opened> opened(const TaskRequest& request, bool& weighted) {
  std::vector<Opened> all;
  std::vector<std::string> plain;
  const auto files = [&](std::vector<std::string> paths) {
    return text_files(paths, request.newlines, request.settings);
  };
  for (const std::string& path : request.data) weighted = weighted || weighted_path(path).weight.has_value();
  for (const std::string& path : request.data) {
    const WeightedPath one = weighted_path(path);
    if (weighted)
      all.push_back({files({one.path}), one.weight.value_or(1.0)});
    else
      plain.push_back(path);
  }
  if (!weighted) all.push_back({files(plain)});
  if (!request.val_data.empty()) all.push_back({files(request.val_data), 1, true});
  return all;
}

/// One source is called by its own content; several by those of all.
std::string hash_of(const std::vector<Opened>& sources, bool weighted) {
  if (sources.size() == 1 && !weighted) return sources[0].scan.content_hash;
  Hasher hasher;
  for (const Opened& source : sources)
    hasher.update(
        str(source.scan.content_hash, source.validates ? " validates" : str(" ", source.weight), "\n"));
  return to_hex(hasher.digest());
}

/// Files whose endings say that they are records, but are read as plain text.
std::vector<std::string> unread_records(const std::vector<Opened>& sources) {
  std::vector<std::string> notes;
  for (const Opened& source : sources) {
    if (source.files.records) continue;
    for (const std::string& path : data_files(source.files.paths))
      if (ends_as_records(path))
        notes.push_back(str("warning: ", path,
                            ": is read as plain text; --set text=COLUMN reads the records of the "
                            "file, each as a document"));
  }
  constexpr size_t most = 3;
  if (notes.size() > most) notes.resize(most);
  return notes;
}

/// As split_text, but between two documents, where there are such.
TokenSplit split_at_document(const TokenizedText& text, const std::string& name) {
  const TokenSplit whole = split_text(text, name);
  const TextDocuments& documents = text.documents;
  const int64_t next = documents.from(whole.train.size);
  const int64_t number = next < documents.size() ? next : next - 1;
  const int64_t begin = number > 0 ? documents[number].begin : 0;
  return begin > 0 && begin < text.tokens->size() ? split_tokens_at(begin, text.tokens, name) : whole;
}

/// How many documents that validate are, word for word, among those that train.
class Doubles {
 public:
  void train(const TextStretch& stretch) { add(stretch, training_); }
  void validate(const TextStretch& stretch) { add(stretch, validation_); }
  std::vector<std::string> notes() {
    if (too_many_ || validation_.empty()) return {};
    std::ranges::sort(training_);
    const auto count = std::count_if(validation_.begin(), validation_.end(), [&](uint64_t digest) {
      return std::ranges::binary_search(training_, digest);
    });
    if (count == 0) return {};
    return {str("note: ", grouped(count), " of the ", grouped(std::ssize(validation_)),
                " documents that validate stand among those that train, too")};
  }

 private:
  void add(const TextStretch& stretch, std::vector<uint64_t>& to) {
    const std::vector<uint64_t>& all = stretch.scan.digests;
    too_many_ = too_many_ || all.size() > TextScan::most_digests;
    if (too_many_ || all.empty() || stretch.tokens.size == 0 || stretch.part != TextPart::all) return;
    const int64_t first = stretch.text.documents.from(stretch.tokens.begin);
    const int64_t end = stretch.text.documents.from(stretch.tokens.begin + stretch.tokens.size);
    to.insert(to.end(), all.begin() + first, all.begin() + end);
  }
  std::vector<uint64_t> training_, validation_;
  bool too_many_ = false;
};

/// Ids that are ready made.
TextSources id_sources(const TaskRequest& request) {
  TextSources all;
  std::vector<Opened> sources = opened(request, all.weighted);
  for (const char* choice : {"packing", "split"})
    if (text_choice(request.settings, choice) != (std::string_view(choice) == "split" ? "end" : "across"))
      fail<ValueError>(choice, " = ", text_choice(request.settings, choice),
                       ": is of documents; format=ids knows nothing but ids");
  std::vector<ReadyIds> ids;
  all.tokenizer = request.tokenizer;
  for (Opened& source : sources) {
    ids.push_back(read_ids(source.files.paths));
    source.scan.content_hash = ids.back().content_hash;
    all.vocab_size = std::max(all.vocab_size, ids.back().largest + 1);
    if (all.tokenizer && ids.back().largest >= all.tokenizer->vocab_size())
      fail<FileError>(source.files.paths[0], ": holds the id ", ids.back().largest, ", of a tokenizer of ",
                      all.tokenizer->vocab_size(), "; it was written with another tokenizer");
  }
  if (all.tokenizer) all.vocab_size = all.tokenizer->vocab_size();
  all.content_hash = hash_of(sources, all.weighted);
  check_content(request.data, all.content_hash, request.expected_hash);
  for (size_t i = 0; i < sources.size(); ++i) {
    const Opened& source = sources[i];
    TextStretch stretch{.text = {}, .files = source.files, .scan = {}, .tokens = {}, .weight = source.weight};
    stretch.text.tokenizer = all.tokenizer;
    stretch.text.tokens = ids[i].ids;
    stretch.text.documents = TextDocuments(ids[i].ids->size());
    stretch.text.content_hash = source.scan.content_hash;
    const std::string& name = source.files.paths[0];
    TokenSplit split = split_tokens(ids[i].ids, name);
    if (!request.val_data.empty()) {
      stretch.tokens = all_tokens(ids[i].ids, name);
      (source.validates ? all.validation : all.training).push_back(std::move(stretch));
      continue;
    }
    stretch.tokens = std::move(split.train);
    all.training.push_back(stretch);
    stretch.tokens = std::move(split.validation);
    all.validation.push_back(std::move(stretch));
  }
  return all;
}

}  // namespace

int64_t TextStretch::documents() const {
  if (tokens.size == 0) return 0;
  return text.documents.from(tokens.begin + tokens.size) - text.documents.at(tokens.begin);
}

TextSources open_text_sources(const TaskRequest& request) {
  if (reads_ids(request.settings)) return id_sources(request);
  TextSources all;
  std::vector<Opened> sources = opened(request, all.weighted);
  const TokenizerEntry& entry = text_tokenizer(request.tokenizer_name, request.tokenizer.get());
  const bool utf8 = request.tokenizer ? wants_utf8(*request.tokenizer) : entry.utf8;
  const bool hashed = text_choice(request.settings, "split") == "hash" && request.val_data.empty();
  const bool packed = text_choice(request.settings, "packing") == "documents";
  const bool learns = !request.tokenizer && entry.learn_reads;
  const auto passes =
      static_cast<int64_t>(2 * sources.size() + (learns ? 1 : 0) + (hashed ? sources.size() : 0));
  int64_t pass = 0;
  const auto progress = [&]() -> TextProgress {
    if (!request.progress) return nullptr;
    return [&request, passes, number = pass++](int64_t done, int64_t size) {
      request.progress(number * size + done, passes * size);
    };
  };

  int64_t documents = 0;
  for (Opened& source : sources) {
    source.scan = scan_text(source.files, {.utf8 = utf8,
                                           .refuse_nul = utf8 && !request.tokenizer,
                                           .validation = hashed ? hashed_share : -1,
                                           .digests = source.files.by_file || source.files.records,
                                           .progress = progress()});
    documents += source.scan.documents;
  }
  all.content_hash = hash_of(sources, all.weighted);
  check_content(request.data, all.content_hash, request.expected_hash);

  const bool ends = documents > 1 || packed;
  all.tokenizer = request.tokenizer;
  if (!all.tokenizer) {
    std::vector<LearnedText> texts;
    const bool whole = hashed || !request.val_data.empty();
    for (const Opened& source : sources)
      if (!source.validates)
        texts.push_back({source.files, source.scan, hashed ? TextPart::training : TextPart::all,
                         whole ? INT64_MAX : training_bytes(source.scan.text_bytes)});
    all.tokenizer =
        learn_tokenizer(request.tokenizer_name, request.settings, texts, ends, learns ? progress() : nullptr);
  }
  all.vocab_size = all.tokenizer->vocab_size();
  if (ends) all.end_id = end_of_text_id(*all.tokenizer);

  Doubles doubles;
  const auto encoded = [&](const Opened& source, TextPart part) {
    return TextStretch{.text = encode_text(source.files, source.scan, all.tokenizer,
                                           {.part = part,
                                            .ends = ends,
                                            .cache_folder = request.cache_folder,
                                            .other_caches = request.other_caches,
                                            .progress = progress()}),
                       .files = source.files,
                       .scan = source.scan,
                       .part = part,
                       .tokens = {},
                       .weight = source.weight};
  };
  const auto training = [&](TextStretch stretch, TokenRange tokens) {
    stretch.tokens = std::move(tokens);
    stretch.tokens.origin =
        std::make_shared<TextOrigin>(stretch.files, stretch.scan.validates, stretch.part, stretch.text);
    doubles.train(stretch);
    stretch.scan.digests = {};
    all.training.push_back(std::move(stretch));
  };
  const auto validation = [&](TextStretch stretch, TokenRange tokens) {
    stretch.tokens = std::move(tokens);
    doubles.validate(stretch);
    stretch.scan.digests = {};
    all.validation.push_back(std::move(stretch));
  };
  for (const Opened& source : sources) {
    const std::string& name = source.files.paths[0];
    if (hashed) {
      const auto validating = std::ranges::count(source.scan.validates, true);
      if (validating == 0 || validating == std::ssize(source.scan.validates))
        fail<ValueError>(
            name, ": split=hash leaves ", validating == 0 ? "none" : "all", " of its ", source.scan.documents,
            " documents to validate; it is for many documents (boundaries=files, or records: text=COLUMN)");
      TextStretch trains = encoded(source, TextPart::training), rest = encoded(source, TextPart::validation);
      TokenRange whole = all_tokens(trains.text.tokens, "the training part of " + name),
                 left = all_tokens(rest.text.tokens, "the validation part of " + name);
      training(std::move(trains), std::move(whole));
      validation(std::move(rest), std::move(left));
      continue;
    }
    TextStretch stretch = encoded(source, TextPart::all);
    if (!request.val_data.empty()) {
      TokenRange whole = all_tokens(stretch.text.tokens, name);
      if (source.validates)
        validation(std::move(stretch), std::move(whole));
      else
        training(std::move(stretch), std::move(whole));
      continue;
    }
    TokenSplit split = packed ? split_at_document(stretch.text, name) : split_text(stretch.text, name);
    training(stretch, std::move(split.train));
    validation(std::move(stretch), std::move(split.validation));
  }
  all.notes = unread_records(sources);
  for (std::string& note : doubles.notes()) all.notes.push_back(std::move(note));
  return all;
}

}  // namespace weft
