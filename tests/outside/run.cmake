# cmake -DHOW=package|pkg-config|subproject -DTREE=... -DBUILD=... -DCXX=... -P run.cmake
# Builds the project of this folder against an installation of the build folder BUILD, by find_package or, without CMake, by
# pkg-config, or with TREE as its subfolder, and runs its programs.
set(place ${BUILD}/outside/${HOW})
file(REMOVE_RECURSE ${place}/prefix ${place}/build)

if(NOT HOW STREQUAL "subproject")
  execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --prefix ${place}/prefix --component library
                  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
  file(GLOB_RECURSE internal ${place}/prefix/include/*.inc ${place}/prefix/include/*isa*
                             ${place}/prefix/include/*_internal.h)
  if(internal OR NOT EXISTS ${place}/prefix/include/weft/lib/array/array.h)
    message(FATAL_ERROR "installed headers: lib/array/array.h missing, or internals among them: ${internal}")
  endif()
endif()

if(HOW STREQUAL "pkg-config")
  file(GLOB_RECURSE pc ${place}/prefix/weft.pc)
  get_filename_component(pc_folder ${pc} DIRECTORY)
  set(command "\"$1\" -O0 -o \"$2\" \"$3\" $(pkg-config --cflags --libs weft)")
  file(MAKE_DIRECTORY ${place}/build)
  execute_process(COMMAND ${CMAKE_COMMAND} -E env PKG_CONFIG_PATH=${pc_folder} sh -euc "${command}" sh ${CXX}
                          ${place}/build/gated ${CMAKE_CURRENT_LIST_DIR}/gated.cpp
                  COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND ${place}/build/gated COMMAND_ERROR_IS_FATAL ANY)
  return()
endif()

# Unoptimised: this is about building, and the subproject compiles a part of the library once more, and a file of each of the
# other rooms.
if(HOW STREQUAL "package")
  set(where -DCMAKE_PREFIX_PATH=${place}/prefix)
else()
  set(where -DWEFT_TREE=${TREE})
endif()
execute_process(COMMAND ${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR} -B ${place}/build -G Ninja ${where}
                        -DCMAKE_CXX_COMPILER=${CXX} -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O0
                COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${place}/build COMMAND_ERROR_IS_FATAL ANY)
if(HOW STREQUAL "subproject")
  execute_process(COMMAND ${CMAKE_COMMAND} --build ${place}/build --target ${TREE}/train/build.cpp^
                          ${TREE}/exchange/gguf.cpp^
                  COMMAND_ERROR_IS_FATAL ANY)
endif()
foreach(program gated bridge)
  execute_process(COMMAND ${place}/build/${program} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
