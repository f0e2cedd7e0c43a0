# Plug-ins: shared libraries that are linked with what weft is not, and that it loads when they are needed. They lie in
# lib/.../weft beside bin, in the build as once installed.
include(GNUInstallDirs)
set_property(SOURCE ${PROJECT_SOURCE_DIR}/lib/machine/plugin.cpp
             PROPERTY COMPILE_DEFINITIONS WEFT_LIBRARY_FOLDER="${CMAKE_INSTALL_LIBDIR}"
                                          WEFT_INSTALLED_LIBRARIES="${CMAKE_INSTALL_FULL_LIBDIR}")

# weft_plugin(ROOM NAME INCLUDE LIBRARY...): ROOM/plugins/NAME.cpp and what else begins so, a package of its own.
function(weft_plugin room name include)
  file(GLOB sources CONFIGURE_DEPENDS ${room}/plugins/${name}.cpp ${room}/plugins/${name}_*.cpp)
  add_library(weft_${name} MODULE ${sources})
  set_target_properties(weft_${name} PROPERTIES
    OUTPUT_NAME weft-${name} CXX_VISIBILITY_PRESET hidden
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/${CMAKE_INSTALL_LIBDIR}/weft)
  target_include_directories(weft_${name} PRIVATE ${PROJECT_BINARY_DIR}/include)
  target_include_directories(weft_${name} SYSTEM PRIVATE ${include})
  target_link_libraries(weft_${name} PRIVATE weft_settings ${ARGN})
  install(TARGETS weft_${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/weft COMPONENT ${name})
endfunction()

find_path(WEFT_SENTENCEPIECE_INCLUDE sentencepiece_trainer.h)
find_library(WEFT_SENTENCEPIECE_LIBRARY sentencepiece)
find_library(WEFT_SENTENCEPIECE_TRAIN_LIBRARY sentencepiece_train)
mark_as_advanced(WEFT_SENTENCEPIECE_INCLUDE WEFT_SENTENCEPIECE_LIBRARY WEFT_SENTENCEPIECE_TRAIN_LIBRARY)
if(WEFT_SENTENCEPIECE_INCLUDE AND WEFT_SENTENCEPIECE_LIBRARY AND WEFT_SENTENCEPIECE_TRAIN_LIBRARY)
  weft_plugin(data sentencepiece ${WEFT_SENTENCEPIECE_INCLUDE} ${WEFT_SENTENCEPIECE_TRAIN_LIBRARY}
              ${WEFT_SENTENCEPIECE_LIBRARY})
else()
  message(STATUS "weft: without libsentencepiece-dev no models of SentencePiece are trained, only read")
endif()

find_package(PNG QUIET)
find_package(JPEG QUIET)
if(PNG_FOUND AND JPEG_FOUND)
  weft_plugin(data pictures "${PNG_INCLUDE_DIRS};${JPEG_INCLUDE_DIRS}" ${PNG_LIBRARIES} ${JPEG_LIBRARIES})
else()
  message(STATUS "weft: without libpng-dev and libjpeg-dev no PNG and JPEG are read; PPM, NumPy and IDX are")
endif()

find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
  pkg_check_modules(SNDFILE QUIET sndfile)
  pkg_check_modules(SAMPLERATE QUIET samplerate)
  pkg_check_modules(OPENMPI QUIET ompi-c)
  pkg_check_modules(HTTPLIB QUIET cpp-httplib)
endif()
if(OPENMPI_FOUND)
  weft_plugin(lib mpi "${OPENMPI_INCLUDE_DIRS}" ${OPENMPI_LINK_LIBRARIES})
else()
  message(STATUS "weft: without libopenmpi-dev a program cannot be one of many processes of mpirun")
endif()
if(SNDFILE_FOUND AND SAMPLERATE_FOUND)
  weft_plugin(data sounds "${SNDFILE_INCLUDE_DIRS};${SAMPLERATE_INCLUDE_DIRS}" ${SNDFILE_LINK_LIBRARIES}
              ${SAMPLERATE_LINK_LIBRARIES})
else()
  message(STATUS "weft: without libsndfile1-dev and libsamplerate0-dev no sounds are read")
endif()
if(WEFT_BUILD_TOOLS AND HTTPLIB_FOUND)
  weft_plugin(tools http "${HTTPLIB_INCLUDE_DIRS}" ${HTTPLIB_LINK_LIBRARIES} Threads::Threads)
  # What the library was built with decides how its classes lie in memory.
  target_compile_options(weft_http PRIVATE ${HTTPLIB_CFLAGS_OTHER})
elseif(WEFT_BUILD_TOOLS)
  message(STATUS "weft: without libcpp-httplib-dev nothing is served")
endif()
