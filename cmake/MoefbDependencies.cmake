# Everything we take from elsewhere, found once. scripts/bootstrap installs all of it; .deps/ is where it puts what the
# distribution lacks.
include(MoefbCcache)
list(APPEND CMAKE_PREFIX_PATH ${PROJECT_SOURCE_DIR}/.deps/onednn)

find_package(Threads REQUIRED)
find_package(Flatbuffers CONFIG QUIET)  # Debian's name
if(NOT Flatbuffers_FOUND)
  find_package(FlatBuffers CONFIG REQUIRED)
endif()
find_path(STB_INCLUDE_DIR stb/stb_image.h REQUIRED)

if(MOEFB_ONEDNN)
  # 3 is asked for by number: distributions carry 2.x under the same name.
  find_package(dnnl 3 CONFIG QUIET)
  if(NOT dnnl_FOUND)
    message(FATAL_ERROR "oneDNN 3 not found: run scripts/bootstrap --runtime, or configure with -DMOEFB_ONEDNN=OFF")
  endif()
  find_package(OpenMP REQUIRED COMPONENTS CXX)
endif()

if(MOEFB_TOOLS OR MOEFB_TRAINER OR MOEFB_TESTS OR MOEFB_BENCH OR MOEFB_FUZZ)
  find_package(nlohmann_json 3 CONFIG REQUIRED)
  find_package(CLI11 CONFIG REQUIRED)
endif()

if(MOEFB_TRAINER)
  find_package(tomlplusplus CONFIG QUIET)
  if(NOT tomlplusplus_FOUND)
    find_package(PkgConfig REQUIRED)
    pkg_check_modules(tomlplusplus REQUIRED IMPORTED_TARGET tomlplusplus)
    add_library(tomlplusplus::tomlplusplus ALIAS PkgConfig::tomlplusplus)
  endif()
  include(MoefbTorch)
endif()

if(MOEFB_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()

if(MOEFB_BENCH)
  find_package(benchmark REQUIRED)
endif()
