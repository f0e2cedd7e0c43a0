#include <weft/data/records/record_options.h>

namespace weft {

const Settings<RecordSettings>& RecordSettings::settings() {
  using O = RecordOptions;
  using S = RecordSettings;
  static const Settings<S> all = {
      Field(&S::format, "format", std::vector<std::string>{},
            "what files of records are: csv, tsv, jsonl, json, txt; else their endings say it"),
      Field(&S::text, "text", std::vector<std::string>{},
            "the column with the text: a name, or a number from 1"),
      Field(&S::label, "label", std::vector<std::string>{}, "the column with the label"),
      Field(&S::source, "source", std::vector<std::string>{}, "the column with the source"),
      Field(&S::target, "target", std::vector<std::string>{}, "the column with the target"),
      Field(&S::header, "header",
            {{"auto", O::Header::automatic}, {"yes", O::Header::yes}, {"no", O::Header::no}},
            "whether the first row names the columns; auto: if one is asked for by name"),
      Field(&S::invalid, "invalid", {{"refuse", O::Invalid::refuse}, {"replace", O::Invalid::replace}},
            "bytes that are not UTF-8: an error, or U+FFFD for each"),
      Field(&S::empty, "empty",
            {{"refuse", O::Empty::refuse}, {"keep", O::Empty::keep}, {"skip", O::Empty::skip}},
            "a record with an empty field: an error, taken, or passed over"),
      Field(&S::quotes, "quotes",
            {{"auto", O::Quotes::automatic}, {"yes", O::Quotes::yes}, {"no", O::Quotes::no}},
            "whether quotes enclose fields; auto: of csv yes, of tsv no")};
  return all;
}

RecordOptions RecordSettings::options() const {
  RecordOptions all{.format = format, .header = header, .invalid = invalid, .empty = empty, .quotes = quotes};
  for (const std::string* column : {&text, &label, &source, &target})
    if (!column->empty()) all.columns.push_back(*column);
  return all;
}

}  // namespace weft
