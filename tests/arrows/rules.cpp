#include "rules.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <string_view>

#include "text.h"

namespace arrows {
namespace {

using Names = std::set<std::string, std::less<>>;

/// The table of DESIGN: a room may include itself and these.
const std::map<std::string, Names, std::less<>> table = {
    {"lib", {}},
    {"autograd", {"lib"}},
    {"layers", {"autograd", "lib"}},
    {"models", {"layers", "autograd", "lib"}},
    {"optim", {"autograd", "lib"}},
    {"data", {"lib"}},
    {"exchange", {"models", "layers", "data", "autograd", "lib"}},
    {"train", {"optim", "models", "layers", "data", "autograd", "lib"}},
};
/// Made by the build of all public headers; rooms do not include it.
constexpr std::string_view umbrella = "weft.h";

const Names everything = {"lib",  "autograd", "layers",   "models", "optim",
                          "data", "train",    "exchange", "weft.h"};

struct Place {
  std::string room;       // "lib", "models", "tests/data", "tools", ...
  Names may_include;      // rooms
  bool computes = false;  // a room of the table, not a program or a test
};

Place place_of(const std::string& path) {
  const auto begins = [&](std::string_view with) { return path.starts_with(with); };
  if (path == umbrella) return {std::string(umbrella), everything};
  std::string room = begins("layers/models/") ? "models" : path.substr(0, path.find('/'));
  if (const auto row = table.find(room); row != table.end()) {
    Names rooms = row->second;
    rooms.insert(room);
    return {room, rooms, true};
  }
  Names rooms = everything;
  if (room == "tests") {
    const size_t from = room.size() + 1, slash = path.find('/', from);
    const std::string tested = slash == std::string::npos ? "" : path.substr(from, slash - from);
    // The models are tested with the layers. What lies beside the rooms' tests is for all of them.
    const auto row = table.find(tested == "layers" ? "models" : tested.empty() ? "lib" : tested);
    if (row != table.end()) {
      rooms = row->second;
      rooms.insert(row->first);
    }
    if (tested == "tools") rooms.insert(tested);
    rooms.insert("tests");
    if (!tested.empty()) room += "/" + tested;
  }
  rooms.insert(room);
  return {room, rooms};
}

bool is_header(const std::string& path) { return path.ends_with(".h"); }

/// A third party: the beginnings of its headers, where it may be included, and how that is said.
struct Party {
  std::string_view name;
  std::vector<std::string_view> headers;
  bool (*may)(const std::string& path, const Place& place);
  std::string_view where;
};

const std::vector<Party> parties = {
    {"xtensor or BLAS",
     {"xtensor", "xtl/", "xsimd", "xflens/", "cblas", "lapacke", "openblas", "f77blas"},
     [](const std::string& path, const Place& place) {
       return place.room == "tests/lib" || (place.room == "lib" && (!is_header(path) || path == "lib/xt.h"));
     },
     "only in lib/xt.h and the sources of lib/"},
    {"OpenMP",
     {"omp.h"},
     [](const std::string& path, const Place&) { return path.starts_with("lib/machine/parallel."); },
     "only in lib/machine/parallel.*"},
    {"HDF5",
     {"hdf5", "H5"},
     [](const std::string& path, const Place&) { return path.starts_with("lib/files/hdf5_"); },
     "only in lib/files/hdf5_*"},
    {"utf8proc",
     {"utf8proc"},
     [](const std::string& path, const Place&) {
       return (path.starts_with("data/text/") || path.starts_with("data/tokenizers/")) && !is_header(path);
     },
     "only in the sources of data/text and data/tokenizers"},
    {"Oniguruma",
     {"onig"},
     [](const std::string& path, const Place&) { return path == "data/tokenizers/regex.cpp"; },
     "only in data/tokenizers/regex.cpp"},
    {"SentencePiece",
     {"sentencepiece"},
     [](const std::string& path, const Place&) { return path == "data/plugins/sentencepiece.cpp"; },
     "only in data/plugins/sentencepiece.cpp"},
    {"libpng and libjpeg",
     {"png.h", "jpeglib.h", "jerror.h"},
     [](const std::string& path, const Place&) { return path == "data/plugins/pictures.cpp"; },
     "only in data/plugins/pictures.cpp"},
    {"libsndfile and libsamplerate",
     {"sndfile", "samplerate"},
     [](const std::string& path, const Place&) { return path == "data/plugins/sounds.cpp"; },
     "only in data/plugins/sounds.cpp"},
    {"MPI",
     {"mpi.h", "mpi-ext.h"},
     [](const std::string& path, const Place&) { return path == "lib/plugins/mpi.cpp"; },
     "only in lib/plugins/mpi.cpp"},
    {"cpp-httplib",
     {"httplib"},
     [](const std::string& path, const Place&) { return path.starts_with("tools/plugins/http"); },
     "only in tools/plugins/http*"},
    {"zlib and zstd",
     {"zlib", "zstd"},
     [](const std::string& path, const Place&) { return path.starts_with("data/text/") && !is_header(path); },
     "only in the sources of data/text"},
    {"doctest",
     {"doctest"},
     [](const std::string&, const Place& place) { return place.room.starts_with("tests"); },
     "only in tests/"},
    {"nlohmann-json",
     {"nlohmann/"},
     [](const std::string& path, const Place& place) {
       return !place.computes || !is_header(path) || path.ends_with("_internal.h");
     },
     "only in sources, not in headers of rooms"},
    {"the command line's libraries",
     {"CLI/", "toml++/"},
     [](const std::string& path, const Place& place) {
       return !place.computes || (place.room == "train" && !is_header(path));
     },
     "only in programs, tests and the sources of train/"},
    {"libm's global names or the standard generators",
     {"math.h", "random"},
     [](const std::string&, const Place& place) { return !place.computes; },
     "not in the rooms that compute: use <cmath> for exact functions, weft/lib/base/math.h and "
     "weft/lib/array/random.h"},
};

/// Functions whose last bits change with the processor or the library; sqrt, fma, floor and their like are
/// exact.
const Names inexact = {"exp",   "exp2",  "expm1", "log",  "log2", "log10", "log1p", "pow",    "sin",
                       "cos",   "tan",   "asin",  "acos", "atan", "atan2", "sinh",  "cosh",   "tanh",
                       "asinh", "acosh", "atanh", "erf",  "erfc", "cbrt",  "hypot", "tgamma", "lgamma"};

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

class Checker {
 public:
  explicit Checker(const std::vector<File>& tree) : tree_(tree) {
    for (const File& file : tree) paths_.insert(file.path);
  }

