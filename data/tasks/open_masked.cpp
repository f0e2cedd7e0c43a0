#include <weft/data/mixture.h>
#include <weft/data/tasks/masking.h>
#include <weft/data/tasks/open_internal.h>
#include <weft/data/tasks/table_task.h>
#include <weft/data/tasks/text_sources.h>
#include <weft/data/text/tokenize.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/values.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace weft {
namespace {

/// Windows of a text, each between <cls> and <sep>, as records are framed.
class FramedWindows : public Dataset {
 public:
  FramedWindows(TokenDataset windows, const SpecialIds& special)
      : windows_(std::move(windows)), special_(special) {}

  int64_t samples_per_epoch() const override { return windows_.samples_per_epoch(); }
  Batch batch(int64_t first, int64_t count) const override {
    const Batch plain = windows_.batch(first, count);
    const int64_t width = plain.inputs.dim(1);
    Batch framed{Array({count, width + 2}, int64), Array({count, width + 2}, int64)};
    const int64_t* read = plain.inputs.data<int64_t>();
    int64_t* to = framed.inputs.mutable_data<int64_t>();
    for (int64_t row = 0; row < count; ++row, read += width) {
      *to++ = special_.cls;
      to = std::copy(read, read + width, to);
      *to++ = special_.sep;
    }
    std::fill_n(framed.targets.mutable_data<int64_t>(), framed.targets.size(), int64_t{Batch::ignored});
    return framed;
  }
  std::vector<std::vector<SamplePlace>> places(int64_t first, int64_t count) const override {
    return windows_.places(first, count);
  }

 private:
  TokenDataset windows_;
  SpecialIds special_;
};

/// Windows of the stretches, evenly spread, in all so many, 0 for all there are.
std::shared_ptr<const TableTask> windows_of(const TableForm& form, const TaskRequest& request,
                                            const std::vector<TokenRange>& stretches, int64_t width,
                                            int64_t wanted,
                                            const std::shared_ptr<const Tokenizer>& tokenizer) {
  const SpecialIds special = SpecialIds::of(*tokenizer);
  std::vector<TokenTask::Sample> samples;
  int64_t all = 0;
  for (const TokenRange& tokens : stretches) all += tokens.size;
  for (const TokenRange& tokens : stretches) {
    const double share = static_cast<double>(tokens.size) / static_cast<double>(all);
    const auto some = std::max<int64_t>(1, std::llround(share * static_cast<double>(wanted)));
    const EvalDataset windows(tokens, width, wanted == 0 ? 0 : some);
    for (int64_t i = 0; i < windows.size(); ++i) {
      std::vector<int64_t> ids(static_cast<size_t>(width) + 2, special.cls);
      tokens.read(windows.window_begin(i), std::span(ids).subspan(1, static_cast<size_t>(width)));
      ids.back() = special.sep;
      samples.push_back({std::move(ids), {}});
    }
  }
  TaskOptions options = task_options(request.settings);
  options.seed = request.seed;
  options.split = Split::validation;
  return std::make_shared<const TableTask>(form, options, tokenizer, std::move(samples), TableTask::Origin{});
}

std::vector<TokenRange> ranges_of(const std::vector<TextStretch>& stretches) {
  std::vector<TokenRange> ranges;
  for (const TextStretch& stretch : stretches) ranges.push_back(stretch.tokens);
  return ranges;
}

int64_t width_of(const TaskRequest& request) {
  const int64_t block_size = request.settings.integer("block_size");
  if (block_size < 3) fail<ValueError>("block_size = ", block_size, ": holds no more than <cls> and <sep>");
  return block_size - 2;
}

TokenizedText tokens_of(const TaskRequest& request) {
  return tokenize_files(request.data, {.tokenizer = request.tokenizer_name,
                                       .settings = request.settings,
                                       .newlines = request.newlines,
                                       .with = request.tokenizer,
                                       .expected_hash = request.expected_hash,
                                       .cache_folder = request.cache_folder,
                                       .other_caches = request.other_caches,
                                       .progress = request.progress});
}

}  // namespace

TaskPointer open_masked_to_score(const TaskRequest& request) {
  if (are_records(request.settings, request.data)) return open_table_to_score("masked", request);
  check_scores(table_form("masked"), request);
  const TokenizedText text = tokens_of(request);
  return windows_of(table_form("masked"), request, {all_tokens(text.tokens, request.data[0])},
                    width_of(request), 0, text.tokenizer);
}

TaskData open_masked(const TaskRequest& request) {
  if (request.settings.integer("samples") != 0)
    fail<ValueError>("samples: is of tasks that make their own; of --data all is read");
  if (are_records(request.settings, request.data)) return open_table("masked", request);
  check_batch_tokens(request.settings.integer("batch_tokens"));  // windows are all of one length
  const TableForm& form = table_form("masked");
  const int64_t width = width_of(request), block_size = width + 2;
  // Its settings have no boundaries, so that files are one text (text_files).
  const TextSources sources = open_text_sources(request);
  TaskData task;
  task.tokenizer = with_special(sources.tokenizer, form.special);
  const SpecialIds special = SpecialIds::of(*task.tokenizer);
  const double share = request.settings.number("mask_share");
  const MaskingOptions masking{.mask_id = special.mask,
                               .vocab_size = task.tokenizer->vocab_size(),
                               .share = share,
                               .special = special_ids(*task.tokenizer)};
  task.shape = {.kind = form.kind,
                .vocab_size = masking.vocab_size,
                .pad_id = special.pad,
                .start_id = special.start,
                .end_id = special.end,
                .sizes = {.longest_input = block_size}};
  std::vector<MixtureDataset::Part> parts;
  for (const TextStretch& stretch : sources.training)
    parts.push_back(
        {std::make_shared<FramedWindows>(TokenDataset(stretch.tokens, width, request.seed), special),
         stretch.weight});
  const std::shared_ptr<const Dataset> framed =
      parts.size() == 1 ? parts[0].dataset : std::make_shared<MixtureDataset>(parts, request.seed);
  task.training = std::make_shared<MaskedDataset>(framed, masking, request.seed);
  const std::vector<TokenRange> train = ranges_of(sources.training), rest = ranges_of(sources.validation);
  const auto seen = windows_of(form, request, train, width, request.evaluated, task.tokenizer),
             unseen = windows_of(form, request, rest, width, request.evaluated, task.tokenizer);
  task.held_out = unseen;
  task.seen = samples_of(seen, seen->size());
  task.unseen = samples_of(unseen, unseen->size());
  task.largest = batches_like(form.kind, masking.vocab_size, int64, Shape{block_size}, Shape{block_size},
                              std::min(1.0, 1.05 * share + 1.0 / static_cast<double>(block_size)));
  task.smallest = task.largest;
  task.content_hash = sources.content_hash;
  int64_t trains = 0, validates = 0;
  for (const TokenRange& tokens : train) trains += tokens.size;
  for (const TokenRange& tokens : rest) validates += tokens.size;
  task.summary = str("task masked: ", grouped(trains + validates), " tokens, ", grouped(masking.vocab_size),
                     " in the vocabulary; ", grouped(trains), " train, ", grouped(validates), " validate");
  for (const TextStretch& stretch : sources.training)
    std::ranges::move(notes_of_text(stretch.text, stretch.files.paths.size(), request),
                      std::back_inserter(task.notes));
  task.notes.insert(task.notes.end(), sources.notes.begin(), sources.notes.end());
  return task;
}

}  // namespace weft
