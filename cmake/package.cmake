# cpack -G DEB: `weft`, the program, and `weft-dev`, what programs of others build with. scripts/check-package makes both,
# installs them in a bare Debian, and works with them there.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME weft)
set(CPACK_PACKAGE_CONTACT "The authors of weft <weft@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL library)
if(WEFT_BUILD_TOOLS)
  list(APPEND CPACK_COMPONENTS_ALL program)
endif()
set(weft_documented program library)
if(TARGET weft_sentencepiece)
  list(APPEND CPACK_COMPONENTS_ALL sentencepiece)
  list(APPEND weft_documented sentencepiece)
  set(CPACK_DEBIAN_SENTENCEPIECE_PACKAGE_NAME weft-sentencepiece)
  set(CPACK_DEBIAN_SENTENCEPIECE_PACKAGE_SECTION science)
  set(CPACK_DEBIAN_SENTENCEPIECE_PACKAGE_SHLIBDEPS ON)
  set(CPACK_COMPONENT_SENTENCEPIECE_DESCRIPTION
      "trains transformers from scratch, SentencePiece
 With this plug-in weft learns unigram and BPE models of SentencePiece from text.
 It reads and uses them without it.")
endif()
if(TARGET weft_pictures)
  list(APPEND CPACK_COMPONENTS_ALL pictures)
  list(APPEND weft_documented pictures)
  set(CPACK_DEBIAN_PICTURES_PACKAGE_NAME weft-pictures)
  set(CPACK_DEBIAN_PICTURES_PACKAGE_SECTION science)
  set(CPACK_DEBIAN_PICTURES_PACKAGE_SHLIBDEPS ON)
  set(CPACK_COMPONENT_PICTURES_DESCRIPTION
      "trains transformers from scratch, pictures
 With this plug-in weft reads PNG and JPEG. It reads PPM, NumPy, HDF5 and IDX
 without it.")
endif()
if(TARGET weft_sounds)
  list(APPEND CPACK_COMPONENTS_ALL sounds)
  list(APPEND weft_documented sounds)
  set(CPACK_DEBIAN_SOUNDS_PACKAGE_NAME weft-sounds)
  set(CPACK_DEBIAN_SOUNDS_PACKAGE_SECTION science)
  set(CPACK_DEBIAN_SOUNDS_PACKAGE_SHLIBDEPS ON)
  set(CPACK_COMPONENT_SOUNDS_DESCRIPTION
      "trains transformers from scratch, sounds
 With this plug-in weft reads WAV, FLAC, Ogg and AIFF, at any rate.")
endif()
if(TARGET weft_mpi)
  list(APPEND CPACK_COMPONENTS_ALL mpi)
  list(APPEND weft_documented mpi)
  set(CPACK_DEBIAN_MPI_PACKAGE_NAME weft-mpi)
  set(CPACK_DEBIAN_MPI_PACKAGE_SECTION science)
  set(CPACK_DEBIAN_MPI_PACKAGE_SHLIBDEPS ON)
  set(CPACK_COMPONENT_MPI_DESCRIPTION
      "trains transformers from scratch, over MPI
 With this plug-in a run is computed by many processes, on one machine or many,
 that mpirun starts. The result is that of one process.")
endif()
if(TARGET weft_http)
  list(APPEND CPACK_COMPONENTS_ALL http)
  list(APPEND weft_documented http)
  set(CPACK_DEBIAN_HTTP_PACKAGE_NAME weft-http)
  set(CPACK_DEBIAN_HTTP_PACKAGE_SECTION science)
  set(CPACK_DEBIAN_HTTP_PACKAGE_SHLIBDEPS ON)
  set(CPACK_COMPONENT_HTTP_DESCRIPTION
      "trains transformers from scratch, HTTP
 With this plug-in weft serves models to programs that speak OpenAI's API, and
 pages to browsers.")
endif()

set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME weft)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS ON)
# Of the builds of OpenBLAS, the one that shares the program's threads; dpkg-shlibdeps asks for any.
set(CPACK_DEBIAN_PROGRAM_PACKAGE_DEPENDS "libopenblas0-openmp, libonig5")
set(CPACK_COMPONENT_PROGRAM_DESCRIPTION
    "trains transformers from scratch, on processors
 The command line weft: trains GPT, Llama, BERT, T5, ViT, Speech and recurrent models on
 text, pictures, sounds and on tasks that make their own samples, evaluates them, lets them write,
 and shows what they attend to. Runs can be stopped anywhere and go on with the
 same bits.")

set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME weft-dev)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libdevel)
# What the archives are linked with. `weft::xt` is there for those who have xtensor.
set(CPACK_DEBIAN_LIBRARY_PACKAGE_DEPENDS "libhdf5-dev, libopenblas-openmp-dev, libutf8proc-dev, zlib1g-dev, libzstd-dev")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_RECOMMENDS "g++ (>= 4:12)")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SUGGESTS "weft, cmake, pkgconf, libxtensor-dev, libxtensor-blas-dev")
set(CPACK_COMPONENT_LIBRARY_DESCRIPTION
    "trains transformers from scratch, library
 Tensors with reverse-mode gradients, layers, models, optimizers, data loaders
 and checkpoints in C++20: headers, static archives, and files for
 find_package(weft) and pkg-config.")

foreach(component ${weft_documented})
  string(TOUPPER ${component} upper)
  install(FILES LICENSE DESTINATION share/doc/${CPACK_DEBIAN_${upper}_PACKAGE_NAME} RENAME copyright
          COMPONENT ${component})
  install(FILES CHANGELOG.md DESTINATION share/doc/${CPACK_DEBIAN_${upper}_PACKAGE_NAME} COMPONENT ${component})
endforeach()
include(CPack)
