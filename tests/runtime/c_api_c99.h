/* The part of c_api_test that is C: compiled as C99 with -pedantic, called by the tests. */
#ifndef MOEFB_TESTS_RUNTIME_C_API_C99_H
#define MOEFB_TESTS_RUNTIME_C_API_C99_H

#include "moefb/moefb.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A whole session, as a C program has it. `best` receives the likeliest class. */
moefb_code c99_classify(const char* model_file, const char* picture_file, moefb_ranked* best, char name[64],
                        moefb_error* error);

#ifdef __cplusplus
}
#endif

#endif
