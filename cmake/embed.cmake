# Turns text files into a C++ source of string constants, for programs that carry them along:
#   cmake -DOUT=texts.cpp -DHEADER=texts.h -DNAMESPACE=weft::tools -DFILES=a/page.css;a/page.js -P embed.cmake
# defines `std::string_view page_css` and `page_js`, which the header declares.
set(source "// Made by cmake/embed.cmake.\n#include \"${HEADER}\"\n\nnamespace ${NAMESPACE} {\n\n")
foreach(path ${FILES})
  file(READ ${path} text)
  get_filename_component(name ${path} NAME)
  string(MAKE_C_IDENTIFIER ${name} name)
  string(APPEND source "const std::string_view ${name} = R\"embedded(${text})embedded\";\n\n")
endforeach()
file(WRITE ${OUT} "${source}}  // namespace ${NAMESPACE}\n")
