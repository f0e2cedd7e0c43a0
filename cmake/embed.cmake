# Turns text files into a C++ header of string constants, for programs that carry them along:
#   cmake -DOUT=texts.h -DNAMESPACE=weft::tools -DFILES=a/page.css;a/page.js -P embed.cmake
# gives `inline constexpr std::string_view page_css` and `page_js`.
set(header "// Made by cmake/embed.cmake.\n#pragma once\n\n#include <string_view>\n\nnamespace ${NAMESPACE} {\n\n")
foreach(path ${FILES})
  file(READ ${path} text)
  get_filename_component(name ${path} NAME)
  string(MAKE_C_IDENTIFIER ${name} name)
  string(APPEND header "inline constexpr std::string_view ${name} = R\"embedded(${text})embedded\";\n\n")
endforeach()
file(WRITE ${OUT} "${header}}  // namespace ${NAMESPACE}\n")
