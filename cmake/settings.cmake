# Language, warnings, third parties, and where things land. Nothing here is tuned to the machine that builds.
if(PROJECT_IS_TOP_LEVEL)
  if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
  endif()
  set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
endif()
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON) # a project that adds this one as a folder links them too
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)

include(cmake/third_parties.cmake)
find_package(xtensor QUIET)
find_path(WEFT_XTENSOR_BLAS_INCLUDE xtensor-blas/xlinalg.hpp)
find_path(WEFT_NLOHMANN_JSON_INCLUDE nlohmann/json.hpp)
find_path(WEFT_TOMLPLUSPLUS_INCLUDE toml++/toml.h)
find_path(WEFT_XXHASH_INCLUDE xxhash.h)
mark_as_advanced(WEFT_XTENSOR_BLAS_INCLUDE WEFT_NLOHMANN_JSON_INCLUDE WEFT_TOMLPLUSPLUS_INCLUDE WEFT_XXHASH_INCLUDE)
if(NOT xtensor_FOUND)
  list(APPEND weft_MISSING "xtensor (libxtensor-dev)")
endif()
if(NOT WEFT_XTENSOR_BLAS_INCLUDE)
  list(APPEND weft_MISSING "xtensor-blas (libxtensor-blas-dev)")
endif()
if(NOT WEFT_NLOHMANN_JSON_INCLUDE)
  list(APPEND weft_MISSING "nlohmann-json (nlohmann-json3-dev)")
endif()
if(NOT WEFT_TOMLPLUSPLUS_INCLUDE)
  list(APPEND weft_MISSING "toml++ (libtomlplusplus-dev)")
endif()
if(NOT WEFT_ONIGURUMA_INCLUDE)
  list(APPEND weft_MISSING "Oniguruma (libonig-dev)")
endif()
if(NOT WEFT_XXHASH_INCLUDE)
  list(APPEND weft_MISSING "xxHash (libxxhash-dev)")
endif()
if(weft_MISSING)
  list(JOIN weft_MISSING "\n  " missing)
  message(FATAL_ERROR "weft: not found:\n  ${missing}\nscripts/setup installs what is missing.")
endif()

# <weft/lib/array.h> in the tree as once installed: a folder of links.
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/include/weft)
foreach(entry lib autograd layers optim data train exchange tools)
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${entry} ${PROJECT_BINARY_DIR}/include/weft/${entry} SYMBOLIC)
endforeach()
include(cmake/umbrella.cmake)

# What every file of ours is compiled with. -ffp-contract=off: the compiler must not fuse a*b+c on its own, or
# results would change with the instruction set.
add_library(weft_settings INTERFACE)
target_compile_features(weft_settings INTERFACE cxx_std_20)
target_compile_options(weft_settings INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wold-style-cast
                                               -ffp-contract=off -fno-math-errno)
# A name may well be that of something in another source beside which it is compiled (build_time.cmake).
target_compile_options(weft_settings INTERFACE $<$<NOT:$<BOOL:$<TARGET_PROPERTY:UNITY_BUILD>>>:-Wshadow>)
# g++ 12 sees overlapping copies in std::string's own operator+ (gcc bug 105329).
target_compile_options(weft_settings INTERFACE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-restrict>)
target_link_options(weft_settings INTERFACE -Wl,--as-needed)
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
target_link_libraries(weft_xt INTERFACE xtensor weft::blas)
target_include_directories(weft_xt SYSTEM INTERFACE $<BUILD_INTERFACE:${WEFT_XTENSOR_BLAS_INCLUDE}>)
target_compile_options(weft_xt INTERFACE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-new-ttp-matching>)
