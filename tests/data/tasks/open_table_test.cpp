#include <doctest/doctest.h>
#include <weft/data/loader.h>
#include <weft/data/tasks/registry.h>
#include <weft/data/tasks/table_task.h>
#include <weft/data/text/tokenize.h>

#include <algorithm>
#include <set>

#include "checks.h"
#include "folder.h"

using namespace weft;
using test::refuses;

namespace {

using Ids = std::vector<int64_t>;
using Changes = std::initializer_list<std::pair<const std::string, SettingValue>>;

/// The settings as a new run has them.
SettingValues usual(const std::string& task, Changes changed = {}) {
  SettingValues all;
  for (const Setting& s : tasks().at(task).settings) all.set(s.name, s.value);
  for (const auto& [name, value] : changed) all.set(name, value);
  return all;
}

TaskRequest request(const std::string& task, std::vector<std::string> data, Changes changed = {}) {
  return {
      .name = task, .settings = usual(task, changed), .seed = 3, .update_size = 4, .data = std::move(data)};
}

const TableTask& held_out(const TaskData& data) { return dynamic_cast<const TableTask&>(*data.held_out); }

/// What of a table validates, as text.
std::set<std::string> validating(const TaskData& data) {
  const TableTask& task = held_out(data);
  std::set<std::string> all;
  for (int64_t i = 0; i < task.size(); ++i)
    all.emplace(task.origin().table->field(task.origin().records[static_cast<size_t>(i)], 0));
  return all;
}

std::string notes_of(const TaskData& data) {
  std::string all;
  for (const std::string& note : data.notes) all += note + "\n";
  return all;
}
bool says(const TaskData& data, const std::string& part) {
  return notes_of(data).find(part) != std::string::npos;
}

/// text,label: "a0,x", "a1,y", ...
std::string table(int records, int from = 0) {
  std::string all = "text,label\n";
  for (int i = from; i < from + records; ++i) all += str("a", i, ",", i % 2 == 0 ? "x" : "y", "\n");
  return all;
}

void refused(const TaskRequest& asked, const std::vector<std::string>& parts) {
  std::string said = "(nothing was refused)";
  try {
    open_task(asked);
  } catch (const FileError& error) {
    said = error.what();
  } catch (const ValueError& error) {
    said = error.what();
  }
  for (const std::string& part : parts)
    CHECK_MESSAGE(said.find(part) != std::string::npos, "'" << said << "' does not say '" << part << "'");
}

}  // namespace

TEST_CASE("classify: ids, classes and batches of a tiny table") {
  const Folder folder;
  const std::string train = folder.write("train.csv", "text,label\nab,dog\nb,cat\n\"a,b\",dog\n"),
                    test = folder.write("test.csv", "label,text\ncat,ba\n");
  TaskRequest asked = request("classify", {train}, {{"batching", std::string("order")}});
  asked.val_data = {test};
  const TaskData data = open_task(asked);
  // , a b are 0 1 2; <pad> <cls> <sep> <mask> follow.
  CHECK(data.held_out->class_names() == std::vector<std::string>{"cat", "dog"});
  CHECK(data.shape.kind == TaskKind::classification);
  CHECK(data.shape.vocab_size == 7);
  CHECK(data.shape.classes == 2);
  CHECK(data.shape.pad_id == 3);
  CHECK(data.shape.sizes.longest_input == 5);
  CHECK(data.training->samples_per_epoch() == 3);
  std::set<std::pair<Ids, int64_t>> found;
  const Batch batch = data.training->batch(0, 3);
  for (int64_t row = 0; row < 3; ++row) {
    const auto all = batch.inputs.values<int64_t>().subspan(static_cast<size_t>(row * 5), 5);
    found.insert(
        {Ids(all.begin(), all.begin() + batch.lengths[static_cast<size_t>(row)]), batch.targets.at({row})});
  }
  CHECK(found == std::set<std::pair<Ids, int64_t>>{{{4, 1, 2, 5}, 1}, {{4, 2, 5}, 0}, {{4, 1, 0, 2, 5}, 1}});
  CHECK(data.unseen.size() == 1);
  CHECK(data.unseen.batch(0, 8).inputs.identical(Array::from(Ids{4, 2, 1, 5}, {1, 4})));
  CHECK(data.unseen.batch(0, 8).targets.at({0}) == 0);
  CHECK(data.summary == "task classify: 3 records train, 1 validate; 7 in the vocabulary");
  CHECK(says(data, "labels: cat 1, dog 2"));
  CHECK(held_out(data).origin().table->place(0).line == 2);
}

