# <weft/weft.h>: every public header of the rooms, made from the tree so that nobody has to keep a list. Kernels, vector
# code and headers that end in _internal.h are not public; the bridge to xtensor, <weft/lib/xt.h>, is included by those
# who want it.
file(GLOB_RECURSE headers RELATIVE ${PROJECT_SOURCE_DIR} CONFIGURE_DEPENDS lib/*.h autograd/*.h layers/*.h optim/*.h
     data/*.h exchange/*.h train/*.h)
list(FILTER headers EXCLUDE REGEX "^lib/(isa|kernels)/|^lib/xt\\.h$|_internal\\.h$")
list(SORT headers)
list(TRANSFORM headers PREPEND "#include <weft/")
list(TRANSFORM headers APPEND ">")
list(JOIN headers "\n" includes)
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/include/weft/weft.h
     CONTENT "// Everything: made by cmake/umbrella.cmake.\n#pragma once\n\n@includes@\n" @ONLY)
