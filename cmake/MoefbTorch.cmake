# LibTorch as the target `torch`: from -DTorch_DIR, from the environment's Torch_DIR, or from where scripts/bootstrap links it.
#
# Made by hand instead of by find_package(Torch): that of a CUDA build fails without a CUDA toolkit, although we compile
# nothing with it, and that of a CPU build warns about a library it does not need.
if(NOT Torch_DIR AND DEFINED ENV{Torch_DIR})
  set(Torch_DIR $ENV{Torch_DIR})
elseif(NOT Torch_DIR)
  set(Torch_DIR ${PROJECT_SOURCE_DIR}/.deps/torch/share/cmake/Torch)
endif()
get_filename_component(torch_root ${Torch_DIR}/../../.. ABSOLUTE)
if(NOT EXISTS ${torch_root}/lib/libtorch_cpu.so)
  message(FATAL_ERROR "No LibTorch in ${torch_root}: run scripts/bootstrap --trainer, set Torch_DIR to "
                      "<libtorch>/share/cmake/Torch, or configure with -DMOEFB_TRAINER=OFF")
endif()
message(STATUS "LibTorch: ${torch_root}")

add_library(torch INTERFACE IMPORTED)
target_include_directories(torch INTERFACE ${torch_root}/include ${torch_root}/include/torch/csrc/api/include)
target_compile_definitions(torch INTERFACE USE_DISTRIBUTED USE_C10D_GLOO USE_RPC USE_TENSORPIPE)
# Given as flags, not as files: beside them lies a libgomp.so.1, and CMake would warn of every program that it could be
# taken for the compiler's. It is, and should be: one OpenMP in one process.
set(torch_link_flags "-Wl,--no-as-needed,\"${torch_root}/lib/libtorch_cpu.so\",\"${torch_root}/lib/libc10.so\"")
if(EXISTS ${torch_root}/lib/libtorch_cuda.so)
  # It registers itself when loaded; nothing refers to it by name, and --no-as-needed keeps it.
  string(APPEND torch_link_flags ",\"${torch_root}/lib/libtorch_cuda.so\"")
endif()
target_link_libraries(torch INTERFACE "${torch_link_flags},--as-needed" "-Wl,-rpath,\"${torch_root}/lib\"")
set(TORCH_LIBRARIES torch)
