# cmake -DNM=... -DLIBRARIES="a.a;b.a" -P symbols.cmake
# What the text of the sources cannot show, read from the libraries: no code of ours, templates of third parties
# included, calls an elementary function of libm; and the vector code of one instruction set emits no inline function
# that the linker could give to code that runs on every processor.
set(libm exp exp2 expm1 log log2 log10 log1p pow sin cos tan sincos asin acos atan atan2 sinh cosh tanh asinh acosh atanh
         erf erfc cbrt hypot tgamma lgamma)
list(JOIN libm "|" libm)

set(calls)
set(shared)
foreach(library ${LIBRARIES})
  execute_process(COMMAND ${NM} -A ${library} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "[^\n]*:[^\n]* U (${libm})[fl]?(@[^\n]*)?\n" found "${symbols}")
  list(APPEND calls ${found})
  string(REGEX MATCHALL "[^\n]*:avx[^\n:]*:[^\n]* [WVu] [^\n]*\n" found "${symbols}")
  list(APPEND shared ${found})
endforeach()

if(calls OR shared)
  list(LENGTH calls number_of_calls)
  list(LENGTH shared number_of_shared)
  message(NOTICE ${calls} ${shared})
  message(FATAL_ERROR "${number_of_calls} calls of libm, ${number_of_shared} inline functions in vector code")
endif()
