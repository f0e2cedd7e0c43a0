# Language, warnings and where things land. Nothing here is tuned to the machine that builds.
if(PROJECT_IS_TOP_LEVEL)
  if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
  endif()
  set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
endif()

find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(Threads REQUIRED)
find_package(HDF5 REQUIRED COMPONENTS C)
find_package(xtensor REQUIRED)
find_package(xtensor-blas REQUIRED)
find_package(BLAS REQUIRED)
find_package(LAPACK REQUIRED)

# <weft/lib/array.h> in the tree as once installed: a folder of links.
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/include/weft)
foreach(entry lib autograd layers optim data weft.h)
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${entry} ${PROJECT_BINARY_DIR}/include/weft/${entry} SYMBOLIC)
endforeach()

# What every file of ours is compiled with. -ffp-contract=off: the compiler must not fuse a*b+c on its own, or
# results would change with the instruction set.
add_library(weft_settings INTERFACE)
target_compile_features(weft_settings INTERFACE cxx_std_20)
target_compile_options(weft_settings INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wold-style-cast
                                               -ffp-contract=off -fno-math-errno)
if(WEFT_SANITIZE)
  target_compile_options(weft_settings INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=undefined
                                                 -fno-omit-frame-pointer -g)
  target_link_options(weft_settings INTERFACE -fsanitize=address,undefined)
endif()

# What a file that includes xtensor needs: xtensor 0.24.3 under g++ 12 in C++20 crashes in immediate reductions over
# arrays of dynamic rank (xtensor issue 1970) without the flag.
add_library(weft_xt INTERFACE)
add_library(weft::xt ALIAS weft_xt)
set_target_properties(weft_xt PROPERTIES EXPORT_NAME xt)
target_link_libraries(weft_xt INTERFACE xtensor xtensor-blas ${LAPACK_LIBRARIES} ${BLAS_LIBRARIES})
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(weft_xt INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fno-new-ttp-matching>)
endif()