TEST_CASE("pairs of files side by side, of columns, and with a prefix") {
  const Folder folder;
  const std::string a = folder.write("a.en", "ab\nb\n"), b = folder.write("a.fr", "ba\naab\n"),
                    c = folder.write("v.csv", "source,target\na,b\n");
  TaskRequest asked = request("pairs", {a + "," + b});
  asked.val_data = asked.data;
  const TaskData data = open_task(asked);
  // a b are 0 1; <pad> <s> </s> follow.
  CHECK(data.shape.start_id == 3);
  CHECK(data.shape.end_id == 4);
  CHECK(data.shape.sizes.longest_target == 4);
  CHECK(held_out(data).sample(0).input == Ids{0, 1, 4});
  CHECK(held_out(data).sample(1).target == Ids{0, 0, 1, 4});
  CHECK(says(data, "2 of the records that validate stand among those that train too"));
  asked = request("pairs", {c});
  asked.val_data = {c};
  CHECK(held_out(open_task(asked)).sample(0).target == Ids{1, 4});
  const std::string t = folder.write("t.tsv", "prefix\tsource\ttarget\nsay\ta\tb\n");
  asked = request("text-to-text", {t});
  asked.val_data = {t};
  const TaskData prefixed = open_task(asked);
  CHECK(prefixed.held_out->input_text(prefixed.held_out->batch(0, 1), 0) == "say: a</s>");
}

TEST_CASE("chats of every layout") {
  const Folder folder;
  for (const auto& [name, content] : std::vector<std::pair<std::string, std::string>>{
           {"a.jsonl", R"({"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]})"},
           {"b.jsonl",
            R"({"id":1,"conversations":[{"from":"human","value":"a"},{"from":"gpt","value":"b"}]})"},
           {"c.json", R"([{"instruction":"a","input":"","output":"b"}])"},
           {"d.csv", "question,answer\na,b\n"},
           {"e.csv", "prompt,response,x\na,b,1\n"}}) {
    CAPTURE(name);
    const std::string path = folder.write(name, content + "\n");
    TaskRequest asked = request("chat", {path});
    asked.val_data = {path};
    const TaskData data = open_task(asked);
    // a b are 0 1; <pad> </s> <|system|> <|user|> <|assistant|> follow.
    CHECK(held_out(data).sample(0).input == Ids{5, 0, 3, 6, 1});
    CHECK(held_out(data).sample(0).target == Ids{Batch::ignored, Batch::ignored, Batch::ignored, 1, 3});
  }
  const std::string path = folder.write("f.csv", "q,r\na,b\n");
  TaskRequest named = request("chat", {path}, {{"source", std::string("q")}, {"target", std::string("r")}});
  named.val_data = {path};
  CHECK(held_out(open_task(named)).size() == 1);
  refused(request("chat", {path}), {"f.csv", "its columns are q, r", "--set source=... target=..."});
  refused(request("chat", {path}, {{"source", std::string("q")}}), {"give both"});
}

