# The command line, driven as a user drives it.
weft_tests(tools weft_cli)
if(TARGET test_tools)
  # Makes system calls of the program fail; preloaded.
  add_library(fault_shim MODULE faults/fault_shim.cpp)
  target_link_libraries(fault_shim PRIVATE weft_settings ${CMAKE_DL_LIBS})
  add_dependencies(test_tools weft_program fault_shim)
  target_compile_definitions(test_tools PRIVATE WEFT_PROGRAM="$<TARGET_FILE:weft_program>"
                                                WEFT_FAULT_SHIM="$<TARGET_FILE:fault_shim>"
                                                WEFT_VERSION="${PROJECT_VERSION}"
                                                WEFT_CMAKE="${CMAKE_COMMAND}" WEFT_BINARY_DIR="${PROJECT_BINARY_DIR}"
                                                WEFT_MPI_PLUGIN="${PROJECT_BINARY_DIR}/${CMAKE_INSTALL_LIBDIR}/weft/libweft-mpi.so")
  # Stop it where several processes are about to take part in something.
  foreach(shim gather:MPI_Iallgatherv finish:MPI_Finalize)
    string(REGEX MATCH "([a-z]+):(.+)" ignored ${shim})
    set(stop stop_at_${CMAKE_MATCH_1})
    string(TOUPPER WEFT_${stop} variable)
    add_library(${stop} MODULE faults/stop_shim.cpp)
    target_compile_definitions(${stop} PRIVATE STOP_AT=${CMAKE_MATCH_2})
    target_link_libraries(${stop} PRIVATE weft_settings)
    add_dependencies(test_tools ${stop})
    target_compile_definitions(test_tools PRIVATE ${variable}="$<TARGET_FILE:${stop}>")
  endforeach()
  if(TARGET weft_mpi)
    add_dependencies(test_tools weft_mpi)
  endif()
  if(TARGET weft_http)
    add_dependencies(test_tools weft_http)
  endif()
  if(TARGET example_custom_model)
    add_dependencies(test_tools example_custom_model)
    target_compile_definitions(test_tools PRIVATE CUSTOM_PROGRAM="$<TARGET_FILE:example_custom_model>")
  endif()
  target_include_directories(test_tools SYSTEM PRIVATE ${WEFT_NLOHMANN_JSON_INCLUDE})
  # Seconds of the longest: those begin first, so that no thread is left without a test at the end.
  foreach(long processes_faults:150 minutes:110 models:80 tutorials:60 memory:60 processes:40 faults:40 same_bits:30)
    string(REPLACE ":" ";" long ${long})
    list(GET long 0 name)
    list(GET long 1 seconds)
    set_tests_properties(tools/${name}_test PROPERTIES COST ${seconds})
  endforeach()
  # The engine of pages beside the program, where there is node.
  add_test(NAME tools/page COMMAND ${CMAKE_COMMAND} -E env WEFT_BUILD=${PROJECT_BINARY_DIR}
                                   ${PROJECT_SOURCE_DIR}/scripts/check-page --quick)
  set_tests_properties(tools/page PROPERTIES LABELS quick TIMEOUT 300 SKIP_RETURN_CODE 77)
endif()
