# Our CMake functions: what every target of ours gets, and one line per test program.

# Warnings, C++20 and the include roots. Every target of ours calls it once.
function(moefb_target_defaults target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
                                             POSITION_INDEPENDENT_CODE ON)
  target_compile_options(${target} PRIVATE -Wall -Wextra)
  if(PROJECT_IS_TOP_LEVEL)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(MOEFB_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${MOEFB_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    if(MOEFB_SANITIZE MATCHES undefined)
      # The library has no RTTI, so a program that has some sees an "invalid vptr" in every shared_ptr of ours.
      target_compile_options(${target} PRIVATE -fno-sanitize=vptr)
    endif()
    target_link_options(${target} PUBLIC -fsanitize=${MOEFB_SANITIZE})
  endif()
endfunction()

# moefb_install_program(convert AS moefb-convert [COMPONENT trainer]): the install rule of a program, and where it finds our
# oneDNN then. A name that is too common for /usr/bin gets a longer one with AS; the build folder has it under both.
function(moefb_install_program target)
  cmake_parse_arguments(arg "" "AS;COMPONENT" "" ${ARGN})
  if(NOT arg_COMPONENT)
    set(arg_COMPONENT moefb)
  endif()
  set_target_properties(${target} PROPERTIES INSTALL_RPATH $ORIGIN/../${CMAKE_INSTALL_LIBDIR}/moefb)
  if(arg_AS)
    set_target_properties(${target} PROPERTIES OUTPUT_NAME ${arg_AS})
    add_custom_command(
      TARGET ${target} POST_BUILD VERBATIM
      COMMAND ${CMAKE_COMMAND} -E create_symlink ${arg_AS} $<TARGET_FILE_DIR:${target}>/${target})
  endif()
  if(MOEFB_INSTALL)
    install(TARGETS ${target} EXPORT ${arg_COMPONENT}Programs RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
            COMPONENT ${arg_COMPONENT})
  endif()
endfunction()

# moefb_add_test(arena_test LINK moefb::runtime LABELS cpu [SOURCES a.cpp]): a GoogleTest program from <name>.cpp in the
# current folder, every case registered with ctest.
function(moefb_add_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "LINK;LABELS;SOURCES" ${ARGN})
  if(NOT arg_SOURCES)
    set(arg_SOURCES ${name}.cpp)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  add_executable(${name} ${arg_SOURCES})
  moefb_target_defaults(${name})
  target_compile_options(${name} PRIVATE -O1) # what a test compares is optimised, the test itself need not be: half the time
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests ${PROJECT_SOURCE_DIR})
  target_compile_definitions(${name} PRIVATE MOEFB_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data"
                                             MOEFB_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE ${arg_LINK} GTest::gtest GTest::gtest_main)
  # Tests run several at a time: OpenMP threads that wait by spinning would take each other's cores.
  gtest_discover_tests(${name} NO_PRETTY_VALUES DISCOVERY_TIMEOUT 60 PROPERTIES
                       LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT} ENVIRONMENT OMP_WAIT_POLICY=passive)
endfunction()
