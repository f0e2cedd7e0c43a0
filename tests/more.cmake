# Tests that are no unit test of a room.

# The symbols of the libraries, and that the check of them can fail.
function(weft_symbols_test name)
  list(TRANSFORM ARGN REPLACE ".+" "$<TARGET_FILE:\\0>")
  add_test(NAME arrows/${name} COMMAND ${CMAKE_COMMAND} -DNM=${CMAKE_NM} "-DLIBRARIES=${ARGN}"
                                       -P ${CMAKE_CURRENT_SOURCE_DIR}/arrows/symbols.cmake)
  set_tests_properties(arrows/${name} PROPERTIES LABELS quick)
endfunction()
weft_symbols_test(symbols weft_lib weft_autograd weft_layers weft_models weft_optim weft_data weft_exchange)
add_library(bad_symbols STATIC arrows/bad/avx2.cpp)
weft_symbols_test(symbols_refused bad_symbols)
set_tests_properties(arrows/symbols_refused PROPERTIES PASS_REGULAR_EXPRESSION
                     "1 calls of libm, 1 inline functions in vector code")

# A project of somebody else's, each way.
foreach(how package pkg-config subproject)
  add_test(NAME outside/${how}
           COMMAND ${CMAKE_COMMAND} -DHOW=${how} -DTREE=${PROJECT_SOURCE_DIR} -DBUILD=${PROJECT_BINARY_DIR}
                   -DCXX=${CMAKE_CXX_COMPILER} -P ${CMAKE_CURRENT_SOURCE_DIR}/outside/run.cmake)
endforeach()
set_tests_properties(outside/package outside/pkg-config PROPERTIES LABELS quick)
set_tests_properties(outside/subproject PROPERTIES LABELS slow TIMEOUT 900)

# What processes do together, as two, three and four of them.
find_program(WEFT_MPIRUN mpirun)
if(TARGET weft_mpi AND WEFT_MPIRUN)
  add_executable(test_together together/sums_test.cpp)
  target_include_directories(test_together SYSTEM PRIVATE ${DOCTEST_INCLUDE})
  target_link_libraries(test_together PRIVATE test_main weft::weft weft_settings)
  add_dependencies(test_together weft_mpi)
  foreach(count 2 3 4)
    add_test(NAME together/${count}
             COMMAND ${WEFT_MPIRUN} --oversubscribe --bind-to none -n ${count} $<TARGET_FILE:test_together>)
    set_tests_properties(together/${count} PROPERTIES LABELS quick TIMEOUT 120
                         ENVIRONMENT "OMPI_ALLOW_RUN_AS_ROOT=1;OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1")
  endforeach()
  # Over machines that are made for it, of network namespaces: for root alone.
  add_test(NAME together/machines COMMAND ${CMAKE_COMMAND} -E env WEFT_BUILD=${PROJECT_BINARY_DIR}
                                          ${PROJECT_SOURCE_DIR}/scripts/check-machines --quick)
  set_tests_properties(together/machines PROPERTIES LABELS quick TIMEOUT 300 SKIP_RETURN_CODE 77)
else()
  add_test(NAME together COMMAND ${CMAKE_COMMAND} -E echo "skipped: no mpirun or no libopenmpi-dev: scripts/setup --mpi")
  set_tests_properties(together PROPERTIES LABELS quick SKIP_REGULAR_EXPRESSION "skipped")
endif()

if(WEFT_BUILD_EXAMPLES)
  add_subdirectory(examples)
endif()
