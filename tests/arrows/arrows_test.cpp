#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "rules.h"
#include "text.h"

using arrows::File;

namespace {

/// A small house in order: each case below adds one file that is not.
std::vector<File> house() {
  const std::string once = "#pragma once\n";
  std::vector<File> tree = {
      {"lib/array/array.h", once},
      {"lib/xt.h", once + "#include <xtensor/xadapt.hpp>\n#include <weft/lib/array/array.h>\n"},
      {"lib/isa/table.h", once},
      {"lib/kernels/product.h", once},
      {"lib/array.cpp", "#include <cmath>\n#include <xtensor/xarray.hpp>\n#include <weft/lib/isa/table.h>\n"},
      {"lib/machine/parallel.cpp", "#include <omp.h>\n#pragma omp parallel\n"},
      {"lib/files/hdf5_read.cpp", "#include <hdf5.h>\n#include <weft/lib/files/hdf5_internal.h>\n"},
      {"lib/files/hdf5_internal.h", once + "#include <hdf5.h>\n"},
      {"autograd/tensor.h", once + "#include <weft/lib/array/array.h>\n"},
      {"layers/linear.h", once + "#include <weft/autograd/tensor.h>\n#include \"module.h\"\n"},
      {"layers/module.h", once},
      {"layers/models/gpt.h", once + "#include <weft/layers/linear.h>\n"},
      {"optim/adamw.h", once + "#include <weft/autograd/tensor.h>\n"},
      {"data/text/text.h", once + "#include <weft/lib/array/array.h>\n"},
      {"exchange/shop.h", once + "#include <weft/layers/models/gpt.h>\n"},
      {"train/run.h", once + "#include <weft/optim/adamw.h>\n#include <weft/layers/models/gpt.h>\n"},
      {"train/run.cpp", "#include <nlohmann/json.hpp>\n#include <toml++/toml.h>\n"},
      {"tools/weft.cpp",
       "#include <CLI/CLI.hpp>\n#include <weft/data/text/text.h>\n#include <weft/weft.h>\n"},
      {"tools/page.h", once + "#include <weft/lib/array/array.h>\n"},
      {"tests/near.h", once + "#include <weft/lib/array/array.h>\n"},
      {"tests/lib/xt_test.cpp",
       "#include <doctest/doctest.h>\n#include <weft/lib/xt.h>\n#include \"near.h\"\n"},
      {"tests/layers/gpt_test.cpp", "#include <weft/layers/models/gpt.h>\n"},
      {"tests/tools/run_test.cpp",
       "#include <weft/optim/adamw.h>\n#include <weft/data/text/text.h>\n#include \"../../tools/page.h\"\n"},
  };
  return tree;
}

/// What the rules say about one more file in that house.
std::string said_of(const std::string& path, const std::string& text) {
  std::vector<File> tree = house();
  std::erase_if(tree, [&](const File& file) { return file.path == path; });
  tree.push_back({path, text});
  return arrows::listed(arrows::broken_rules(tree));
}

}  // namespace

TEST_CASE("the house keeps its rules") {
  const std::vector<File> tree = arrows::read_tree(WEFT_SOURCE_DIR);
  CHECK_MESSAGE(tree.size() > 50, "only ", tree.size(), " files below " WEFT_SOURCE_DIR);
  const auto broken = arrows::broken_rules(tree);
  CHECK_MESSAGE(broken.empty(), "\n", arrows::listed(broken));
  const auto over = arrows::over_ceilings(tree);
  if (!over.empty()) MESSAGE("over the soft ceilings:\n", arrows::listed(over));
}

TEST_CASE("a house in order passes") { CHECK(arrows::listed(arrows::broken_rules(house())) == ""); }

TEST_CASE("an include against an arrow is found") {
  const std::vector<std::pair<std::string, std::string>> against = {
      {"lib/a.cpp", "autograd/tensor.h"},
      {"lib/a.cpp", "data/text/text.h"},
      {"autograd/a.cpp", "layers/linear.h"},
      {"autograd/a.cpp", "optim/adamw.h"},
      {"autograd/a.cpp", "data/text/text.h"},
      {"layers/a.cpp", "layers/models/gpt.h"},
      {"layers/a.cpp", "optim/adamw.h"},
      {"layers/models/a.cpp", "data/text/text.h"},
      {"layers/models/a.cpp", "optim/adamw.h"},
      {"optim/a.cpp", "layers/linear.h"},
      {"optim/a.cpp", "data/text/text.h"},
      {"data/a.cpp", "autograd/tensor.h"},
      {"tests/lib/a_test.cpp", "autograd/tensor.h"},
      {"tests/data/a_test.cpp", "autograd/tensor.h"},
      {"tests/optim/a_test.cpp", "layers/linear.h"},
      {"tests/autograd/a_test.cpp", "layers/linear.h"},
      {"tests/layers/a_test.cpp", "data/text/text.h"},
      {"tests/near.h", "autograd/tensor.h"},
      {"lib/a.cpp", "weft.h"},
      {"tests/lib/a_test.cpp", "weft.h"},
      {"examples/a.cpp", "tools/weft.cpp"},
      {"tests/training/a_test.cpp", "tools/weft.cpp"},
      {"lib/a.cpp", "tests/near.h"},
      {"exchange/a.cpp", "train/run.h"},
      {"layers/a.cpp", "train/run.h"},
      {"train/a.cpp", "exchange/shop.h"},
      {"train/a.cpp", "tools/weft.cpp"},
  };
  for (const auto& wrong : against) {
    const std::string& path = wrong.first;
    const std::string& target = wrong.second;
    CAPTURE(path);
    CAPTURE(target);
    const std::string said = said_of(path, "#pragma once\n#include <weft/" + target + ">\n");
    CHECK(said.find(path + ":2: includes " + target + ": no arrow from ") != std::string::npos);
  }
  CHECK(said_of("lib/a.cpp", "\n #  include \"../data/text/text.h\"\n") ==
        "lib/a.cpp:2: includes data/text/text.h: no arrow from lib to data\n");
}

