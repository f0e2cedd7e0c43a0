# Plug-ins: shared libraries that are linked with what weft is not, and that it loads when they are needed. They lie in
# lib/.../weft beside bin, in the build as once installed.
include(GNUInstallDirs)
set_property(SOURCE ${PROJECT_SOURCE_DIR}/data/tokenizers/sentencepiece_training.cpp
             PROPERTY COMPILE_DEFINITIONS WEFT_LIBRARY_FOLDER="${CMAKE_INSTALL_LIBDIR}"
                                          WEFT_INSTALLED_LIBRARIES="${CMAKE_INSTALL_FULL_LIBDIR}")

find_path(WEFT_SENTENCEPIECE_INCLUDE sentencepiece_trainer.h)
find_library(WEFT_SENTENCEPIECE_LIBRARY sentencepiece)
find_library(WEFT_SENTENCEPIECE_TRAIN_LIBRARY sentencepiece_train)
mark_as_advanced(WEFT_SENTENCEPIECE_INCLUDE WEFT_SENTENCEPIECE_LIBRARY WEFT_SENTENCEPIECE_TRAIN_LIBRARY)
if(NOT WEFT_SENTENCEPIECE_INCLUDE OR NOT WEFT_SENTENCEPIECE_LIBRARY OR NOT WEFT_SENTENCEPIECE_TRAIN_LIBRARY)
  message(STATUS "weft: without libsentencepiece-dev no models of SentencePiece are trained, only read")
  return()
endif()
add_library(weft_sentencepiece MODULE data/plugins/sentencepiece.cpp)
set_target_properties(weft_sentencepiece PROPERTIES
  OUTPUT_NAME weft-sentencepiece CXX_VISIBILITY_PRESET hidden
  LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/${CMAKE_INSTALL_LIBDIR}/weft)
target_include_directories(weft_sentencepiece PRIVATE ${PROJECT_BINARY_DIR}/include)
target_include_directories(weft_sentencepiece SYSTEM PRIVATE ${WEFT_SENTENCEPIECE_INCLUDE})
target_link_libraries(weft_sentencepiece PRIVATE weft_settings ${WEFT_SENTENCEPIECE_TRAIN_LIBRARY}
                                                 ${WEFT_SENTENCEPIECE_LIBRARY})
install(TARGETS weft_sentencepiece LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/weft COMPONENT sentencepiece)