TEST_CASE("what is too long is cut, or left out, and counted") {
  const Folder folder;
  const std::string labelled = folder.write("a.csv", "text,label\nabcdefgh,x\nab,y\n");
  TaskRequest asked = request("classify", {labelled}, {{"longest", int64_t{4}}});
  asked.val_data = {labelled};
  const TaskData cut = open_task(asked);
  CHECK(held_out(cut).sample(0).input == Ids{9, 0, 1, 10});
  CHECK(held_out(cut).origin().cut == 1);
  CHECK(says(cut, "2 records have more than longest = 4 tokens and are cut"));
  for (const int64_t few : {1, 2}) {
    asked.settings.set("longest", few);
    refused(asked, {str("longest = ", few), "no word", "3 is the least"});
  }
  const std::string pairs = folder.write("b.csv", "source,target\nabcdefgh,x\nab,y\na,abcdefgh\n");
  asked = request("pairs", {pairs}, {{"longest", int64_t{4}}});
  asked.val_data = {pairs};
  const TaskData left = open_task(asked);
  CHECK(held_out(left).size() == 1);
  CHECK(held_out(left).origin().records == std::vector<size_t>{1});
  CHECK(says(left, "4 records have more than longest = 4 tokens and are left out"));
  asked.settings.set("longest", int64_t{1});
  refused(asked, {"b.csv: all 3 records that train have more than longest = 1 tokens", "--set longest=0"});
  asked.settings.set("longest", int64_t{0});
  CHECK(held_out(open_task(asked)).size() == 3);
}

TEST_CASE("which records validate depends on what they say alone") {
  const Folder folder;
  std::string first = table(300), more = table(600, -150);
  const std::string a = folder.write("a.csv", first), b = folder.write("b.csv", more);
  const TaskData small = open_task(request("classify", {a})), large = open_task(request("classify", {b}));
  const auto before = validating(small), after = validating(large);
  CHECK(before.size() > 15);
  CHECK(before.size() < 50);
  for (int i = 0; i < 300; ++i) {
    const std::string text = str("a", i);
    CHECK(before.contains(text) == after.contains(text));
  }
  // Said twice it stays on one side, whatever its labels; so does a record that is there twice.
  std::string doubled = "text,label\n";
  for (int i = 0; i < 300; ++i) doubled += str("a", i, ",x\na", i, ",y\n");
  const TaskData twice = open_task(request("classify", {folder.write("c.csv", doubled)}));
  CHECK(validating(twice) == before);
  CHECK(held_out(twice).size() == 2 * std::ssize(before));
  CHECK(twice.training->samples_per_epoch() == 600 - held_out(twice).size());
  CHECK_FALSE(says(twice, "stand among those that train"));
  // More of them by val_share; none at all is refused.
  CHECK(validating(open_task(request("classify", {a}, {{"val_share", 0.5}}))).size() > 100);
  refused(request("classify", {a}, {{"val_share", 0.0}}),
          {"a.csv: 300 records leave none to validate with val_share = 0", "--val-data FILE"});
  refused(request("classify", {folder.write("one.csv", "text,label\na,x\n")}), {"one.csv", "leave none to"});
}

TEST_CASE("records on both sides are counted, whatever their labels, and places go around as samples do") {
  const Folder folder;
  const std::string a = folder.write("a.csv", table(100)),
                    v = folder.write("v.csv", "text,label\na0,x\na1,y\naa,y\n");
  TaskRequest asked = request("classify", {a});
  asked.val_data = {v};
  const TaskData data = open_task(asked);
  CHECK(says(data, "2 of the records that validate stand among those that train"));
  const TableTask& validates = held_out(data);
  REQUIRE(validates.size() == 3);
  const auto places = validates.places(2, 2);
  CHECK(places.at(0).at(0).first.line == 4);
  CHECK(places.at(1).at(0).first.line == 2);
  CHECK(validates.input_text(validates.batch(3, 1), 0) == "<cls>a0<sep>");
  asked.tokenizer_name = "word";
  refused(asked, {"tokenizer: must be ", "not 'word'"});
}

