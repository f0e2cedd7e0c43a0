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
  if(TARGET weft_mpi)
    add_dependencies(test_tools weft_mpi)
  endif()
  if(TARGET example_custom_model)
    add_dependencies(test_tools example_custom_model)
    target_compile_definitions(test_tools PRIVATE CUSTOM_PROGRAM="$<TARGET_FILE:example_custom_model>")
  endif()
  target_include_directories(test_tools SYSTEM PRIVATE ${WEFT_NLOHMANN_JSON_INCLUDE})
endif()
