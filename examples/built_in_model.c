/* A model that is part of the program, in C: built_in_model PICTURE. The array is what `moefb-convert --c-array` wrote;
 * it lies in the program's read-only memory, and its weights are used there. */
#include <stdio.h>
#include <stdlib.h>

#include "moefb/moefb.h"

extern const uint64_t shapes_model[];
extern const size_t shapes_model_size;

enum { INPUT = 3 * 32 * 32, CLASSES = 12 }; /* known, as the model is */

static moefb_code classify(const moefb_api* moefb, const moefb_model* model, moefb_executor* executor,
                           const char* picture, moefb_ranked* best, moefb_error* error) {
  static float input[INPUT], answer[CLASSES];
  moefb_code code = moefb->input_from_file(model, picture, input, INPUT, error);
  if (code == MOEFB_OK) code = moefb->run(executor, input, INPUT, answer, CLASSES, error);
  if (code == MOEFB_OK) code = moefb->softmax(answer, CLASSES, answer, error);
  if (code == MOEFB_OK) code = moefb->top_k(answer, CLASSES, 1, best, error);
  return code;
}

int main(int argc, char** argv) {
  const moefb_api* moefb = moefb_get_api(MOEFB_API_VERSION);
  moefb_error error = {.size = sizeof error};
  moefb_model* model = NULL;
  moefb_executor* executor = NULL;
  moefb_ranked best = {0, 0};
  moefb_code code;
  if (argc != 2 || moefb == NULL) {
    fprintf(stderr, "usage: %s PICTURE (needs libmoefb with API version %u)\n", argv[0], MOEFB_API_VERSION);
    return 1;
  }

  code = moefb->model_load_memory(shapes_model, shapes_model_size, NULL, &model, &error);
  if (code == MOEFB_OK) code = moefb->executor_create(model, NULL, &executor, &error);
  if (code == MOEFB_OK) code = classify(moefb, model, executor, argv[1], &best, &error);
  if (code == MOEFB_OK) {
    printf("%s: %s, %.6f\n", argv[1], moefb->class_name(model, best.index), (double)best.value);
  } else {
    fprintf(stderr, "%s: %s\n", argv[1], error.message);
  }
  moefb->executor_free(executor);
  moefb->model_free(model);
  return code == MOEFB_OK ? 0 : 1;
}
