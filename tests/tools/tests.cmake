# The command line, driven as a user drives it.
weft_tests(tools weft_attention_page weft_lib)
if(TARGET test_tools)
  add_dependencies(test_tools weft_program)
  target_compile_definitions(test_tools PRIVATE WEFT_PROGRAM="$<TARGET_FILE:weft_program>"
                                                WEFT_VERSION="${PROJECT_VERSION}")
  target_include_directories(test_tools SYSTEM PRIVATE ${WEFT_NLOHMANN_JSON_INCLUDE})
endif()
