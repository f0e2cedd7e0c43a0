# weft_room(NAME [ROOM...]): the static library weft_NAME of one room's sources, linked to the rooms it may include.
function(weft_room name)
  set(folder ${PROJECT_SOURCE_DIR}/${name})
  if(name STREQUAL "models")
    set(folder ${PROJECT_SOURCE_DIR}/layers/models)
  endif()
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${folder}/*.cpp)
  if(name STREQUAL "layers")
    list(FILTER sources EXCLUDE REGEX "/layers/models/")
  endif()
  list(FILTER sources EXCLUDE REGEX "/${name}/plugins/")
  add_library(weft_${name} STATIC ${sources})
  add_library(weft::${name} ALIAS weft_${name})
  set_target_properties(weft_${name} PROPERTIES EXPORT_NAME ${name} POSITION_INDEPENDENT_CODE ON LINKER_LANGUAGE CXX)
  target_compile_features(weft_${name} PUBLIC cxx_std_20)
  target_include_directories(weft_${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>
                                                 $<INSTALL_INTERFACE:include>)
  target_link_libraries(weft_${name} PRIVATE $<BUILD_INTERFACE:weft_settings>)
  foreach(room ${ARGN})
    target_link_libraries(weft_${name} PUBLIC weft_${room})
  endforeach()
  if(name STREQUAL "lib")
    weft_lib_settings()
  elseif(name STREQUAL "data")
    target_link_libraries(weft_data PRIVATE weft::utf8proc weft::compression ${CMAKE_DL_LIBS})
    target_include_directories(weft_data SYSTEM PRIVATE ${WEFT_ONIGURUMA_INCLUDE} ${WEFT_NLOHMANN_JSON_INCLUDE})
  endif()
endfunction()

# The ground alone knows the third parties, privately. One file an instruction set holds the vector code.
function(weft_lib_settings)
  target_link_libraries(weft_lib PRIVATE weft::hdf5 OpenMP::OpenMP_CXX Threads::Threads ${CMAKE_DL_LIBS})
  target_include_directories(weft_lib SYSTEM PRIVATE ${WEFT_NLOHMANN_JSON_INCLUDE} ${WEFT_XXHASH_INCLUDE})
  # Of the bridge to xtensor all but BLAS, which is not linked but loaded by the first product in double.
  target_include_directories(weft_lib SYSTEM PRIVATE $<TARGET_PROPERTY:weft_xt,INTERFACE_SYSTEM_INCLUDE_DIRECTORIES>
                                                     $<TARGET_PROPERTY:xtensor,INTERFACE_INCLUDE_DIRECTORIES>
                                                     $<TARGET_PROPERTY:xtl,INTERFACE_INCLUDE_DIRECTORIES>)
  target_compile_options(weft_lib PRIVATE $<TARGET_PROPERTY:weft_xt,INTERFACE_COMPILE_OPTIONS>)
  set_property(SOURCE ${PROJECT_SOURCE_DIR}/lib/kernels/products/blas.cpp
               PROPERTY COMPILE_DEFINITIONS WEFT_BLAS_FILE="${WEFT_BLAS_RUNTIME}")
  # The fallback for old processors: -O3 would take as long to compile as everything else in the folder.
  set_property(SOURCE ${PROJECT_SOURCE_DIR}/lib/isa/scalar.cpp PROPERTY COMPILE_OPTIONS -O2)
  set_property(SOURCE ${PROJECT_SOURCE_DIR}/lib/isa/avx2.cpp PROPERTY COMPILE_OPTIONS -mavx2 -mfma)
  set(avx512 -mavx2 -mfma -mavx512f -mavx512bw -mavx512vl -mavx512dq -mprefer-vector-width=512)
  set_property(SOURCE ${PROJECT_SOURCE_DIR}/lib/isa/avx512.cpp PROPERTY COMPILE_OPTIONS ${avx512})
  set_property(SOURCE ${PROJECT_SOURCE_DIR}/lib/isa/avx512_vnni.cpp PROPERTY COMPILE_OPTIONS ${avx512} -mavx512vnni)
  set_property(SOURCE ${PROJECT_SOURCE_DIR}/lib/isa/avx512_bf16.cpp PROPERTY COMPILE_OPTIONS ${avx512} -mavx512bf16)
endfunction()
