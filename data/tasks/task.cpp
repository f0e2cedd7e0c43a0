#include <weft/data/tasks/task.h>
#include <weft/data/text/utf8.h>
#include <weft/lib/array/random.h>
#include <weft/lib/base/error.h>

#include <algorithm>

namespace weft {
namespace {

void check_row(const Array& array, int64_t row) {
  if (array.rank() < 1 || row < 0 || row >= array.dim(0))
    fail<ValueError>("task: row ", row, " of a batch whose array is ", array.shape());
}

std::span<const int64_t> row_of(const Array& ids, int64_t row) {
  check_row(ids, row);
  const auto width = static_cast<size_t>(ids.size() / ids.dim(0));
  return ids.values<int64_t>().subspan(static_cast<size_t>(row) * width, width);
}

/// With U+FFFD for each byte that belongs to no character: tokens may be parts of one.
std::string readable(const std::string& text) {
  std::string all;
  for (size_t at = 0; at < text.size();) {
    const int length = decode_utf8(std::string_view(text).substr(at)).length;
    const auto size = static_cast<size_t>(std::max(1, length));
    all += length > 0 ? text.substr(at, size) : encode_utf8(U'\uFFFD');
    at += size;
  }
  return all;
}

/// Light and dark as a person sees it, in two letters a pixel, so that a square looks like one.
std::string picture_text(const Array& pictures, int64_t row) {
  constexpr std::string_view shades = " .:-=+*#%@";
  const int64_t channels = pictures.dim(1), height = pictures.dim(2), width = pictures.dim(3);
  const float* values = pictures.data<float>() + row * channels * height * width;
  std::string text;
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      float sum = 0;
      for (int64_t c = 0; c < channels; ++c) sum += values[(c * height + y) * width + x];
      const float light = (sum / static_cast<float>(channels) + 1) / 2 * static_cast<float>(shades.size());
      const auto shade = static_cast<size_t>(std::clamp(light, 0.0F, static_cast<float>(shades.size() - 1)));
      text.append(2, shades[shade]);
    }
    text += '\n';
  }
  return text;
}

}  // namespace

TaskOptions task_options(const SettingValues& settings) {
  TaskOptions options{.settings = settings};
  const auto take = [&](const char* name, int64_t& to) {
    if (settings.contains(name)) to = settings.integer(name);
  };
  take("samples", options.samples);
  take("min_length", options.min_length);
  take("max_length", options.max_length);
  if (settings.contains("mask_share")) options.mask_share = settings.number("mask_share");
  return options;
}

TaskDataset::TaskDataset(std::string name, TaskOptions options, std::shared_ptr<const Tokenizer> tokenizer,
                         std::vector<std::string> class_names)
    : name_(std::move(name)),
      options_(std::move(options)),
      tokenizer_(std::move(tokenizer)),
      special_(tokenizer_ ? SpecialIds::of(*tokenizer_) : SpecialIds()),
      class_names_(std::move(class_names)) {
  if (options_.samples < 0) fail<ValueError>(name_, ": samples must be at least 0, not ", options_.samples);
}

uint64_t TaskDataset::sample_of(int64_t n) const {
  if (options_.samples == 0) return static_cast<uint64_t>(n);
  const RandomKey order =
      random_key(options_.seed, stream_id("task.order"), static_cast<uint64_t>(n / options_.samples));
  return permuted(order, static_cast<uint64_t>(n % options_.samples),
                  static_cast<uint64_t>(options_.samples));
}

std::string TaskDataset::input_text(const Batch& batch, int64_t row) const {
  if (!tokenizer_) {
    check_row(batch.inputs, row);
    return picture_text(batch.inputs, row);
  }
  std::span<const int64_t> ids = row_of(batch.inputs, row);
  if (!batch.lengths.empty()) ids = ids.first(static_cast<size_t>(batch.lengths[static_cast<size_t>(row)]));
  return tokenizer_->decode(ids);
}

std::string TaskDataset::target_text(const Batch& batch, int64_t row) const {
  std::vector<int64_t> said;
  for (const int64_t target : row_of(batch.targets, row))
    if (target != Batch::ignored) said.push_back(target);
  if (class_names_.empty()) return answer_text(said);
  std::string text;
  for (const int64_t one : said) text += (text.empty() ? "" : " ") + class_names_[static_cast<size_t>(one)];
  return text;
}

std::string TaskDataset::answer_text(std::span<const int64_t> ids) const {
  if (!tokenizer_) fail<ValueError>(name_, ": its answers are classes, not text");
  std::vector<int64_t> said;
  for (const int64_t id : ids) {
    if (id == end_id()) break;
    if (is_said(id)) said.push_back(id);
  }
  return readable(tokenizer_->decode(said));
}

std::vector<TaskDataset::Prompt> TaskDataset::prompts(const Batch& batch, int64_t row) const {
  std::span<const int64_t> ids = row_of(batch.inputs, row);
  if (!batch.lengths.empty()) ids = ids.first(static_cast<size_t>(batch.lengths[static_cast<size_t>(row)]));
  return {{{ids.begin(), ids.end()}, target_text(batch, row)}};
}

}  // namespace weft
