#include <weft/lib/base/error.h>
#include <weft/lib/base/lines.h>
#include <weft/train/files/run_log.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numbers>
#include <sstream>

namespace weft {
namespace {

using nlohmann::ordered_json;

/// "RUN/metrics.digest" of "RUN/metrics.jsonl".
std::string digest_of_log(const std::string& path) {
  return std::filesystem::path(path).replace_extension("digest").string();
}

/// "RUN/metrics.csv".
std::string table_of_log(const std::string& path) {
  return std::filesystem::path(path).replace_extension("csv").string();
}

std::string told_digest(int64_t bytes, const Hasher& hasher) {
  return str(bytes, " ", to_hex(hasher.digest()), "\n");
}

/// Whether a log begins with the bytes that the digest beside it tells of; so where there is none.
class ToldDigest {
 public:
  explicit ToldDigest(const std::string& path) {
    if (!is_there(path)) return;
    constexpr uint64_t most = 100;
    try {
      std::istringstream told(read_text(path, most));
      readable_ = static_cast<bool>(told >> left_ >> digest_) && left_ >= 0;
    } catch (const FileError&) {
      readable_ = false;
    }
  }
  void take(std::string_view bytes) {
    bytes = bytes.substr(
        0, static_cast<size_t>(std::clamp<int64_t>(left_, 0, static_cast<int64_t>(bytes.size()))));
    hasher_.update(bytes);
    left_ -= static_cast<int64_t>(bytes.size());
  }
  bool fits() const { return readable_ && (digest_.empty() || to_hex(hasher_.digest()) == digest_); }

