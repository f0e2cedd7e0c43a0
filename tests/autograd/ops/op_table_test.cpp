// Nothing may be missing from the table: neither an operation that a header declares, nor a name that a
// source records in the graph, nor PyTorch's numbers.
#include "op_table.h"

#include <doctest/doctest.h>
#include <weft/autograd/node.h>
#include <weft/lib/files/hdf5_file.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

namespace weft::test {

namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string>;

/// The files of autograd/ that end in `extension`, each as one text without line comments.
std::vector<std::pair<std::string, std::string>> sources(const std::string& extension) {
  std::vector<std::pair<std::string, std::string>> found;
  for (const auto& entry : fs::recursive_directory_iterator(WEFT_SOURCE_DIR "/autograd")) {
    if (entry.path().extension() != extension) continue;
    std::ifstream file(entry.path());
    std::ostringstream text;
    text << file.rdbuf();
    found.emplace_back(entry.path().filename().string(),
                       std::regex_replace(text.str(), std::regex("//[^\n]*"), ""));
  }
  return found;
}

/// "const Tensor& x, int axis = -1" -> "Tensor, int".
std::string types_of(const std::string& parameters) {
  std::string types;
  int depth = 0;
  std::string one;
  const auto finish = [&] {
    one = std::regex_replace(one, std::regex("=[^]*|&|\\bconst\\b"), "");
    one = std::regex_replace(one, std::regex("\\s+"), " ");
    one = std::regex_replace(one, std::regex("^ | ?\\w+ ?$"), "");
    if (!one.empty()) types += (types.empty() ? "" : ", ") + one;
    one.clear();
  };
  for (const char c : parameters) {
    depth += (c == '<' || c == '{') - (c == '>' || c == '}');
    if (c == ',' && depth == 0) {
      finish();
    } else {
      one += c;
    }
  }
  finish();
  return types;
}

/// What headers declare that gives tensors, but for the engine, the ways to make operations and leaves, and
/// what has no gradient.
Names declared() {
  const Names without_gradient = {
      "cached_attention(Tensor, Tensor, Tensor, int64_t, KeyValueCache, std::span< int64_t>, "
      "AttentionOptions)",
      "memory_attention(Tensor, int64_t, KeyValueCache, AttentionOptions)"};
  const Names not_operations = {"tensor.h",    "node.h",         "op.h",       "composed.h",
                                "gradcheck.h", "named_tensor.h", "recompute.h"};
  const std::regex declaration(
      "(?:^|\n)(?:Tensor|Loss|Recurrence|std::vector<Tensor>)\\s+(operator\\W+?|\\w+)\\(([^;]*)\\)\\s*;");
  Names names;
  for (const auto& [file, text] : sources(".h")) {
    if (not_operations.contains(file) || file.ends_with("_internal.h")) continue;
    for (std::sregex_iterator at(text.begin(), text.end(), declaration), end; at != end; ++at) {
      names.insert((*at)[1].str() + "(" + types_of((*at)[2].str()) + ")");
    }
  }
  for (const std::string& name : without_gradient) CHECK(names.erase(name) == 1);
  return names;
}

Names recorded_by_sources() {
  const std::regex call("make_op\\(\\s*\"(\\w+)\"");
  Names names;
  for (const auto& [file, text] : sources(".cpp")) {
    for (std::sregex_iterator at(text.begin(), text.end(), call), end; at != end; ++at)
      names.insert((*at)[1].str());
  }
  return names;
}

void collect(const Tensor& y, Names& names) {
  std::vector<const Node*> stack;
  std::set<const Node*> seen;
  const auto enter = [&](const Node* node) {
    if (node && seen.insert(node).second) stack.push_back(node);
  };
  enter(y.state()->node.get());
  while (!stack.empty()) {
    const Node* node = stack.back();
    stack.pop_back();
    names.insert(node->name);
    for (const Edge& edge : node->edges) enter(edge.node.get());
  }
}

Names without(const Names& a, const Names& b) {
  Names rest;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::inserter(rest, rest.end()));
  return rest;
}

std::string listed(const Names& names) {
  std::string text;
  for (const std::string& name : names) text += name + "\n";
  return text;
}

}  // namespace

TEST_CASE("op table: types of parameters are read from declarations") {
  CHECK(types_of("") == "");
  CHECK(types_of("const Tensor& x, const Axes& axes = {}, bool keepdim = false") == "Tensor, Axes, bool");
  CHECK(types_of("const std::vector<Tensor>& parts,\n   int axis") == "std::vector<Tensor>, int");
}

TEST_CASE("op table: every declared operation stands in it, and nothing else") {
  Names in_table;
  for (const OpCase& row : op_table()) in_table.insert(row.op);
  const Names in_headers = declared();
  CHECK(in_headers.size() > 60);
  CHECK(listed(without(in_headers, in_table)) == "");
  CHECK(listed(without(in_table, in_headers)) == "");
}

TEST_CASE("op table: every operation that a source records is in some graph of it") {
  Names in_graphs;
  for (const DType dtype : {float32, float64}) {
    for (const OpCase& row : op_table()) {
      if (row.inputs.empty()) continue;
      const std::vector<Tensor> inputs = drawn(row.name, row.inputs, dtype);
      const Tensor y = row.f(inputs);
      collect(y, in_graphs);
      for (const Tensor& g : grad({y}, inputs, {ones(y.shape(), dtype)}, {.create_graph = true}))
        collect(g, in_graphs);
    }
  }
  CHECK(listed(without(recorded_by_sources(), in_graphs)) == "");
}

TEST_CASE("op table: PyTorch's numbers are there for every operation, and all of them are used") {
  const StateDict reference = read_hdf5(WEFT_SOURCE_DIR "/tests/reference/ops.h5");
  Names names, compared, all;
  for (const OpCase& row : op_table()) {
    CHECK_MESSAGE(names.insert(row.name).second, "two rows are called " << row.name);
    all.insert(row.op);
    if (reference.contains(row.name)) compared.insert(row.op);
  }
  const std::vector<std::string> keys = reference.keys();
  CHECK(listed(without(Names(keys.begin(), keys.end()), names)) == "");
  CHECK(listed(without(all, compared)) == "");
}

}  // namespace weft::test
