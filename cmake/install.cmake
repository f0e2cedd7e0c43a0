# cmake --install, and find_package(weft) or pkg-config afterwards. The component `library` is what programs of others
# build with, `program` the command line.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(weft_package ${CMAKE_INSTALL_LIBDIR}/cmake/weft)

# The rooms of weft::weft, by their targets and by their folders. The models' folder lies in that of the layers.
get_target_property(rooms weft INTERFACE_LINK_LIBRARIES)
set(folders ${rooms})
list(REMOVE_ITEM folders weft_models)
list(TRANSFORM folders REPLACE "^weft_" "")

install(TARGETS ${rooms} weft EXPORT weft_rooms ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}/weft COMPONENT library)
if(TARGET weft_cli)
  install(TARGETS weft_cli EXPORT weft_rooms ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}/weft COMPONENT library)
  install(FILES tools/cli.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/weft/tools COMPONENT library)
endif()
if(TARGET weft_help)
  set(help ${PROJECT_BINARY_DIR}/tools/help)
  install(FILES ${help}/weft.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT program)
  install(FILES ${help}/weft DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT program)
  install(FILES ${help}/_weft DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions COMPONENT program)
  install(FILES ${help}/weft.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d COMPONENT program)
endif()
install(TARGETS weft_xt EXPORT weft_xt COMPONENT library)
install(EXPORT weft_rooms NAMESPACE weft:: FILE weftTargets.cmake DESTINATION ${weft_package} COMPONENT library)
install(EXPORT weft_xt NAMESPACE weft:: FILE weftXtTargets.cmake DESTINATION ${weft_package} COMPONENT library)

# The vector code of lib/isa is internal and stays in the tree.
install(DIRECTORY ${folders} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/weft COMPONENT library
        FILES_MATCHING PATTERN "*.h" PATTERN "isa" EXCLUDE PATTERN "plugins" EXCLUDE PATTERN "*_internal.h" EXCLUDE)
install(FILES ${PROJECT_BINARY_DIR}/include/weft/weft.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/weft COMPONENT library)

configure_package_config_file(cmake/weftConfig.cmake.in ${PROJECT_BINARY_DIR}/weftConfig.cmake
                              INSTALL_DESTINATION ${weft_package})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/weftConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/weftConfig.cmake ${PROJECT_BINARY_DIR}/weftConfigVersion.cmake
              cmake/third_parties.cmake DESTINATION ${weft_package} COMPONENT library)

include(cmake/pkg_config.cmake)
if(PROJECT_IS_TOP_LEVEL)
  include(cmake/package.cmake)
endif()
