#include <weft/data/records/json_fields_internal.h>
#include <weft/data/records/record_format.h>
#include <weft/lib/base/join.h>

#include <algorithm>

namespace weft {
namespace {

constexpr std::string_view blanks = " \t\r\n";

/// Rows of objects, which a derived class cuts out of the file.
class JsonRows : public RowReader {
 public:
  JsonRows(RecordSource& source, const RecordOptions& options)
      : source_(source),
        asked_(options.columns),
        refuses_(options.empty == RecordOptions::Empty::refuse),
        nested_(options.nested),
        may_lack_(options.may_lack) {}

  std::vector<std::string> columns() override {
    if (!asked_.empty() || ready_) return asked_;
    ready_ = read();
    for (const auto& [path, value] : fields_) asked_.push_back(path);
    if (ready_ && asked_.empty()) source_.fail_at(begun_, {}, "holds no field");
    return asked_;
  }

  bool next(std::vector<std::string>& fields, int64_t& line) override {
    if (asked_.empty()) columns();
    if (!ready_ && !read()) {
      check_met();
      return false;
    }
    ready_ = false;
    met_.resize(asked_.size());
    any_ = true;
    line = last_ = begun_;
    fields.assign(asked_.size(), {});
    for (size_t i = 0; i < asked_.size(); ++i) {
      const auto found = std::ranges::find(fields_, asked_[i], &Field::first);
      if (found == fields_.end()) {
        std::optional<std::string> whole = nested_ ? json_below(text_, asked_[i]) : std::nullopt;
        if (!whole) {
          check_missing(asked_[i]);
          continue;
        }
        met_[i] = true;
        fields[i] = std::move(*whole);
        continue;
      }
      met_[i] = true;
      fields[i] = std::move(found->second);
    }
    return true;
  }

 protected:
  using Field = std::pair<std::string, std::string>;

  /// Puts the next value into text_ and the line it begins in into begun_; false at the end of the file.
  virtual bool read_text() = 0;
  /// Where in the file, for a message, a byte of the value stands.
  virtual std::string place_of(int64_t byte) const = 0;

  RecordSource& source_;
  std::string text_;
  int64_t begun_ = 1;

 private:
  bool read() {
    if (!read_text()) return false;
    try {
      fields_ = json_fields(text_);
    } catch (const JsonFault& fault) {
      const size_t before = static_cast<size_t>(std::max<int64_t>(fault.byte - 1, 0));
      const auto lines = std::count(
          text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(std::min(before, text_.size())), '\n');
      source_.fail_at(begun_ + (fault.byte < 0 ? 0 : lines), {}, fault.what,
                      fault.byte < 0 ? "" : place_of(fault.byte) + hint());
    }
    return true;
  }

  virtual std::string hint() const { return {}; }

  void check_missing(const std::string& column) const {
    const std::string below = column + ".";
    for (const auto& [path, value] : fields_)
      if (path.starts_with(below))
        source_.fail_at(begun_, column, "holds more than one value; ask for one of them, ", path, " say");
    if (refuses_) fail_missing(column, begun_);
  }
  [[noreturn]] void fail_missing(const std::string& column, int64_t line) const {
    std::vector<std::string> paths;
    for (const auto& [path, value] : fields_) paths.push_back(path);
    const std::string near = nearest(column, paths.data(), paths.data() + paths.size());
    constexpr size_t most = 20;
    const bool more = paths.size() > most;
    paths.resize(std::min(paths.size(), most));
    Advice advice{.typed = {column}, .meant = {near}};
    if (near.empty()) advice = {};
    source_.fail_at(std::move(advice), line, {}, "there is no column '", column, "'; there ",
                    paths.size() == 1 ? "is " : "are ", paths.empty() ? "none" : joined(paths),
                    more ? ", ..." : "", near.empty() ? "" : str("; did you mean '", near, "'?"));
  }
  /// Where a record may lack a column, one that all lack is mistyped.
  void check_met() const {
    for (size_t i = 0; i < asked_.size() && any_; ++i)
      if (!met_[i] && std::ranges::count(may_lack_, asked_[i]) == 0) fail_missing(asked_[i], last_);
  }

