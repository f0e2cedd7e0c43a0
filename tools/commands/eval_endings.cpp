// --per-line of a text, and --choices.
#include <weft/data/records/record_reader.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/values.h>
#include <weft/train/endings.h>
#include <weft/train/files/run_log.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "built_model.h"
#include "eval_task.h"
#include "json_line.h"
#include "model_input.h"

namespace weft::tools {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t endings_together = 256;

struct Scorer {
  Console console;
  std::shared_ptr<OpenedModel> opened;
  EvalArguments arguments;
  std::shared_ptr<Model> model;
  GenerativeModel* writer = nullptr;
  std::unique_ptr<RecordReader> records;

  const ModelFile& file() const { return opened->checkpoint.model; }
  const Tokenizer& tokenizer() const { return *file().tokenizer; }

  std::vector<int64_t> ids_of(const std::string& text, const Place& place) const {
    try {
      return tokenizer().encode(as_trained(file(), text));
    } catch (const ValueError& error) {
      fail<FileError>(records->describe(place), ": ", error.what());
    }
  }
  void open(const std::vector<std::string>& paths, const RecordOptions& options) {
    records = std::make_unique<RecordReader>(paths, options);
  }
};

std::shared_ptr<Scorer> scorer_of(const std::shared_ptr<OpenedModel>& opened,
                                  const EvalArguments& arguments) {
  auto s = std::make_shared<Scorer>();
  s->opened = opened;
  s->arguments = arguments;
  if (!s->file().tokenizer) fail<ValueError>(opened->path, ": has no tokenizer, and so reads no text");
  s->model = built_model(*opened, arguments.weights);
  s->writer = as_writer(*s->model);
  if (!s->writer) fail<ValueError>(opened->path, ": is a ", s->file().kind, ", which does not write");
  return s;
}

/// What a line is scored behind: an end of text where the model knows one; else its first token is its context.
std::optional<Ending> ending_of(const Scorer& s, std::vector<int64_t> ids) {
  if (!s.file().end_ids.empty()) return Ending{{s.file().end_ids[0]}, std::move(ids)};
  if (ids.size() < 2) return {};
  return Ending{{ids[0]}, {ids.begin() + 1, ids.end()}};
}

int score_lines(Scorer& s) {
  struct Line {
    Place place;
    double bytes = 0;  ///< that are scored
  };
  const auto context = static_cast<size_t>(std::min<int64_t>(s.writer->context(), INT32_MAX));
  for (bool more = true; more;) {
    std::vector<Line> lines;
    std::vector<Ending> endings;
    std::vector<size_t> of;  // the line that each ending belongs to
    while (lines.size() < endings_together) {
      const auto record = s.records->next();
      more = record.has_value();
      if (!more) break;
      std::optional<Ending> whole;
      const std::string text = as_trained(s.file(), record->fields[0]);
      auto bytes = static_cast<double>(text.size());
      if (!text.empty()) {
        std::vector<int64_t> ids = s.ids_of(text, record->place);
        // The first token is not scored where there is nothing before it.
        if (s.file().end_ids.empty() && !ids.empty())
          bytes -= static_cast<double>(s.tokenizer().decode(ids[0]).size());
        whole = ending_of(s, std::move(ids));
      }
      // A line that is longer than the context is scored in pieces, each behind the last token of the one before.
      while (whole && !whole->ids.empty()) {
        const auto size = static_cast<std::ptrdiff_t>(std::min(whole->ids.size(), context));
        std::vector<int64_t> piece(whole->ids.begin(), whole->ids.begin() + size);
        const int64_t last = piece.back();
        endings.push_back({whole->context, std::move(piece)});
        of.push_back(lines.size());
        whole->ids.erase(whole->ids.begin(), whole->ids.begin() + size);
        whole->context = {last};
      }
      lines.push_back({record->place, bytes});
    }
    const std::vector<EndingScore> scores = score_endings(*s.writer, endings);
    std::vector<EndingScore> sums(lines.size());
    for (size_t i = 0; i < scores.size(); ++i) {
      sums[of[i]].log_probability += scores[i].log_probability;
      sums[of[i]].tokens += scores[i].tokens;
    }
    for (size_t i = 0; i < lines.size(); ++i) {
      Json line{{"file", s.records->files()[lines[i].place.file]},
                {"line", lines[i].place.line},
                {"tokens", sums[i].tokens}};
      if (sums[i].tokens > 0) {
        line["loss"] = -sums[i].log_probability / static_cast<double>(sums[i].tokens);
        line["bits_per_byte"] = bits_per_byte(-sums[i].log_probability, lines[i].bytes);
      }
      write_out(json_line(line));
    }
  }
  return 0;
}

struct Question {
  std::vector<std::string> choices;
  std::vector<Ending> endings;  ///< a choice each
  int64_t answer = -1;
};

Question question_of(const Scorer& s, const Record& record) {
  const auto refuse = [&](const auto&... what) {
    fail<FileError>(s.records->describe(record.place), ": ", what...);
  };
  Question question;
  const Json list = Json::parse(record.fields[1], nullptr, false);
  if (!list.is_array()) refuse("choices must be a list of texts");
  for (const Json& one : list) {
    if (!one.is_string() || one.get<std::string>().empty())
      refuse("choices must be texts, none of them empty");
    question.choices.push_back(one.get<std::string>());
  }
  if (question.choices.size() < 2) refuse("needs two choices at least");
  if (const std::string& answer = record.fields[2]; !answer.empty()) {
    const auto most = static_cast<int64_t>(question.choices.size()) - 1;
    if (answer.find_first_not_of("0123456789") != answer.npos || answer.size() > 9 ||
        std::stoll(answer) > most)
      refuse("answer must be the number of a choice, 0 to ", most, ", not '", answer, "'");
    question.answer = std::stoll(answer);
  }
  for (const std::string& choice : question.choices) {
    Ending one{s.ids_of(record.fields[0], record.place), s.ids_of(choice, record.place)};
    if (s.writer->has_encoder() && !s.file().end_ids.empty()) {
      one.context.push_back(s.file().end_ids[0]);
      one.ids.push_back(s.file().end_ids[0]);
    }
    if (one.context.empty() && !s.file().end_ids.empty()) one.context = {s.file().end_ids[0]};
    if (one.context.empty() || one.ids.empty()) refuse("the prompt or a choice has no token");
    if (std::ssize(one.ids) > s.writer->context())
      refuse("a choice has ", one.ids.size(), " tokens, and the model reads at most ", s.writer->context());
    question.endings.push_back(std::move(one));
  }
  return question;
}

int rank_choices(Scorer& s) {
  int64_t asked = 0, right = 0, right_by_byte = 0;
  while (const auto record = s.records->next()) {
    const Question question = question_of(s, *record);
    const std::vector<EndingScore> scores = score_endings(*s.writer, question.endings);
    const auto best = [&](auto value) {
      int64_t found = 0;
      for (int64_t i = 1; i < std::ssize(scores); ++i)
        if (value(static_cast<size_t>(i)) > value(static_cast<size_t>(found))) found = i;
      return found;
    };
    const int64_t likeliest = best([&](size_t i) { return scores[i].log_probability; }),
                  by_byte = best([&](size_t i) {
                    return scores[i].log_probability / static_cast<double>(question.choices[i].size());
                  });
    if (question.answer >= 0) {
      ++asked;
      right += likeliest == question.answer;
      right_by_byte += by_byte == question.answer;
    }
    if (s.arguments.json) continue;
    Json line{{"line", record->place.line}, {"best", likeliest}, {"best_by_byte", by_byte}};
    if (question.answer >= 0) line["right"] = likeliest == question.answer;
    auto& list = line["log_probabilities"] = Json::array();
    for (const EndingScore& one : scores) list.push_back(one.log_probability);
    write_out(json_line(line));
  }
  if (asked == 0) return 0;
  const auto share = [&](int64_t count) { return static_cast<double>(count) / static_cast<double>(asked); };
  if (s.arguments.json)
    write_out(json_line(
        {{"accuracy", share(right)}, {"accuracy_by_byte", share(right_by_byte)}, {"samples", asked}}));
  else
    s.console.print(str("right: ", fixed(100 * share(right), 2), " % of ", grouped(asked),
                        "; by probability a byte ", fixed(100 * share(right_by_byte), 2), " %"));
  return 0;
}

}  // namespace