TEST_CASE("files that have changed are not those that a run was made with") {
  const Folder folder;
  const std::string a = folder.write("a.csv", table(100)), v = folder.write("v.csv", table(10, 200));
  TaskRequest asked = request("classify", {a});
  const std::string alone = open_task(asked).content_hash;
  CHECK(alone.size() == 32);
  CHECK(open_task(asked).content_hash == alone);
  asked.val_data = {v};
  const std::string both = open_task(asked).content_hash;
  CHECK(both != alone);
  asked.expected_hash = both;
  CHECK_NOTHROW(open_task(asked));
  folder.write("v.csv", table(11, 200));
  CHECK_THROWS_AS(open_task(asked), OtherText);
  refused(asked, {"a.csv", "is not the text that the run was made with"});
  folder.write("v.csv", table(10, 200));
  folder.write("a.csv", table(101));
  CHECK_THROWS_AS(open_task(asked), OtherText);
}

TEST_CASE("labels: those of what validates are those of what trains") {
  const Folder folder;
  const std::string a = folder.write("a.csv", "text,label\na,dog\nb,cat\n"),
                    v = folder.write("v.csv", "text,label\na,cat\nb,cats\n"),
                    w = folder.write("w.csv", "text,label\na,hippopotamus\n"),
                    one = folder.write("one.csv", "text,label\na,x\nb,x\n");
  TaskRequest asked = request("classify", {a});
  asked.val_data = {v};
  refused(asked, {"v.csv: line 3, column label", "'cats'", "did you mean 'cat'?"});
  asked.val_data = {w};
  refused(asked, {"w.csv: line 2, column label", "'hippopotamus'", "there are cat, dog"});
  asked = request("classify", {one});
  asked.val_data = {one};
  refused(asked, {"one.csv: every record has the label 'x'", "two"});
  // One that stands among what validates alone is a class all the same, and said to be without examples.
  std::string rare = table(40);
  const TaskData plain = open_task(request("classify", {folder.write("r.csv", rare)}));
  const std::string kept = *validating(plain).begin();
  rare += kept + ",rare\n";
  const TaskData data = open_task(request("classify", {folder.write("r.csv", rare)}));
  CHECK(data.held_out->class_names() == std::vector<std::string>{"rare", "x", "y"});
  CHECK(says(data, "warning: nothing that trains has the label 'rare'"));
}

TEST_CASE("bad tables are refused, with file, line, column and what to do") {
  const Folder folder;
  const auto classify = [&](const std::string& name, const std::string& content,
                            const std::vector<std::string>& parts) {
    CAPTURE(name);
    const std::string path = folder.write(name, content);
    TaskRequest asked = request("classify", {path});
    asked.val_data = {path};
    refused(asked, parts);
  };
  classify("few.csv", "text,label\na,x\nb\n", {"few.csv: line 3", "1", "2"});
  classify("other.csv", "text,labels\na,x\n", {"other.csv: line 1", "'label'", "did you mean 'labels'?"});
  classify("quote.csv", "text,label\n\"a,x\nb,y\n", {"quote.csv: line 2", "quote"});
  classify("json.jsonl", "{\"text\":\"a\",\"label\":\"x\"}\n{\"text\":\"a\"\n",
           {"json.jsonl: line 2", "no JSON"});
  classify("utf.csv", "text,label\na,x\nb\xff,y\n", {"utf.csv: line 3", "UTF-8", "invalid=replace"});
  classify("nul.csv", std::string("text,label\na\0,x\n", 16), {"nul.csv: line 2", "NUL"});
  classify("empty.csv", "text,label\na,x\n,y\n", {"empty.csv: line 3, column text", "empty=skip"});
  classify("nothing.csv", "", {"nothing.csv", "no record"});
  classify("head.csv", "text,label\n", {"head.csv", "no record"});
  classify("lines.csv", "{\"text\":\"a\",\"label\":\"x\"}\n", {"lines.csv: line 1", "format=jsonl"});
  refused(request("classify", {folder.path("gone.csv")}), {"gone.csv"});
  refused(request("classify", {folder.write("a.dat", "a,b\n")}), {"a.dat", "format="});
  refused(request("pairs", {folder.write("a.en", "a\n")}), {"a.en", "format="});
  refused(request("pairs", {folder.path("a.en") + "," + folder.path("a.de")}), {"a.de"});
  folder.write("a.fr", "a\nb\n");
  refused(request("pairs", {folder.path("a.en") + "," + folder.path("a.fr")}),
          {"a.en: ends after line 1", "a.fr goes on"});
  TaskRequest replaced = request("classify", {folder.path("utf.csv")}, {{"invalid", std::string("replace")}});
  replaced.val_data = replaced.data;
  CHECK(says(open_task(replaced), "bytes are not UTF-8 and are read as U+FFFD"));
  TaskRequest skipped = request("classify", {folder.write("s.csv", "text,label\na,x\n,y\nb,y\n")},
                                {{"empty", std::string("skip")}});
  skipped.val_data = skipped.data;
  CHECK(says(open_task(skipped), "records with an empty field are passed over"));
  TaskRequest chat = request("chat", {folder.path("chat.jsonl")});
  chat.val_data = chat.data;
  folder.write("chat.jsonl", "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}\n");
  refused(chat, {"chat.jsonl: line 1", "no turn of the assistant"});
  folder.write("chat.jsonl", "{\"messages\":\"hello\"}\n");
  refused(chat, {"chat.jsonl: line 1", "list of turns"});
}

