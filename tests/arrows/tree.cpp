#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "rules.h"

namespace arrows {

std::string listed(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    text += finding.path + (finding.line > 0 ? ":" + std::to_string(finding.line) : "") + ": " +
            finding.text + "\n";
  }
  return text;
}

std::vector<File> read_tree(const std::string& root) {
  namespace fs = std::filesystem;
  std::vector<File> tree;
  const auto add = [&](const fs::path& path) {
    const std::string name = fs::relative(path, root).generic_string();
    const auto kind = path.extension();
    if ((kind != ".h" && kind != ".cpp" && kind != ".inc") || name.starts_with("tests/outside/")) return;
    std::ifstream in(path, std::ios::binary);
    tree.push_back({name, {std::istreambuf_iterator<char>(in), {}}});
  };
  for (const char* room : {"lib", "autograd", "layers", "optim", "data", "train", "exchange", "tests",
                           "examples", "tools", "bench"}) {
    if (!fs::exists(fs::path(root) / room)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(root) / room)) {
      if (entry.is_regular_file()) add(entry.path());
    }
  }
  std::ranges::sort(tree, {}, &File::path);
  return tree;
}

std::vector<Finding> over_ceilings(const std::vector<File>& tree) {
  std::vector<Finding> findings;
  for (const File& file : tree) {
    const auto lines = std::ranges::count(file.text, '\n');
    const int ceiling = file.path.ends_with(".h") ? 150 : 300;
    if (lines > ceiling)
      findings.push_back(
          {file.path, 0, std::to_string(lines) + " lines, ceiling " + std::to_string(ceiling)});
  }
  return findings;
}

}  // namespace arrows