  std::vector<Finding> run() {
    for (const File& file : tree_) check(file);
    return std::move(findings_);
  }

 private:
  void find(int line, const std::string& text) { findings_.push_back({path_, line, text}); }

  void check(const File& file) {
    path_ = file.path;
    place_ = place_of(file.path);
    std::istringstream lines(without_comments(file.text, true));
    bool once = false;
    int number = 0;
    for (std::string line; std::getline(lines, line);) {
      ++number;
      const size_t hash = line.find_first_not_of(" \t");
      if (hash == std::string::npos || line[hash] != '#') continue;
      const std::string directive =
          line.substr(std::min(line.size(), line.find_first_not_of(" \t", hash + 1)));
      if (directive.starts_with("include")) check_include(directive.substr(7), number);
      if (directive.starts_with("pragma omp") && !path_.starts_with("lib/machine/parallel.")) {
        find(number, "#pragma omp: OpenMP only in lib/machine/parallel.*");
      }
      once = once || directive.starts_with("pragma once");
    }
    if (is_header(path_) && !once) find(0, "a header without #pragma once");
    if (place_.computes) check_functions(file.text);
  }

  void check_include(const std::string& rest, int line) {
    const size_t open = rest.find_first_of("<\"");
    const size_t close = open == std::string::npos ? open : rest.find_first_of(">\"", open + 1);
    if (close == std::string::npos) {
      find(line, "an include that names no file:" + rest);
      return;
    }
    const std::string name = rest.substr(open + 1, close - open - 1);
    if (rest[open] == '<' && !name.starts_with("weft/")) {
      check_party(name, line);
      return;
    }
    const std::string target = rest[open] == '<' ? name.substr(5) : resolve(name);
    if (!paths_.contains(target) && target != umbrella) {
      find(line, "includes " + name + ", which is not in the tree");
      return;
    }
    check_arrow(target, line);
  }

