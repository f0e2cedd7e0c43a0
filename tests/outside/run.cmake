# cmake -DHOW=package|subproject -DTREE=... -DBUILD=... -DCXX=... -P run.cmake
# Builds the project of this folder against an installation of the build folder BUILD, or with TREE as its subfolder,
# and runs its programs.
set(place ${BUILD}/outside/${HOW})
file(REMOVE_RECURSE ${place}/prefix ${place}/build)

if(HOW STREQUAL "package")
  execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --prefix ${place}/prefix --component library
                  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
  file(GLOB_RECURSE internal ${place}/prefix/include/*.inc ${place}/prefix/include/*isa*)
  if(internal OR NOT EXISTS ${place}/prefix/include/weft/lib/array/array.h)
    message(FATAL_ERROR "installed headers: lib/array/array.h missing, or internals among them: ${internal}")
  endif()
  set(where -DCMAKE_PREFIX_PATH=${place}/prefix)
else()
  set(where -DWEFT_TREE=${TREE})
endif()

# Unoptimised: this is about building, and the subproject compiles the whole library once more.
execute_process(COMMAND ${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR} -B ${place}/build -G Ninja ${where}
                        -DCMAKE_CXX_COMPILER=${CXX} -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O0
                COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${place}/build COMMAND_ERROR_IS_FATAL ANY)
foreach(program gated bridge)
  execute_process(COMMAND ${place}/build/${program} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
