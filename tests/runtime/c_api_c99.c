#include "runtime/c_api_c99.h"

#include <stdlib.h>
#include <string.h>

static moefb_code answer(const moefb_api* moefb, moefb_model* model, moefb_executor* executor, const char* picture_file,
                         moefb_ranked* best, moefb_error* error) {
  moefb_model_info info = {.size = sizeof info};
  float* memory;
  moefb_code code = moefb->model_get_info(model, &info, error);
  if (code != MOEFB_OK) return code;
  memory = malloc(((size_t)info.input_count + (size_t)info.classes) * sizeof *memory);
  if (memory == NULL) return MOEFB_OUT_OF_MEMORY;
  {
    float* const logits = memory + info.input_count;
    const size_t inputs = (size_t)info.input_count, classes = (size_t)info.classes;
    code = moefb->input_from_file(model, picture_file, memory, inputs, error);
    if (code == MOEFB_OK) code = moefb->run(executor, memory, inputs, logits, classes, error);
    if (code == MOEFB_OK) code = moefb->softmax(logits, classes, logits, error);
    if (code == MOEFB_OK) code = moefb->top_k(logits, classes, 1, best, error);
  }
  free(memory);
  return code;
}

moefb_code c99_classify(const char* model_file, const char* picture_file, moefb_ranked* best, char name[64],
                        moefb_error* error) {
  const moefb_api* moefb = moefb_get_api(MOEFB_API_VERSION);
  const moefb_load_options load = {.size = sizeof load, .kernels = MOEFB_KERNELS_REFERENCE};
  const moefb_executor_options run = {.size = sizeof run, .threads = 2, .dispatch = MOEFB_DISPATCH_NAIVE};
  moefb_model* model = NULL;
  moefb_executor* executor = NULL;
  moefb_code code = moefb->model_load_file(model_file, &load, &model, error);
  if (code == MOEFB_OK) code = moefb->executor_create(model, &run, &executor, error);
  if (code == MOEFB_OK) code = answer(moefb, model, executor, picture_file, best, error);
  if (code == MOEFB_OK) {
    name[0] = '\0';
    strncat(name, moefb->class_name(model, best->index), 63);
  }
  moefb->executor_free(executor);
  moefb->model_free(model);
  return code;
}