 private:
  int64_t left_ = 0;
  std::string digest_;
  bool readable_ = true;
  Hasher hasher_;
};

ordered_json entry_of(const Update& u, double) {
  ordered_json entry{{"step", u.step}, {"loss", u.loss}, {"lr", u.lr}, {"grad_norm", u.grad_norm}};
  if (u.tokens) entry["tokens"] = *u.tokens;
  entry["tokens_per_second"] = u.tokens_per_second;
  entry["seconds"] = u.seconds;
  if (u.memory_bytes) entry["memory_bytes"] = *u.memory_bytes;
  return entry;
}

ordered_json entry_of(const Evaluation& e, double bytes_per_target) {
  ordered_json entry{{"step", e.step}, {"train_loss", e.train_loss}, {"val_loss", e.val_loss}};
  if (bytes_per_target > 0) entry["val_bits_per_byte"] = bits_per_byte(e.val_loss, bytes_per_target);
  if (e.val_accuracy) entry["val_accuracy"] = *e.val_accuracy;
  return entry;
}

/// A line of the log.
std::string line_of(const ordered_json& entry) { return entry.dump() + "\n"; }

constexpr std::array columns = {"step",
                                "loss",
                                "lr",
                                "grad_norm",
                                "tokens",
                                "tokens_per_second",
                                "seconds",
                                "memory_bytes",
                                "train_loss",
                                "val_loss",
                                "val_bits_per_byte",
                                "val_accuracy"};

/// A row of the table.
std::string row_of(const ordered_json& entry) {
  std::string row;
  for (const char* const column : columns) {
    if (column != columns.front()) row += ',';
    if (const auto value = entry.find(column); value != entry.end() && value->is_number())
      row += value->dump();
  }
  return row + "\n";
}

std::string header_of_table() {
  std::string row;
  for (const char* const column : columns) row += str(row.empty() ? "" : ",", column);
  return row + "\n";
}

std::optional<int64_t> count_in(const ordered_json& entry, const char* key) {
  const auto found = entry.find(key);
  return found != entry.end() && found->is_number_integer() && *found >= 0
             ? std::optional(found->get<int64_t>())
             : std::nullopt;
}

/// Of all bytes of a file; of none where it is not there.
Digest digest_of_file(const std::string& path) {
  Hasher hasher;
  if (!is_there(path)) return hasher.digest();
  const InputFile file(path);
  std::vector<uint8_t> bytes(std::min<uint64_t>(file.size(), uint64_t{1} << 20));
  for (uint64_t at = 0; at < file.size(); at += bytes.size()) {
    const std::span part(bytes.data(), std::min<uint64_t>(bytes.size(), file.size() - at));
    file.read(at, part);
    hasher.update(part);
  }
  return hasher.digest();
}

}  // namespace

struct RunLog::Form {
  std::string (*of)(const ordered_json& entry);
};

double bits_per_byte(double loss, double bytes_per_target) {
  return loss / std::numbers::ln2 / bytes_per_target;
}

RunLog::RunLog(const HeldFolder& folder, const std::string& path, int64_t step, History history,
               double bytes_per_target)
    : path_(path), bytes_per_target_(bytes_per_target), history_(std::move(history)) {
  bool as_it_was = true;
  Hasher before;
  missing_ = step > 0 && !is_there(path);
  if (is_there(path)) {
    ToldDigest told(digest_of_log(path));
    std::vector<Evaluation> evaluations;
    for (LineReader lines(path); const auto line = lines.next();) {
      take(*line, step, evaluations);
      as_it_was = as_it_was && lines.had_newline() && !lines.was_too_long();
      before.update(*line);
      before.update("\n");
      told.take(*line);
      if (lines.had_newline()) told.take("\n");
    }
    take_accuracies(evaluations);
    const size_t kept = std::min(evaluations.size(), history_.evaluations.size());
    for (size_t i = 0; i < kept; ++i) restored_ += evaluations[i] != history_.evaluations[i];
    restored_ += static_cast<int64_t>(history_.evaluations.size() - kept);
    touched_ = !told.fits();
  }
  const Form log{line_of};
  write_to(log, [&](std::string_view lines) { taken(lines); });
  if (!as_it_was || before.digest() != hasher_.digest()) {
    folder.remove(digest_of_log(path));  // of what is not there any more
    AtomicFile whole(folder, path);
    write_to(log, [&](std::string_view lines) { whole.write(lines); });
    whole.commit();
  }
  write_file(folder, digest_of_log(path), told_digest(bytes_, hasher_));
  file_ = AppendedFile(folder, path);
  open_table(folder);
}

void RunLog::open_table(const HeldFolder& folder) {
  const std::string path = table_of_log(path_);
  const auto write = [&](const std::function<void(std::string_view)>& take) {
    take(header_of_table());
    write_to({row_of}, take);
  };
  Hasher wanted;
  write([&](std::string_view rows) { wanted.update(rows); });
  if (digest_of_file(path) != wanted.digest()) {
    AtomicFile whole(folder, path);
    write([&](std::string_view rows) { whole.write(rows); });
    whole.commit();
  }
  table_ = AppendedFile(folder, path);
}

void RunLog::take(std::string_view line, int64_t step, std::vector<Evaluation>& evaluations) {
  try {
    const ordered_json entry = ordered_json::parse(line);
    const auto at = entry.at("step").get<int64_t>();
    if (entry.contains("val_loss")) {
      if (history_.evaluations.empty() || at > history_.evaluations.back().step) return;
      evaluations.push_back({at, entry.at("train_loss").get<double>(), entry.at("val_loss").get<double>()});
      if (!entry.contains("val_accuracy")) return;
      if (const auto share = entry.at("val_accuracy").get<double>(); share >= 0 && share <= 1)
        evaluations.back().val_accuracy = share;
      return;
    }
    const Update update{at,
                        entry.at("loss").get<double>(),
                        entry.at("lr").get<double>(),
                        entry.at("grad_norm").get<double>(),
                        entry.at("tokens_per_second").get<double>(),
                        entry.at("seconds").get<double>(),
                        count_in(entry, "tokens"),
                        count_in(entry, "memory_bytes")};
    if (at >= step) return;
    if (at < 0 || (!updates_.empty() && at <= updates_.back().step)) {
      ++unreadable_;
      return;
    }
    updates_.push_back(update);
  } catch (const ordered_json::exception&) {
    ++unreadable_;
  }
}

/// What stands in the log alone is taken from the evaluations that are as the checkpoint has them.
void RunLog::take_accuracies(const std::vector<Evaluation>& logged) {
  auto next = logged.begin();  // both are in order
  for (Evaluation& known : history_.evaluations) {
    const auto found = std::ranges::find(next, logged.end(), known.step, &Evaluation::step);
    if (found == logged.end()) continue;
    if (found->train_loss == known.train_loss && found->val_loss == known.val_loss)
      known.val_accuracy = found->val_accuracy;
    next = found + 1;
  }
}

/// As a run that was never stopped has it: an evaluation stands before the update of its step.
void RunLog::write_to(const Form& form, const std::function<void(std::string_view)>& take) const {
  constexpr size_t piece = size_t{1} << 20;
  std::string lines;
  const auto add = [&](const auto& entry) { lines += form.of(entry_of(entry, bytes_per_target_)); };
  auto evaluation = history_.evaluations.begin();
  for (const Update& update : updates_) {
    for (; evaluation != history_.evaluations.end() && evaluation->step <= update.step; ++evaluation)
      add(*evaluation);
    add(update);
    if (lines.size() < piece) continue;
    take(lines);
    lines.clear();
  }
  for (; evaluation != history_.evaluations.end(); ++evaluation) add(*evaluation);
  take(lines);
}

std::vector<std::string> RunLog::notes() const {
  std::vector<std::string> notes;
  if (missing_)
    notes.push_back(
        str("warning: ", path_, ": is gone: evaluations are restored from the checkpoint, updates are not"));
  if (touched_)
    notes.push_back(
        str("warning: ", path_,
            ": is not as the run wrote it (damaged, or edited): evaluations are restored from the "
            "checkpoint, but what it tells of updates may be wrong"));
  if (unreadable_ > 0) notes.push_back(str(path_, ": ", unreadable_, " unreadable lines removed"));
  if (restored_ > 0)
    notes.push_back(str(path_, ": ", restored_, " evaluations restored from the checkpoint"));
  return notes;
}

void RunLog::taken(std::string_view text) {
  hasher_.update(text);
  bytes_ += static_cast<int64_t>(text.size());
}

void RunLog::call(const std::string& path) {
  path_ = path;
  file_.call(path);
  table_.call(table_of_log(path));
}

template <class Entry>
void RunLog::append(const Entry& added) {
  if (!file_.is_open()) return;
  const ordered_json entry = entry_of(added, bytes_per_target_);
  const std::string line = line_of(entry);
  file_.append(line);
  taken(line);
  table_.append(row_of(entry));
}

void RunLog::add(const Update& update) {
  append(update);
  updates_.push_back(update);
}

void RunLog::add(const Evaluation& evaluation) {
  append(evaluation);
  history_.evaluations.push_back(evaluation);
}

void RunLog::sync(const HeldFolder& folder) const {
  file_.sync();
  table_.sync();
  write_file(folder, digest_of_log(path_), told_digest(bytes_, hasher_));
}

LoggedProgress logged_progress(const std::string& path, int64_t checkpoint_interval) {
  LoggedProgress told;
  if (!is_there(path)) return told;
  for (LineReader lines(path); const auto line = lines.next();) {
    const ordered_json entry = ordered_json::parse(*line, nullptr, false);
    if (!entry.is_object()) continue;
    const auto step = entry.find("step");
    if (step == entry.end() || !step->is_number_integer()) continue;
    if (entry.contains("val_loss"))
      told.best = told.best || step->get<int64_t>() > 0;
    else
      told.checkpoint = told.checkpoint || step->get<int64_t>() >= checkpoint_interval;
  }
  return told;
}

}  // namespace weft
