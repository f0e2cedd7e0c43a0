#include <weft/data/records/json_fields_internal.h>
#include <weft/lib/base/error.h>

#include <nlohmann/json.hpp>
#include <unordered_set>

namespace weft {
namespace {

using nlohmann::json;

/// Its paths are built as the parser goes, which does so without recursion.
class Gatherer : public json::json_sax_t {
 public:
  std::vector<std::pair<std::string, std::string>> fields;

  bool null() override { return value({}); }
  bool boolean(bool is) override { return value(is ? "true" : "false"); }
  bool number_integer(number_integer_t number) override { return value(std::to_string(number)); }
  bool number_unsigned(number_unsigned_t number) override { return value(std::to_string(number)); }
  bool number_float(number_float_t, const string_t& written) override { return value(written); }
  bool string(string_t& text) override { return value(std::move(text)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(size_t) override { return begin(false); }
  bool start_array(size_t) override { return begin(true); }
  bool end_object() override { return end(); }
  bool end_array() override { return end(); }
  bool key(string_t& name) override {
    path_.resize(open_.back().path);
    if (!path_.empty()) path_ += '.';
    path_ += name;
    if (path_.size() > most_path) throw JsonFault{"its keys are longer than any column's name"};
    return true;
  }
  bool parse_error(size_t at, const std::string&, const json::exception& error) override {
    constexpr int out_of_range = 406;
    if (error.id == out_of_range) throw JsonFault{"holds a number that is out of range"};
    throw JsonFault{"is no JSON", static_cast<int64_t>(at)};
  }

 private:
  static constexpr size_t most_path = 1 << 16;
  struct Open {
    size_t path;
    bool list;
    int64_t elements = 0;
  };

  void enter() {
    if (open_.empty() || !open_.back().list) return;
    path_.resize(open_.back().path);
    if (!path_.empty()) path_ += '.';
    path_ += std::to_string(++open_.back().elements);
  }
  bool begin(bool list) {
    enter();
    if (open_.size() == most_json_depth) throw JsonFault{str("is nested deeper than ", most_json_depth)};
    if (!open_.empty()) once();
    open_.push_back({path_.size(), list});
    return true;
  }
  bool end() {
    path_.resize(open_.back().path);
    open_.pop_back();
    return true;
  }
  bool value(std::string text) {
    enter();
    if (open_.empty()) throw JsonFault{"is one value, not an object with a key a column"};
    once();
    if (text.find('\0') != text.npos) throw JsonFault{str("'", path_, "' holds a NUL; a text has none")};
    fields.emplace_back(path_, std::move(text));
    return true;
  }
  void once() {
    if (!seen_.insert(path_).second) throw JsonFault{str("holds '", path_, "' twice")};
  }

  std::vector<Open> open_;
  std::string path_;
  std::unordered_set<std::string> seen_;
};

}  // namespace

std::vector<std::pair<std::string, std::string>> json_fields(std::string_view text) {
  Gatherer gatherer;
  json::sax_parse(text.begin(), text.end(), &gatherer);
  return std::move(gatherer.fields);
}

std::optional<std::string> json_below(std::string_view text, const std::string& key) {
  const json all = json::parse(text.begin(), text.end());
  const auto found = all.find(key);
  if (found == all.end() || !found->is_structured()) return {};
  return found->dump();
}

}  // namespace weft