Work prepare_lines_eval(const std::shared_ptr<OpenedModel>& opened, const EvalArguments& arguments) {
  if (arguments.data.empty()) fail<ValueError>("--per-line: scores the lines of files; give --data FILE");
  const std::shared_ptr<Scorer> s = scorer_of(opened, arguments);
  if (s->writer->has_encoder())
    fail<ValueError>("--per-line: ", opened->path, " is a ", s->file().kind,
                     ", which answers a text and does not go on with one; --choices ranks answers");
  const RecordOptions options{.format = "txt", .columns = {"1"}, .empty = RecordOptions::Empty::keep};
  // All is read before anything is written, so that bad input is refused at once.
  s->open(arguments.data, options);
  while (const auto record = s->records->next()) s->ids_of(record->fields[0], record->place);
  s->open(arguments.data, options);
  return [s] { return score_lines(*s); };
}

Work prepare_choices_eval(const std::shared_ptr<OpenedModel>& opened, const EvalArguments& arguments) {
  if (!arguments.data.empty() || arguments.per_line)
    fail<ValueError>("--choices: is all that is read; leave out --data and --per-line");
  const std::shared_ptr<Scorer> s = scorer_of(opened, arguments);
  const RecordOptions options{.format = "jsonl",
                              .columns = {"prompt", "choices", "answer"},
                              .empty = RecordOptions::Empty::keep,
                              .may_lack = {"answer"},
                              .nested = true};
  const std::vector<std::string> paths{arguments.choices};
  s->open(paths, options);
  bool has_answers = false;
  while (const auto record = s->records->next())
    has_answers = question_of(*s, *record).answer >= 0 || has_answers;
  s->open(paths, options);
  if (arguments.json && !has_answers)
    fail<ValueError>("--json: tells how many are right, but ", arguments.choices, " holds no \"answer\"");
  return [s] { return rank_choices(*s); };
}

}  // namespace weft::tools
