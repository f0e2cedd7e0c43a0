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

if(WEFT_BUILD_EXAMPLES)
  add_subdirectory(examples)
endif()
