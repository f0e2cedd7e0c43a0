// How files of records are read: what they are, which columns are taken, and what becomes of bad input.
#pragma once

#include <weft/data/text/text.h>
#include <weft/lib/settings/settings.h>

#include <cstdint>
#include <string>
#include <vector>

namespace weft {

struct RecordOptions {
  /// Whether the first row of a csv or tsv names the columns. automatic: if a column is asked for by a name; without any
  /// asked for, of csv yes and of tsv no.
  enum class Header { automatic, yes, no };
  /// Bytes that are not UTF-8: an error, or U+FFFD for each.
  enum class Invalid { refuse, replace };
  /// A record with an empty field: an error, taken as it is, or passed over.
  enum class Empty { refuse, keep, skip };
  /// Whether a quote that begins a field encloses it, as RFC 4180 has it. automatic: of csv yes and of tsv no.
  enum class Quotes { automatic, yes, no };

  std::string format = {};                ///< one of record_formats(); empty: what the files' endings say
  std::vector<std::string> columns = {};  ///< by name, or by number from 1; none: all there are
  Header header = Header::automatic;
  Invalid invalid = Invalid::refuse;
  Empty empty = Empty::refuse;
  Quotes quotes = Quotes::automatic;
  std::vector<std::string> may_lack = {};  ///< of JSON: columns that no record need have
  bool nested = false;  ///< a column that is a JSON list or object is its JSON text; else an error
  int64_t most_bytes = int64_t{1} << 26;   ///< that a record may have; what is longer is an error
  int64_t piece_bytes = int64_t{1} << 18;  ///< read at once, at least 4; nothing else depends on it
  TextProgress progress = nullptr;
};

/// The same as a user sets it of a task, or of `weft data`.
struct RecordSettings {
  std::string format, text, label, source, target;
  RecordOptions::Header header = RecordOptions::Header::automatic;
  RecordOptions::Invalid invalid = RecordOptions::Invalid::refuse;
  RecordOptions::Empty empty = RecordOptions::Empty::refuse;
  RecordOptions::Quotes quotes = RecordOptions::Quotes::automatic;

  static const Settings<RecordSettings>& settings();
  /// With the columns that are named, in the order text, label, source, target.
  RecordOptions options() const;
};

}  // namespace weft
