#include <weft/data/records/record_format.h>

#include <filesystem>

namespace weft {
namespace {

/// "en" of "train.en.gz".
std::string ending_of(const std::string& file) {
  std::filesystem::path name = std::filesystem::path(file).filename();
  if (name.extension() == ".gz" || name.extension() == ".zst") name = name.stem();
  const std::string ending = name.extension().string();
  return ending.empty() ? "" : ending.substr(1);
}

/// A column a file.
class LineRows : public RowReader {
 public:
  LineRows(std::span<RecordSource> sources, const RecordOptions& options)
      : sources_(sources), asked_(options.columns), lines_(sources.size()) {
    for (const RecordSource& source : sources_)
      names_.push_back(sources_.size() == 1 ? "text" : ending_of(source.path()));
    places_ = chosen_columns(sources_[0], 1, asked_, names_, sources_.size());
  }

  std::vector<std::string> columns() override {
    return asked_.empty() ? unique_names(names_, names_.size()) : asked_;
  }

  bool next(std::vector<std::string>& fields, int64_t& line) override {
    line = sources_[0].line_number();
    const RecordSource *ended = nullptr, *other = nullptr;
    for (size_t i = 0; i < sources_.size(); ++i) {
      const bool more = sources_[i].line(lines_[i]);
      (more ? other : ended) = &sources_[i];
    }
    if (ended != nullptr && other != nullptr)
      fail<FileError>(ended->path(), ": ends after line ", line - 1, ", and ", other->path(),
                      " goes on; line N of one belongs to line N of the other, so they must have as many");
    if (ended != nullptr) return false;
    fields.resize(places_.size());
    for (size_t i = 0; i < places_.size(); ++i) fields[i] = lines_[places_[i]];
    return true;
  }

 private:
  std::span<RecordSource> sources_;
  std::vector<std::string> asked_, names_, lines_;
  std::vector<size_t> places_;
};

}  // namespace

std::unique_ptr<RowReader> open_lines(std::span<RecordSource> sources, const RecordOptions& options) {
  return std::make_unique<LineRows>(sources, options);
}

}  // namespace weft
