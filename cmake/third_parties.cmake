# What the library stands on: OpenMP, threads, HDF5 and OpenBLAS, as the targets OpenMP::OpenMP_CXX, Threads::Threads,
# weft::hdf5 and weft::blas. The build and the installed package find them in the same way; weft_MISSING lists what is
# not there, by its Debian package.
find_package(OpenMP QUIET COMPONENTS CXX)
find_package(Threads QUIET)

# The archive first: the shared libhdf5 brings some forty libraries of network protocols, and 8 ms at every start.
find_path(WEFT_HDF5_INCLUDE hdf5.h PATH_SUFFIXES hdf5/serial)
find_library(WEFT_HDF5_LIBRARY NAMES libhdf5.a libhdf5_serial.a hdf5 hdf5_serial PATH_SUFFIXES hdf5/serial)
# The OpenMP build of OpenBLAS, whichever alternative the system prefers: one runtime owns the threads.
find_library(WEFT_BLAS_LIBRARY NAMES openblas PATH_SUFFIXES openblas-openmp)
# The name under which a program that has been built loads it.
get_filename_component(WEFT_BLAS_RUNTIME "${WEFT_BLAS_LIBRARY}" DIRECTORY)
string(APPEND WEFT_BLAS_RUNTIME "/libopenblas.so.0")
if(NOT EXISTS ${WEFT_BLAS_RUNTIME})
  set(WEFT_BLAS_RUNTIME ${WEFT_BLAS_LIBRARY})
endif()
mark_as_advanced(WEFT_HDF5_INCLUDE WEFT_HDF5_LIBRARY WEFT_BLAS_LIBRARY)

# What texts may be compressed by.
find_path(WEFT_ZLIB_INCLUDE zlib.h)
find_library(WEFT_ZLIB_LIBRARY NAMES z)
find_path(WEFT_ZSTD_INCLUDE zstd.h)
find_library(WEFT_ZSTD_LIBRARY NAMES libzstd.a zstd)
mark_as_advanced(WEFT_ZLIB_INCLUDE WEFT_ZLIB_LIBRARY WEFT_ZSTD_INCLUDE WEFT_ZSTD_LIBRARY)
# Unicode's categories and normal forms. The archive, so that a program needs no more libraries than before.
find_path(WEFT_UTF8PROC_INCLUDE utf8proc.h)
find_library(WEFT_UTF8PROC_LIBRARY NAMES libutf8proc.a utf8proc)
mark_as_advanced(WEFT_UTF8PROC_INCLUDE WEFT_UTF8PROC_LIBRARY)
# The regular expressions that tokenizers of others are written with. Loaded by the first of them, not linked.
find_path(WEFT_ONIGURUMA_INCLUDE oniguruma.h)
mark_as_advanced(WEFT_ONIGURUMA_INCLUDE)

set(weft_MISSING)
if(NOT OpenMP_CXX_FOUND)
  list(APPEND weft_MISSING "OpenMP for ${CMAKE_CXX_COMPILER} (g++, or libomp-dev for clang)")
endif()
if(NOT WEFT_HDF5_INCLUDE OR NOT WEFT_HDF5_LIBRARY)
  list(APPEND weft_MISSING "HDF5 (libhdf5-dev)")
endif()
if(NOT WEFT_BLAS_LIBRARY)
  list(APPEND weft_MISSING "OpenBLAS (libopenblas-openmp-dev)")
endif()

if(NOT WEFT_UTF8PROC_INCLUDE OR NOT WEFT_UTF8PROC_LIBRARY)
  list(APPEND weft_MISSING "utf8proc (libutf8proc-dev)")
endif()

if(NOT WEFT_ZLIB_INCLUDE OR NOT WEFT_ZLIB_LIBRARY)
  list(APPEND weft_MISSING "zlib (zlib1g-dev)")
endif()
if(NOT WEFT_ZSTD_INCLUDE OR NOT WEFT_ZSTD_LIBRARY)
  list(APPEND weft_MISSING "zstd (libzstd-dev)")
endif()

if(NOT weft_MISSING AND NOT TARGET weft::hdf5)
  add_library(weft::hdf5 INTERFACE IMPORTED GLOBAL)
  set_target_properties(weft::hdf5 PROPERTIES INTERFACE_INCLUDE_DIRECTORIES ${WEFT_HDF5_INCLUDE}
                                              INTERFACE_LINK_LIBRARIES ${WEFT_HDF5_LIBRARY})
  if(WEFT_HDF5_LIBRARY MATCHES "\\.a$")
    target_link_libraries(weft::hdf5 INTERFACE sz z ${CMAKE_DL_LIBS} m)
  endif()
  add_library(weft::compression INTERFACE IMPORTED GLOBAL)
  set_target_properties(weft::compression PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${WEFT_ZLIB_INCLUDE};${WEFT_ZSTD_INCLUDE}"
                                                     INTERFACE_LINK_LIBRARIES "${WEFT_ZSTD_LIBRARY};${WEFT_ZLIB_LIBRARY}")
  add_library(weft::utf8proc INTERFACE IMPORTED GLOBAL)
  set_target_properties(weft::utf8proc PROPERTIES INTERFACE_INCLUDE_DIRECTORIES ${WEFT_UTF8PROC_INCLUDE}
                                                  INTERFACE_LINK_LIBRARIES ${WEFT_UTF8PROC_LIBRARY}
                                                  INTERFACE_COMPILE_DEFINITIONS UTF8PROC_STATIC)
  add_library(weft::blas INTERFACE IMPORTED GLOBAL)
  set_target_properties(weft::blas PROPERTIES INTERFACE_LINK_LIBRARIES ${WEFT_BLAS_LIBRARY})
endif()
