# cpack: a .tar.gz to unpack anywhere, and a .deb for /usr. Both without the trainer, whose LibTorch is not ours to carry.
set(CPACK_GENERATOR TGZ DEB)
set(CPACK_INSTALL_CMAKE_PROJECTS ${PROJECT_BINARY_DIR} moefb moefb /)
set(CPACK_STRIP_FILES ON)

set(CPACK_PACKAGE_NAME moefb)
set(CPACK_PACKAGE_VENDOR moefb)
set(CPACK_PACKAGE_CONTACT "The developers of moefb")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Sparse Mixture-of-Experts vision models: runtime, tools, models")
set(CPACK_PACKAGE_DESCRIPTION
    "Runs sparse Mixture-of-Experts vision models from one file: the programs moe-infer, moe-info and moefb-convert,
the library libmoefb with its headers for C and C++, and models to start with.")

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
find_program(MOEFB_DPKG_SHLIBDEPS dpkg-shlibdeps)
mark_as_advanced(MOEFB_DPKG_SHLIBDEPS)
if(MOEFB_DPKG_SHLIBDEPS)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
  if(MOEFB_ONEDNN)
    # libdnnl.so.3 is in the package itself.
    get_target_property(dnnl_file DNNL::dnnl IMPORTED_LOCATION_RELEASE)
    get_filename_component(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${dnnl_file} DIRECTORY)
  endif()
else()
  set(CPACK_DEBIAN_PACKAGE_DEPENDS "libc6, libgcc-s1, libgomp1, libstdc++6")
endif()

include(CPack)
