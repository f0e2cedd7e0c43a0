// The rules of the house, checked over the text of its files: who may include whom, where third parties may
// be named, what computes numbers, and that weft.h is complete. A tree is a list of files, so that a test can
// make a bad one.
#pragma once

#include <string>
#include <vector>

namespace arrows {

struct File {
  /// From the root of the project: "lib/array.h".
  std::string path;
  std::string text;
};

struct Finding {
  std::string path;
  /// From 1; 0 for the file as a whole.
  int line = 0;
  std::string text;
};

/// "lib/array.h:12: text", a line each.
std::string listed(const std::vector<Finding>& findings);

/// All .h, .cpp and .inc files of the rooms below `root`, sorted by path; none of the folder tests/outside,
/// which is a project of its own.
std::vector<File> read_tree(const std::string& root);

/// What breaks a rule:
/// - an include against an arrow, of a file that is not there, of internals (lib/isa) or of weft/lib/xt.h where
///   it may not be;
/// - xtensor or BLAS outside lib/ (and there outside sources and xt.h), OpenMP outside lib/machine/parallel.*,
///   HDF5 outside lib/files/hdf5_*, other third parties outside the rooms that may use them;
/// - libm's elementary functions in the rooms that compute (lib, autograd, layers, optim, data);
/// - a header without #pragma once, a public header that weft.h does not reach.
std::vector<Finding> broken_rules(const std::vector<File>& tree);

/// Files over the soft ceilings: 300 lines a source, 150 a header.
std::vector<Finding> over_ceilings(const std::vector<File>& tree);

}  // namespace arrows