TEST_CASE("includes that are no include are not read") {
  CHECK(said_of("lib/a.cpp", "// #include <weft/data/text/text.h>\n/*\n#include <omp.h>\n*/\n") == "");
  CHECK(said_of("lib/a.cpp", "const char* a = R\"(\n#include <weft/lib/array/array.h>\n)\";\n") == "");
}

TEST_CASE("an include of nothing, of internals or of the bridge is found") {
  CHECK(said_of("data/a.cpp", "#include <weft/lib/gone.h>\n") ==
        "data/a.cpp:1: includes weft/lib/gone.h, which is not in the tree\n");
  CHECK(said_of("autograd/a.cpp", "#include <weft/lib/isa/table.h>\n") ==
        "autograd/a.cpp:1: includes lib/isa/table.h, which is internal to lib\n");
  for (const char* path : {"autograd/a.cpp", "lib/kernels/product.h", "lib/kernels/a.h"}) {
    CHECK(said_of(path, "#pragma once\n#include <weft/lib/xt.h>\n")
              .find(":2: includes lib/xt.h: xtensor only") != std::string::npos);
  }
  CHECK(said_of("examples/a.cpp", "#include <weft/lib/xt.h>\n") == "");
}

TEST_CASE("third parties out of their place are found") {
  const std::vector<std::pair<std::string, std::string>> out_of_place = {
      {"autograd/a.cpp", "xtensor/xarray.hpp"},
      {"data/a.cpp", "xtensor-blas/xlinalg.hpp"},
      {"lib/kernels/a.h", "xtensor/xarray.hpp"},
      {"optim/a.cpp", "cblas.h"},
      {"tools/a.cpp", "xtensor/xarray.hpp"},
      {"examples/a.cpp", "lapacke.h"},
      {"tests/data/a_test.cpp", "xtensor/xarray.hpp"},
      {"lib/array.cpp", "omp.h"},
      {"tools/a.cpp", "omp.h"},
      {"lib/checkpoint.cpp", "hdf5.h"},
      {"tools/a.cpp", "H5Fpublic.h"},
      {"lib/a.h", "nlohmann/json.hpp"},
      {"lib/a.cpp", "toml++/toml.h"},
      {"data/a.cpp", "CLI/CLI.hpp"},
      {"lib/a.cpp", "doctest/doctest.h"},
      {"layers/a.cpp", "math.h"},
      {"data/a.cpp", "random"},
  };
  for (const auto& wrong : out_of_place) {
    const std::string& path = wrong.first;
    const std::string& header = wrong.second;
    CAPTURE(path);
    CAPTURE(header);
    const std::string said = said_of(path, "#pragma once\n#include <" + header + ">\n");
    CHECK(said.find(path + ":2: includes <" + header + ">: ") != std::string::npos);
  }
  CHECK(said_of("lib/array.cpp", "int a;\n#pragma omp parallel for\n") ==
        "lib/array.cpp:2: #pragma omp: OpenMP only in lib/machine/parallel.*\n");
}

TEST_CASE("libm's functions are found in the rooms that compute") {
  const std::vector<std::string> calls = {"std::exp(x)", "std::pow(x, 2)", "std::tanh (x)",
                                          "::sin(x)",    "expf(x)",        "std::logf(x)",
                                          "xt::exp(x)",  "map(std::cos)",  "__builtin_erf(x)"};
  for (const std::string& call : calls) {
    CAPTURE(call);
    for (const char* path :
         {"lib/a.cpp", "autograd/a.h", "layers/a.cpp", "layers/models/a.cpp", "optim/a.cpp", "data/a.cpp"}) {
      CHECK(said_of(path, "#pragma once\ndouble y = " + call + ";\n").find(":2: ") != std::string::npos);
    }
    CHECK(said_of("tests/lib/a_test.cpp", "double y = " + call + ";\n") == "");
  }
  for (const char* fine :
       {"math::exp(x)", "weft::math::pow(x, y)", "exp(tensor)", "std::sqrt(x)", "std::fma(a, b, c)",
        "logits(x)", "config.exp", "\"std::exp(x)\"", "1'000 + std::floor(x) + '\\''"}) {
    CAPTURE(fine);
    CHECK(said_of("lib/a.cpp", std::string("auto y = ") + fine + ";  // not std::exp(x)\n") == "");
  }
}

TEST_CASE("a header without its guard is found") {
  CHECK(said_of("lib/kernels/a.h", "int a;\n") == "lib/kernels/a.h: a header without #pragma once\n");
}

TEST_CASE("ceilings") {
  const std::string lines(151, '\n');
  CHECK(arrows::listed(arrows::over_ceilings(
            {{"lib/a.h", lines}, {"lib/a.cpp", lines}, {"lib/b.cpp", lines + lines}})) ==
        "lib/a.h: 151 lines, ceiling 150\nlib/b.cpp: 302 lines, ceiling 300\n");
}
