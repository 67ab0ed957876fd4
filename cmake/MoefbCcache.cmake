# ccache in front of the compiler, where there is one and nobody asked for another launcher.
#
# Its environment is part of the command, so that builds by hand and by preset share results: the base folder lets another
# clone hit, and without the sloppiness it caches nothing beside a precompiled header (which also needs -fpch-preprocess).
if(PROJECT_IS_TOP_LEVEL AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(MOEFB_CCACHE ccache)
  mark_as_advanced(MOEFB_CCACHE)
  if(MOEFB_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER
        ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}
        CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${MOEFB_CCACHE})
  endif()
endif()