TEST_CASE("batches by length are the default; counted tokens need them") {
  const Folder folder;
  const std::string a = folder.write("a.csv", table(200));
  const TaskData data = open_task(request("classify", {a}));
  CHECK(says(data, "batches by length: "));
  Loader loader(data.training, 4);
  std::multiset<std::string> met;
  while (loader.consumed() < data.training->samples_per_epoch()) {
    const Batch batch = loader.next();
    for (int64_t row = 0; row < batch.inputs.dim(0); ++row) met.insert(data.held_out->input_text(batch, row));
  }
  CHECK(std::ssize(met) == data.training->samples_per_epoch());
  CHECK(std::set<std::string>(met.begin(), met.end()).size() == met.size());
  const TaskData counted = open_task(request("classify", {a}, {{"batch_tokens", int64_t{60}}}));
  CHECK(counted.largest_rows > 4);
  CHECK(counted.training->next_batch(0, 4) > 4);
  refused(request("classify", {a}, {{"batch_tokens", int64_t{60}}, {"batching", std::string("order")}}),
          {"batch_tokens = 60", "batching = order"});
}

TEST_CASE("records to score are all there are, in their order") {
  const Folder folder;
  const std::string a = folder.write("a.csv", table(30)), b = folder.write("b.csv", table(5, 10));
  const TaskData data = open_task(request("classify", {a}));
  TaskRequest asked = request("classify", {b, a}, {{"longest", int64_t{0}}});
  refuses<ValueError>([&] { open_table_to_score("classify", asked); }, {"no tokenizer"});
  asked.tokenizer = data.tokenizer;
  refuses<ValueError>([&] { open_table_to_score("classify", asked); }, {"no names of classes"});
  asked.class_names = data.held_out->class_names();
  const auto task = open_table_to_score("classify", asked);
  CHECK(task->samples_per_epoch() == 35);
  CHECK(task->input_text(task->batch(0, 1), 0) == "<cls>a10<sep>");
  CHECK(task->input_text(task->batch(34, 1), 0) == "<cls>a29<sep>");
  CHECK(task->target_text(task->batch(34, 1), 0) == "y");
  asked.settings.set("longest", int64_t{4});
  CHECK(dynamic_cast<const TableTask&>(*open_table_to_score("classify", asked)).origin().cut == 25);
  refuses<ValueError>([&] { open_table_to_score("chat", asked); }, {"chat", "lacks", "<|user|>"});
  const std::string pairs = folder.write("p.csv", "source,target\na0,a1\na0,a11\n");
  TaskRequest answers = request("pairs", {pairs}, {{"longest", int64_t{3}}});
  answers.tokenizer = with_special(data.tokenizer, {"</s>"});
  refuses<FileError>([&] { open_table_to_score("pairs", answers); },
                     {"p.csv: line 3", "4 tokens", "at most 3"});
}
