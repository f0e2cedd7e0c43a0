#include <weft/data/records/record_format.h>

#include <algorithm>

namespace weft {
namespace {

std::string shown(char c) { return c == '\t' ? "a tab" : c == '\r' ? "a carriage return" : str("'", c, "'"); }

class DelimitedRows : public RowReader {
 public:
  DelimitedRows(RecordSource& source, const RecordOptions& options, char delimiter, bool quotes)
      : source_(source), asked_(options.columns), delimiter_(delimiter), quotes_(quotes) {
    ready_ = read_row();
    if (!ready_) return;
    width_ = row_.size();
    first_ = begun_;
    if (options.header == RecordOptions::Header::yes) {
      names_ = row_;
      ready_ = false;
    }
    places_ =
        chosen_columns(source_, begun_, asked_, names_, width_,
                       names_.empty() ? "; header=yes takes the names from the first row"
                                      : "; if the first row is no header, columns have numbers, from 1");
  }

  std::vector<std::string> columns() override {
    return asked_.empty() ? unique_names(names_, width_) : asked_;
  }

  bool next(std::vector<std::string>& fields, int64_t& line) override {
    if (!ready_ && !read_row()) return false;
    ready_ = false;
    if (row_.size() != width_) fail_width();
    fields.resize(places_.size());
    for (size_t i = 0; i < places_.size(); ++i) fields[i] = row_[places_[i]];
    line = begun_;
    return true;
  }

 private:
  enum class State { begins, plain, quoted, closed, returned };

  /// Blank lines are no rows, but for those of a single column without quotes, where they are empty fields.
  bool read_row() {
    while (read_line()) {
      const bool blank = row_.size() == 1 && row_[0].empty() && !was_quoted_;
      if (!blank || (!quotes_ && width_ == 1)) return true;
    }
    return false;
  }

  bool read_line() {
    row_.clear();
    field_.clear();
    bytes_ = 0;
    was_quoted_ = whole_ = false;
    state_ = State::begins;
    begun_ = source_.line_number();
    source_.reading(1);
    for (std::string_view some = source_.ahead(); !some.empty(); some = source_.ahead()) {
      source_.take(step(some));
      const bool in_quotes = state_ == State::quoted || state_ == State::closed;
      // A carriage return may turn out to be of the line's end.
      const bool returned = state_ == State::plain && field_.ends_with('\r');
      source_.check_size(bytes_ + field_.size() - returned, begun_, in_quotes ? quote_hint() : "");
      if (whole_) return true;
    }
    if (state_ == State::quoted)
      source_.fail_at(opened_, str(row_.size() + 1),
                      "a quote opens here, and the file ends before it closes");
    if (state_ == State::returned) fail_behind_quote('\r');
    if (state_ == State::begins && row_.empty()) return false;
    end_field();
    return true;
  }

  /// Reads some of what is ahead, which is not empty; how much.
  size_t step(std::string_view some) {
    const char c = some[0];
    switch (state_) {
      case State::begins:
        if (quotes_ && c == '"') {
          state_ = State::quoted;
          was_quoted_ = true;
          opened_ = source_.line_number();
          return 1;
        }
        state_ = State::plain;
        return 0;
      case State::plain: {
        const char stops[] = {delimiter_, '\n'};
        const size_t end = some.find_first_of({stops, 2});
        field_ += some.substr(0, end);
        if (end == some.npos) return some.size();
        if (some[end] == '\n' && field_.ends_with('\r')) field_.pop_back();
        end_field_by(some[end]);
        return end + 1;
      }
      case State::quoted: {
        const size_t end = some.find('"');
        field_ += some.substr(0, end);
        if (end == some.npos) return some.size();
        state_ = State::closed;
        return end + 1;
      }
      case State::closed:
        if (c == '"') {
          field_ += '"';
          state_ = State::quoted;
        } else if (c == '\r') {
          state_ = State::returned;
        } else if (c == delimiter_ || c == '\n') {
          end_field_by(c);
        } else {
          fail_behind_quote(c);
        }
        return 1;
      case State::returned:
        if (c != '\n') fail_behind_quote('\r');
        end_field_by(c);
        return 1;
    }
    return 0;
  }

  void end_field_by(char c) {
    end_field();
    whole_ = c == '\n';
  }

  void end_field() {
    bytes_ += field_.size();
    row_.push_back(std::move(field_));
    field_.clear();
    state_ = State::begins;
    source_.reading(row_.size() + 1);
  }

  std::string quote_hint() const {
    return str("; is the quote in line ", opened_, ", column ", row_.size() + 1, ", not closed?");
  }

  [[noreturn]] void fail_behind_quote(char c) const {
    const bool prints = c == '\r' || c == '\t' || (c >= ' ' && c < 0x7f);
    source_.fail_at(source_.line_number(), str(row_.size() + 1), "a quote closes the field, and ",
                    prints ? shown(c) : "another character",
                    " follows; a quote inside a field is written twice, \"\"");
  }

  [[noreturn]] void fail_width() const {
    const size_t missing = row_.size();
    const std::string name = missing < names_.size() ? str(" '", names_[missing], "'") : "";
    source_.fail_at(begun_, {}, "has ", row_.size(), row_.size() == 1 ? " column" : " columns", ", not ",
                    width_, " as line ", first_,
                    missing < width_ ? str("; column ", missing + 1, name, " is missing")
                    : quotes_        ? str("; a field that holds ", shown(delimiter_), " stands in quotes")
                                     : "; quotes=yes reads fields that stand in quotes");
  }

  RecordSource& source_;
  std::vector<std::string> asked_, names_;
  char delimiter_;
  bool quotes_;
  size_t width_ = 0;
  int64_t first_ = 0;  ///< the line of the first row
  std::vector<size_t> places_;
  bool ready_ = false;  ///< whether the row is still to be given

  State state_ = State::begins;
  std::vector<std::string> row_;
  std::string field_;
  size_t bytes_ = 0;  ///< of the row's whole fields
  bool was_quoted_ = false, whole_ = false;
  int64_t begun_ = 1, opened_ = 0;
};

}  // namespace

std::unique_ptr<RowReader> open_delimited(RecordSource& source, const RecordOptions& options, char delimiter,
                                          bool quotes) {
  return std::make_unique<DelimitedRows>(source, options, delimiter, quotes);
}

}  // namespace weft
