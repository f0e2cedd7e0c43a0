#include "data_inspect.h"
#include "data_shown.h"

namespace weft::tools {
namespace {

using nlohmann::ordered_json;

ordered_json json_of(const std::vector<std::pair<std::string, int64_t>>& frequent) {
  ordered_json all = ordered_json::array();
  for (const auto& [what, n] : frequent) all.push_back({{"text", what}, {"count", n}});
  return all;
}

ordered_json json_of(const Lengths& all) {
  ordered_json lengths = ordered_json::array();
  for (size_t i = 0; i < all.buckets.size(); ++i)
    if (all.buckets[i] > 0)
      lengths.push_back({{"from", shortest_of(i)}, {"to", longest_of(i)}, {"count", all.buckets[i]}});
  return {{"shortest", all.count > 0 ? all.least : 0},
          {"longest", all.most},
          {"mean", all.mean()},
          {"empty", all.empty},
          {"overlong", all.overlong},
          {"lengths", lengths}};
}

ordered_json json_of(const std::vector<NamedLengths>& columns) {
  ordered_json all = ordered_json::array();
  for (const NamedLengths& column : columns) {
    ordered_json one{{"name", column.name}};
    one.update(json_of(column.lengths));
    all.push_back(one);
  }
  return all;
}

ordered_json json_of(const ShownBatch& batch) {
  ordered_json rows = ordered_json::array();
  for (const ShownRow& row : batch.shown)
    rows.push_back(
        {{"ids", row.ids}, {"text", row.text}, {"target_ids", row.target_ids}, {"target", row.target}});
  return {{"first", batch.first},     {"rows", batch.rows},
          {"width", batch.width},     {"target_width", batch.target_width},
          {"padding", batch.padding}, {"shown", rows}};
}

ordered_json json_of(const MemoryPlan& plan) {
  return {{"most", plan.most()},        {"program", plan.program},       {"weights", plan.weights},
          {"update", plan.update},      {"checkpoint", plan.checkpoint}, {"loading", plan.loading},
          {"available", plan.available}};
}

}  // namespace

ordered_json json_of(const FieldReport& report) {
  ordered_json first = ordered_json::array();
  for (const auto& [place, fields] : report.first) first.push_back({{"place", place}, {"fields", fields}});
  ordered_json all{{"files", report.files},
                   {"format", report.format},
                   {"header", report.header},
                   {"records", report.records},
                   {"bytes", report.bytes},
                   {"content_hash", report.content_hash},
                   {"duplicates", report.duplicates},
                   {"byte_order_marks", report.notes.byte_order_marks},
                   {"replaced", report.notes.replaced},
                   {"skipped", report.notes.skipped},
                   {"columns", json_of(report.columns)}};
  if (!report.label.empty()) all["labels"] = json_of(report.labels.frequent(SIZE_MAX));
  if (report.format == "txt") {
    all["characters"] = json_of(report.characters.frequent(most_frequent));
    all["words"] = json_of(report.words.frequent(most_frequent));
  }
  all["first"] = first;
  return all;
}

ordered_json json_of(const DocumentReport& report) {
  ordered_json all{{"count", report.lengths.count}, {"duplicates", report.duplicates}};
  all.update(json_of(report.lengths));
  all["byte_order_marks"] = report.notes.byte_order_marks;
  all["carriage_returns"] = report.notes.carriage_returns;
  all["empty_files"] = report.notes.empty_files;
  all["foreign_files"] = report.notes.foreign_files;
  return all;
}

ordered_json json_of(const TokenReport& report) {
  ordered_json all{{"tokenizer", report.kind},
                   {"vocab_size", report.vocab_size},
                   {"tokens", report.tokens},
                   {"bytes", report.bytes},
                   {"used", report.used},
                   {"unknown", report.unknown},
                   {"refused", report.refused},
                   {"texts", json_of(report.texts)},
                   {"frequent", json_of(report.frequent)}};
  if (report.tokens > 0)
    all["bytes_per_token"] = static_cast<double>(report.bytes) / static_cast<double>(report.tokens);
  if (report.longest > 0) all["longest"] = report.longest;
  if (report.refused > 0) all["first_refused"] = report.first_refused;
  return all;
}

ordered_json json_of(const TaskReport& report) {
  ordered_json all{{"task", report.task}};
  if (report.task == "none") return all;
  all["model"] = report.model;
  all["batch_size"] = report.batch_size;
  if (!report.refused.empty()) all["refused"] = report.refused;
  all["summary"] = report.summary;
  all["notes"] = report.notes;
  if (report.inputs.count > 0) all["samples"]["input"] = json_of(report.inputs);
  if (report.targets.count > 0) all["samples"]["target"] = json_of(report.targets);
  if (report.padding_by_length && report.padding_in_order)
    all["padding"] = {{"length", *report.padding_by_length}, {"order", *report.padding_in_order}};
  if (report.memory) all["memory"] = json_of(*report.memory);
  if (!report.memory_refused.empty()) all["memory_refused"] = report.memory_refused;
  all["batches"] = ordered_json::array();
  for (const ShownBatch& batch : report.batches) all["batches"].push_back(json_of(batch));
  return all;
}

}  // namespace weft::tools