  std::vector<std::string> asked_;
  bool refuses_, nested_, ready_ = false, any_ = false;
  std::vector<Field> fields_;
  std::vector<std::string> may_lack_;
  std::vector<bool> met_;
  int64_t last_ = 0;  ///< the line of the last record
};

class JsonLines : public JsonRows {
 public:
  using JsonRows::JsonRows;

 private:
  bool read_text() override {
    do {
      begun_ = source_.line_number();
      if (!source_.line(text_)) return false;
    } while (text_.find_first_not_of(blanks) == text_.npos);
    return true;
  }
  std::string place_of(int64_t byte) const override { return str(" at byte ", byte, " of the line"); }
  std::string hint() const override { return format_hint(source_.beginning(), "jsonl"); }
};

class JsonArray : public JsonRows {
 public:
  using JsonRows::JsonRows;

 private:
  /// The next character that is no blank, which stays; none at the end of the file.
  char next_sign() {
    for (std::string_view some = source_.ahead(); !some.empty(); some = source_.ahead()) {
      const size_t at = some.find_first_not_of(blanks);
      source_.take(std::min(at, some.size()));
      if (at != some.npos) return some[at];
    }
    return '\0';
  }

  bool read_text() override {
    if (ended_) return false;
    char sign = next_sign();
    if (!begun_array_) {
      if (sign == '\0') return false;
      if (sign != '[')
        source_.fail_at(source_.line_number(), {}, "is no JSON array",
                        sign == '{' ? "; format=jsonl reads objects one a line" : "");
      source_.take(1);
      sign = next_sign();
      if (sign == ']') return end();
      begun_array_ = true;
    }
    begun_ = source_.line_number();
    begun_byte_ = source_.taken();
    read_element();
    const char behind = source_.ahead()[0];
    if (behind == ',')
      source_.take(1);
    else
      end();
    return true;
  }

  /// Takes the bracket; nothing may follow it.
  bool end() {
    source_.take(1);
    ended_ = true;
    if (next_sign() != '\0')
      source_.fail_at(source_.line_number(), {}, "something follows the end of the array");
    return false;
  }

  /// Up to the comma or bracket behind it.
  void read_element() {
    text_.clear();
    int64_t depth = 0;
    bool in_text = false, escaped = false;
    for (std::string_view some = source_.ahead(); !some.empty(); some = source_.ahead()) {
      size_t at = 0;
      for (; at < some.size(); ++at) {
        const char c = some[at];
        if (in_text) {
          in_text = escaped || c != '"';
          escaped = !escaped && c == '\\';
          continue;
        }
        if (depth == 0 && (c == ',' || c == ']')) break;
        in_text = c == '"';
        depth += c == '{' || c == '[';
        depth -= c == '}' || c == ']';
        if (depth < 0) break;
      }
      text_ += some.substr(0, at);
      const bool ends = at < some.size();
      source_.take(at);
      source_.check_size(text_.size(), begun_);
      if (ends && depth < 0)
        source_.fail_at(source_.line_number(), {}, "is no JSON at byte ", source_.taken() + 1,
                        " of the file");
      if (ends) return;
    }
    source_.fail_at(begun_, {},
                    "the file ends in the middle of the record that begins here, or before its ']'");
  }
  std::string place_of(int64_t byte) const override {
    return str(" at byte ", begun_byte_ + std::min(byte, static_cast<int64_t>(text_.size()) + 1),
               " of the file");
  }

  bool begun_array_ = false, ended_ = false;
  int64_t begun_byte_ = 0;
};

}  // namespace

std::unique_ptr<RowReader> open_json_lines(RecordSource& source, const RecordOptions& options) {
  return std::make_unique<JsonLines>(source, options);
}

std::unique_ptr<RowReader> open_json_array(RecordSource& source, const RecordOptions& options) {
  return std::make_unique<JsonArray>(source, options);
}

}  // namespace weft
