// Samples of a source that can be read, found before anything is trained: what pictures and sounds have in common.
#pragma once

#include <weft/data/records/record_table.h>
#include <weft/data/text/text.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/hash.h>
#include <weft/lib/base/join.h>
#include <weft/lib/base/values.h>
#include <weft/lib/machine/parallel.h>
#include <weft/lib/machine/plugin.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weft {

/// Those of a Source (size, look, label, describe, notes) that can be read.
template <class Source>
struct ListedSamples {
  std::shared_ptr<const Source> source = nullptr;
  std::string what = {};              ///< in messages: "picture"
  bool labels_are_paths = false;      ///< then they are no part of content_hash
  bool skips = false;                 ///< passes over what cannot be read, and counts it
  std::vector<int64_t> numbers = {};  ///< of each in the source
  std::vector<Digest> digests = {};   ///< of each
  std::string content_hash = {};      ///< of all that there are, with their labels; 32 hexadecimal digits
  int64_t skipped = 0;                ///< that cannot be read
  std::string first_skipped = {};     ///< why

  /// What a user should know of what was passed over.
  std::vector<std::string> notes() const {
    std::vector<std::string> all = source->notes();
    if (skipped > 0)
      all.push_back(str("warning: ", grouped(skipped), " ", what,
                        skipped == 1 ? " cannot be read and is" : "s cannot be read and are",
                        " passed over; the first: ", first_skipped));
    return all;
  }
  /// FileError, unless it skips.
  void pass_over(const std::string& error) {
    if (!skips) fail<FileError>(error, "; --set invalid=skip passes over what cannot be read");
    if (skipped++ == 0) first_skipped = error;
  }
  /// FileError where none can be read.
  void check_some() const {
    if (numbers.empty())
      fail<FileError>("none of ", source->size(), " ", what, "s can be read; the first: ", first_skipped);
  }
  /// The place in `names` of the label of each. FileError for one that is not there.
  std::vector<int64_t> classes(const std::vector<std::string>& names) const;
};

/// Samples that are looked at, and decoded, at once.
inline constexpr int64_t looked_together = 256, decoded_together = 64;

/// Looks at all of them, by all threads, in their order; `seen` is told what was found of each that can be read. FileError,
/// with its name, for one that cannot be, unless it is passed over, and where none can.
template <class Source, class Seen>
void look_at_all(ListedSamples<Source>& all, const TextProgress& progress, Seen seen) {
  using Look = decltype(all.source->look(0));
  const int64_t size = all.source->size();
  std::vector<Look> found(static_cast<size_t>(size));
  for (int64_t first = 0; first < size; first += looked_together) {
    const int64_t count = std::min(looked_together, size - first);
    parallel_for(count, 1, [&](int64_t i, int64_t) {
      found[static_cast<size_t>(first + i)] = all.source->look(first + i);
    });
    if (progress) progress(first + count, size);
  }
  Hasher hasher;
  for (int64_t n = 0; n < size; ++n) {
    const Look& one = found[static_cast<size_t>(n)];
    hasher.update(one.digest);
    hasher.update(str(" ", all.labels_are_paths ? std::string() : all.source->label(n), "\n"));
    if (!one.error.empty()) {
      all.pass_over(one.error);
      continue;
    }
    all.numbers.push_back(n);
    all.digests.push_back(one.digest);
    seen(one);
  }
  all.content_hash = to_hex(hasher.digest());
  all.check_some();
}

/// decode(number of the source) gives bytes, by all threads; take(bytes) has them in their order. Those that cannot be
/// decoded are taken out of `all`, or refused, as all.skips says; a PluginError says nothing of a sample, and goes on.
template <class Source, class Decode, class Take>
void decode_all(ListedSamples<Source>& all, const TextProgress& progress, Decode decode, Take take) {
  const auto size = std::ssize(all.numbers);
  std::vector<char> readable(static_cast<size_t>(size), 1);
  for (int64_t first = 0; first < size; first += decoded_together) {
    const int64_t count = std::min(decoded_together, size - first);
    std::vector<std::string> bytes(static_cast<size_t>(count)), errors(static_cast<size_t>(count));
    parallel_for(count, 1, [&](int64_t i, int64_t) {
      try {
        bytes[static_cast<size_t>(i)] = decode(all.numbers[static_cast<size_t>(first + i)]);
      } catch (const PluginError&) {
        throw;
      } catch (const FileError& error) {
        errors[static_cast<size_t>(i)] = error.what();
      }
    });
    for (int64_t i = 0; i < count; ++i) {
      const auto at = static_cast<size_t>(i);
      if (errors[at].empty()) {
        take(std::string_view(bytes[at]));
        continue;
      }
      all.pass_over(errors[at]);
      readable[static_cast<size_t>(first + i)] = 0;
    }
    if (progress) progress(first + count, size);
  }
  const auto drop = [&](auto& of_each) {
    size_t kept = 0;
    for (size_t i = 0; i < readable.size(); ++i)
      if (readable[i] != 0) of_each[kept++] = of_each[i];
    of_each.resize(kept);
  };
  drop(all.numbers);
  drop(all.digests);
  all.check_some();
}

/// 0, 1, ..., count - 1.
std::vector<int64_t> first_numbers(int64_t count);
/// Progress of the pass-th of so many passes over the samples.
TextProgress of_pass(const TextProgress& progress, int pass, int passes);
/// The content_hash of what trains and what validates apart, if anything does.
std::string joint_hash(const std::string& train, const std::string* apart);
/// What a user should know of samples that validate apart and stand among those that train too; nothing where none do.
std::vector<std::string> notes_of_shared(const std::vector<Digest>& train, const std::vector<Digest>& apart,
                                         const std::string& what);

/// Which of the samples train and which validate, by place: where none validate apart, the share that their digests say.
/// ValueError, naming `path`, where that leaves none for one of the two.
struct ListedSplit {
  std::vector<int64_t> train, validation;
};
ListedSplit split_by_digest(const std::vector<Digest>& digests, double share, const std::string& path,
                            const std::string& what);

/// ValueError that names a sample whose class none of those has that train: it would be asked for what nobody learned.
/// `describe` names the sample at a place of `classes`.
void check_all_train(const std::vector<int64_t>& classes, const std::vector<int64_t>& train,
                     const std::vector<std::string>& names, const std::string& what,
                     const std::function<std::string(int64_t place)>& describe);

template <class Source>
std::vector<int64_t> ListedSamples<Source>::classes(const std::vector<std::string>& names) const {
  std::map<std::string, int64_t> number;
  for (size_t i = 0; i < names.size(); ++i) number.emplace(names[i], static_cast<int64_t>(i));
  std::vector<int64_t> all;
  for (const int64_t n : numbers) {
    const auto found = number.find(source->label(n));
    if (found == number.end())
      fail<FileError>(source->describe(n), ": the label '", source->label(n),
                      "' is none of those that train: ", joined(names));
    all.push_back(found->second);
  }
  return all;
}

}  // namespace weft