  /// A quoted name is looked up beside the file, then among the files that all tests share.
  std::string resolve(const std::string& name) const {
    namespace fs = std::filesystem;
    const std::string beside = (fs::path(path_).parent_path() / name).lexically_normal().generic_string();
    const std::string shared = fs::path("tests/" + name).lexically_normal().generic_string();
    return paths_.contains(beside) || !place_.room.starts_with("tests") ? beside : shared;
  }

  void check_arrow(const std::string& target, int line) {
    const std::string room = place_of(target).room;
    // The door through which a program has all commands.
    const bool door = target == "tools/cli.h" && place_.room == "examples";
    if (!place_.may_include.contains(room) && !door) {
      find(line, "includes " + target + ": no arrow from " + place_.room + " to " + room);
    }
    const bool ground = place_.room == "lib" || place_.room == "tests/lib";
    if (target.starts_with("lib/isa/") && !ground && place_.room != "bench")
      find(line, "includes " + target + ", which is internal to lib");
    if (target == "lib/xt.h" &&
        (place_.room == "weft.h" || (place_.computes && (!ground || is_header(path_))))) {
      find(line,
           "includes " + target + ": xtensor only in the sources of lib/ and in programs that ask for it");
    }
  }

  void check_party(const std::string& name, int line) {
    for (const Party& party : parties) {
      const bool named = std::ranges::any_of(party.headers, [&](std::string_view header) {
        return header == "random" || header == "math.h" ? name == header : name.starts_with(header);
      });
      if (named && !party.may(path_, place_)) {
        find(line, "includes <" + name + ">: " + std::string(party.name) + " " + std::string(party.where));
      }
    }
  }

  void check_functions(const std::string& text) {
    const std::string code = without_comments(text, false);
    int line = 1;
    for (size_t i = 0; i < code.size();) {
      if (code[i] == '\n') ++line;
      if (!is_word(code[i])) {
        ++i;
        continue;
      }
      size_t end = i;
      while (end < code.size() && is_word(code[end])) ++end;
      check_word(code, i, end, line);
      i = end;
    }
  }

  /// Refuses std::exp, xt::exp, ::exp, expf( and __builtin_exp; weft's own exp of a Tensor and math::exp
  /// pass.
  void check_word(const std::string& code, size_t begin, size_t end, int line) {
    std::string_view word = std::string_view(code).substr(begin, end - begin);
    const bool builtin = word.starts_with("__builtin_");
    if (builtin) word.remove_prefix(std::string_view("__builtin_").size());
    const bool suffixed = !inexact.contains(word) && (word.ends_with('f') || word.ends_with('l'));
    if (!inexact.contains(suffixed ? word.substr(0, word.size() - 1) : word)) return;
    const std::string_view before = std::string_view(code).substr(0, begin);
    const bool global = before.ends_with("::") && (before.size() == 2 || !is_word(before[before.size() - 3]));
    const bool called = code.find_first_not_of(" \t\n", end) != std::string::npos &&
                        code[code.find_first_not_of(" \t\n", end)] == '(';
    if (before.ends_with("std::") || before.ends_with("xt::") || builtin ||
        ((global || suffixed) && called)) {
      find(line, std::string(word) + ": libm's bits change with the processor; use weft/lib/base/math.h");
    }
  }

  const std::vector<File>& tree_;
  Names paths_;
  std::string path_;
  Place place_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> broken_rules(const std::vector<File>& tree) { return Checker(tree).run(); }

}  // namespace arrows
