# What `cmake --install` and `cpack` carry: libraries, headers, package files, models; each program's rule stands beside it.
# Everything finds the rest by its own place, so an installed folder may be moved as a whole.
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME moefb)

install(
  TARGETS moefb_runtime moefb_shared
  EXPORT moefbTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY runtime/include/moefb DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(DIRECTORY models/ DESTINATION ${CMAKE_INSTALL_DATADIR}/moefb/models
        FILES_MATCHING PATTERN "*.moefb" PATTERN "*.md" PATTERN default)

if(MOEFB_ONEDNN)
  # Under its SONAME, and in a folder of our own: in lib/ it would be found by every other program that wants some oneDNN 3.
  install(FILES $<TARGET_FILE:DNNL::dnnl> DESTINATION ${CMAKE_INSTALL_LIBDIR}/moefb RENAME libdnnl.so.3)
  # Its licence asks to be passed on; a distribution's oneDNN has it elsewhere.
  install(DIRECTORY ${dnnl_DIR}/../../../share/doc/onednn DESTINATION ${CMAKE_INSTALL_DOCDIR} OPTIONAL)
endif()

# find_package(moefb)
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/moefb)
configure_package_config_file(cmake/moefbConfig.cmake.in ${PROJECT_BINARY_DIR}/moefbConfig.cmake
                              INSTALL_DESTINATION ${package_dir} PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_DATADIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/moefbConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/moefbConfig.cmake ${PROJECT_BINARY_DIR}/moefbConfigVersion.cmake
        DESTINATION ${package_dir})
install(EXPORT moefbTargets NAMESPACE moefb:: DESTINATION ${package_dir})
if(MOEFB_TOOLS)
  install(EXPORT moefbPrograms NAMESPACE moefb:: DESTINATION ${package_dir})
endif()

# pkg-config moefb, and moefb-static
file(RELATIVE_PATH pc_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" pc_prefix ${pc_prefix})
set(pc_static_libs "-lpthread -lstdc++ -lm")
if(MOEFB_ONEDNN)
  string(PREPEND pc_static_libs "-L\${libdir}/moefb -l:libdnnl.so.3 -Wl,-rpath,\${libdir}/moefb -lgomp ")
endif()
foreach(name moefb moefb-static)
  configure_file(cmake/${name}.pc.in ${PROJECT_BINARY_DIR}/${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()

include(MoefbPackages)
