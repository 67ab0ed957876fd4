/* One picture, in C: one_picture_c MODEL PICTURE prints the likeliest class and the experts that answered. */
#include <stdio.h>
#include <stdlib.h>

#include "moefb/moefb.h"

/* Everything that is open, so that one place closes it. */
typedef struct session {
  const moefb_api* moefb;
  moefb_model* model;
  moefb_executor* executor;
  float* input;
  float* answer;
  int32_t* routes;
  moefb_error error;
} session;

static moefb_code open_model(session* s, const char* path, moefb_model_info* info) {
  const moefb_executor_options options = {.size = sizeof options, .trace = MOEFB_TRACE_ROUTING};
  moefb_code code = s->moefb->model_load_file(path, NULL, &s->model, &s->error);
  if (code == MOEFB_OK) code = s->moefb->model_get_info(s->model, info, &s->error);
  if (code == MOEFB_OK) code = s->moefb->executor_create(s->model, &options, &s->executor, &s->error);
  return code;
}

static moefb_code classify(session* s, const char* picture, const moefb_model_info* info, moefb_ranked* best) {
  const size_t inputs = (size_t)info->input_count, classes = (size_t)info->classes;
  moefb_code code = MOEFB_OUT_OF_MEMORY;
  s->input = malloc(inputs * sizeof *s->input);
  s->answer = malloc(classes * sizeof *s->answer);
  if (s->input == NULL || s->answer == NULL) return code;
  code = s->moefb->input_from_file(s->model, picture, s->input, inputs, &s->error);
  if (code == MOEFB_OK) code = s->moefb->run(s->executor, s->input, inputs, s->answer, classes, &s->error);
  if (code == MOEFB_OK) code = s->moefb->softmax(s->answer, classes, s->answer, &s->error);
  if (code == MOEFB_OK) code = s->moefb->top_k(s->answer, classes, 1, best, &s->error);
  return code;
}

static moefb_code print_experts(session* s) {
  const size_t count = s->moefb->route_count(s->executor);
  size_t i;
  moefb_code code;
  if (count == 0) return MOEFB_OK; /* a dense or soft model chooses no experts */
  s->routes = malloc(count * sizeof *s->routes);
  if (s->routes == NULL) return MOEFB_OUT_OF_MEMORY;
  code = s->moefb->read_routes(s->executor, s->routes, count, &s->error);
  if (code != MOEFB_OK) return code;
  printf("experts:");
  for (i = 0; i < count; ++i) printf(" %ld", (long)s->routes[i]);
  printf("\n");
  return MOEFB_OK;
}

int main(int argc, char** argv) {
  session s = {.error = {.size = sizeof(moefb_error)}};
  moefb_model_info info = {.size = sizeof info};
  moefb_ranked best = {0, 0};
  const char* subject = argc == 3 ? argv[1] : "";
  moefb_code code;
  if (argc != 3) {
    fprintf(stderr, "usage: %s MODEL PICTURE\n", argv[0]);
    return 1;
  }
  s.moefb = moefb_get_api(MOEFB_API_VERSION);
  if (s.moefb == NULL) {
    fprintf(stderr, "libmoefb %s is too old for this program\n", moefb_version());
    return 1;
  }

  code = open_model(&s, argv[1], &info);
  if (code == MOEFB_OK) {
    subject = argv[2];
    code = classify(&s, argv[2], &info, &best);
  }
  if (code == MOEFB_OK) {
    printf("%s: %s, %.6f\n", argv[2], s.moefb->class_name(s.model, best.index), (double)best.value);
    code = print_experts(&s);
  }
  if (code != MOEFB_OK) fprintf(stderr, "%s: %s\n", subject, s.error.message[0] ? s.error.message : "out of memory");

  free(s.routes);
  free(s.answer);
  free(s.input);
  s.moefb->executor_free(s.executor);
  s.moefb->model_free(s.model);
  return code == MOEFB_OK ? 0 : 1;
}
