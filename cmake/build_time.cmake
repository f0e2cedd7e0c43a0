# What makes building short. Every source includes all that it uses and builds without any of this, as it does with
# -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON, or with a compiler launcher: a cache like ccache does better without.

# In a Release: what computes is in lib/ and keeps its -O3; what calls it loses nothing by less.
function(weft_optimize level)
  foreach(target ${ARGN})
    target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:${level}>)
  endforeach()
endfunction()

# The first of the targets precompiles these headers, the others use what it made. So all must have the same flags, and the
# first must need none of the others.
function(weft_precompile targets)
  if(CMAKE_CXX_COMPILER_LAUNCHER OR NOT targets)
    return()
  endif()
  list(POP_FRONT targets first)
  target_precompile_headers(${first} PRIVATE ${ARGN})
  foreach(target ${targets})
    target_precompile_headers(${target} REUSE_FROM ${first})
  endforeach()
endfunction()

# Compiles the sources of a folder several at a time: most of what the compiler does is the same for all of them. So names in
# their unnamed namespaces must differ. In a Release, unless CMAKE_UNITY_BUILD=OFF; sources with flags of their own, and those
# outside the tree, stay alone.
function(weft_unite target)
  if(DEFINED CMAKE_UNITY_BUILD)
    set(unite ${CMAKE_UNITY_BUILD})
  elseif(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(unite ON)
  endif()
  if(NOT unite)
    return()
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  # An included source is no header, whose members of types in unnamed namespaces would be others in each source; and g++ 12
  # sees copies out of bounds in std::string (gcc bug 105651).
  set(no_faults -Wno-subobject-linkage -Wno-stringop-overflow -Wno-array-bounds)
  target_compile_options(${target} PRIVATE "$<$<COMPILE_LANG_AND_ID:CXX,GNU>:${no_faults}>")
  get_target_property(sources ${target} SOURCES)
  list(FILTER sources INCLUDE REGEX "^${PROJECT_SOURCE_DIR}/.*\\.cpp$")
  list(SORT sources)
  foreach(source ${sources})
    get_source_file_property(options ${source} COMPILE_OPTIONS)
    if(options)
      continue()
    endif()
    cmake_path(GET source PARENT_PATH folder)
    cmake_path(RELATIVE_PATH folder BASE_DIRECTORY ${PROJECT_SOURCE_DIR} OUTPUT_VARIABLE name)
    string(REPLACE "/" "_" name ${name})
    math(EXPR group "0${count_${name}} / 8")
    math(EXPR count_${name} "0${count_${name}} + 1")
    set_source_files_properties(${source} TARGET_DIRECTORY ${target} PROPERTIES UNITY_GROUP ${name}_${group})
  endforeach()
endfunction()

set(standard <algorithm> <array> <cmath> <cstdint> <functional> <limits> <map> <memory> <optional> <span> <string>
           <string_view> <unordered_map> <utility> <variant> <vector>)
set(ground ${standard} <weft/lib/array/array.h> <weft/lib/array/state_dict.h>)

# lib has flags of its own, and its vector code may not see a function of the standard library that it could emit.
weft_precompile(weft_lib ${ground})
file(GLOB vector_code ${PROJECT_SOURCE_DIR}/lib/isa/*.cpp)
set_source_files_properties(${vector_code} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)

# Rooms, and what reads and writes files and the command line.
get_target_property(rooms weft INTERFACE_LINK_LIBRARIES)
list(REMOVE_ITEM rooms weft_lib)
set(readers)
foreach(target weft_exchange weft_train weft_cli)
  list(REMOVE_ITEM rooms ${target})
  if(TARGET ${target})
    list(APPEND readers ${target})
  endif()
endforeach()
weft_optimize(-O2 ${rooms})
weft_optimize(-O1 ${readers})
weft_precompile("${rooms}" ${ground})
weft_precompile("${readers}" ${ground} <nlohmann/json.hpp>)
foreach(target weft_lib ${rooms} ${readers})
  weft_unite(${target})
endforeach()

# g++ looks for garbage once it holds 400 MB, not at every 30 %: few sources come so far.
target_compile_options(weft_settings INTERFACE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:--param=ggc-min-heapsize=400000>)
