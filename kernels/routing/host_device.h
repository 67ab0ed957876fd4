// Marks functions that CUDA compiles for the device too.
#pragma once

#if defined(__CUDACC__)
#define MOEFB_HD __host__ __device__
#else
#define MOEFB_HD
#endif
