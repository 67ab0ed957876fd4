/* The C API: everything that C, or another language by way of C, needs to load a model and run it. Plain C99.
 *
 *   const moefb_api* moefb = moefb_get_api(MOEFB_API_VERSION);     the table of functions below; NULL: library too old
 *   moefb->model_load_file("my.moefb", NULL, &model, &error);      one model, shared between threads
 *   moefb->executor_create(model, NULL, &executor, &error);        one executor for each thread
 *   moefb->input_from_file(model, "cat.png", input, size, &error);
 *   moefb->run(executor, input, size, logits, classes, &error);
 *
 * How it stays compatible. The table only grows at its end, and so do the structs that begin with `size`, so a program
 * keeps working with every later library of the same file name. Set `size` to sizeof the struct and every field that
 * you do not care about to zero, which always means the default: moefb_load_options o = {.size = sizeof o}.
 *
 * How it fails. Every call that can fail returns a code and, if `error` is not NULL, writes the reason to it. A null
 * pointer where one is needed, a struct of an impossible size and an enum value out of range are
 * MOEFB_INVALID_ARGUMENT; a struct longer than the library knows whose surplus is not zero is MOEFB_UNSUPPORTED. Where
 * a call fails, what it should have written is untouched (pointers to handles become NULL), unless its description says
 * otherwise.
 *
 * What it may share. Models may be used by any number of threads at once. Executors, one thread at a time: run()
 * answers MOEFB_BUSY to a second one; the other functions on an executor look at its last run and must not overlap one.
 */
#ifndef MOEFB_MOEFB_H
#define MOEFB_MOEFB_H

#include <stddef.h>
#include <stdint.h>

#include "moefb/export.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Of this header. Raised when the table grows. */
#define MOEFB_API_VERSION 1u

typedef enum moefb_code {
  MOEFB_OK = 0,
  MOEFB_INVALID_ARGUMENT = 1, /* the caller's fault: null, a wrong size, a value out of range */
  MOEFB_NOT_FOUND = 2,        /* no such file */
  MOEFB_IO = 3,               /* the system failed to read */
  MOEFB_CORRUPT_FILE = 4,     /* the bytes are not a valid model or picture */
  MOEFB_VERSION_MISMATCH = 5, /* a model of a newer format version */
  MOEFB_UNSUPPORTED = 6,      /* valid, but not something this build can do */
  MOEFB_OUT_OF_MEMORY = 7,
  MOEFB_BUSY = 8,   /* another thread is inside this executor */
  MOEFB_BACKEND = 9 /* a vendor library or device failed */
} moefb_code;

/* What happened, for a person. */
typedef struct moefb_error {
  size_t size;       /* in: sizeof(moefb_error) */
  int32_t code;      /* a moefb_code */
  char message[256]; /* "corrupt file: a segment's checksum differs (at 0; found 17, expected 42)"; empty on success */
} moefb_error;

typedef struct moefb_model moefb_model;
typedef struct moefb_executor moefb_executor;

enum { MOEFB_BACKEND_CPU = 0 };

enum {
  MOEFB_KERNELS_AUTO = 0,     /* the fastest that this build has for each layer */
  MOEFB_KERNELS_ONEDNN = 1,   /* oneDNN where it has the operation, else reference */
  MOEFB_KERNELS_REFERENCE = 2 /* the readable kernels alone: the same bits on every machine */
};

typedef struct moefb_load_options {
  size_t size;
  int32_t backend;        /* MOEFB_BACKEND_... */
  int32_t kernels;        /* MOEFB_KERNELS_... */
  int32_t max_batch;      /* the largest batch an executor will run; 0: 1 */
  int32_t skip_checksums; /* 1: not over the weights; header and graph are always checked */
} moefb_load_options;

enum {
  MOEFB_INPUT_PICTURE = 0,  /* (3, H, W): input_from_... make it */
  MOEFB_INPUT_FEATURES = 1, /* (D): the features that a head-only model classifies */
  MOEFB_INPUT_MAP = 2       /* (C, H, W): the feature map of a model without a stem */
};

typedef struct moefb_model_info {
  size_t size;
  int32_t input_kind; /* MOEFB_INPUT_... */
  int32_t input_rank;
  int64_t input_dims[4]; /* of one input, without the batch: (3, H, W), (D) or (C, H, W), then zeros */
  int64_t input_count;   /* their product: floats of one input */
  int32_t classes;       /* floats of one answer */
  int32_t max_batch;
  int32_t moe_layers;
  uint32_t format_version;
  uint64_t parameters;        /* as published, counted before folding */
  uint64_t active_parameters; /* on the path of one token */
  uint64_t multiply_adds;     /* of one input */
} moefb_model_info;

enum {
  MOEFB_DISPATCH_GROUPED = 0, /* tokens sorted by expert, each expert once over its group */
  MOEFB_DISPATCH_NAIVE = 1,   /* as published: a mask and a gather for each expert */
  MOEFB_DISPATCH_ALL = 2      /* every expert on every token, weighted by the routes */
};

/* Which tokens share the slots of one expert (patch networks). */
enum {
  MOEFB_CAPACITY_AS_MODEL = 0, /* as the model was meant */
  MOEFB_CAPACITY_BATCH = 1,
  MOEFB_CAPACITY_IMAGE = 2,
  MOEFB_CAPACITY_NONE = 3
};

enum {
  MOEFB_TRACE_OFF = 0,     /* nothing is kept: free */
  MOEFB_TRACE_ROUTING = 1, /* what the routers decided */
  MOEFB_TRACE_ALL = 2      /* also the named feature maps */
};

/* Runs fn(context, i) for every i in 0..n-1, in any order, on any threads, and returns when all are done. */
typedef void (*moefb_parallel_for)(void* host, int n, void (*fn)(void* context, int i), void* context);

typedef struct moefb_executor_options {
  size_t size;
  int32_t threads;        /* 1 runs inline, more start a fixed pool; 0: 1 */
  int32_t dispatch;       /* MOEFB_DISPATCH_... */
  int32_t capacity_group; /* MOEFB_CAPACITY_... */
  int32_t trace;          /* MOEFB_TRACE_... */
  /* The caller's arena, as moefb_requirements says; it must outlive the executor. NULL: the executor allocates one. */
  void* memory;
  size_t memory_bytes;
  /* The host's threads instead of a pool of our own; `threads` is then how many it can run at once. */
  moefb_parallel_for parallel_for;
  void* parallel_for_host; /* its first argument */
} moefb_executor_options;

typedef struct moefb_requirements {
  size_t size;
  size_t arena_bytes; /* all the memory that run() works in */
  size_t arena_alignment;
} moefb_requirements;

/* One MoE layer, in execution order. */
typedef struct moefb_moe_layer_info {
  size_t size;
  int32_t published_layer; /* its index in the published network; -1 for a head */
  int32_t experts;
  int32_t top_k; /* experts a token; all of them in a soft layer, which chooses nothing */
  int32_t soft;  /* 1: a soft layer */
  int64_t tokens_per_input;
} moefb_moe_layer_info;

enum { MOEFB_F32 = 0, MOEFB_BF16 = 1, MOEFB_I32 = 2, MOEFB_U8 = 3, MOEFB_I64 = 4 };

/* One traced tensor of the last run. */
typedef struct moefb_trace_info {
  size_t size;
  const char* name; /* "probs", "layer3.assigned_expert", ...; lives as long as the executor */
  int32_t dtype;    /* MOEFB_F32, ... */
  int32_t rank;
  int64_t dims[4];
  size_t bytes; /* in all */
} moefb_trace_info;

/* An index and its value, from top_k. */
typedef struct moefb_ranked {
  int32_t index;
  float value;
} moefb_ranked;

typedef struct moefb_api {
  /* The version of this table: functions described under a later one are missing. */
  uint32_t version;

  /* --- Models. Version 1. --- */

  /* Reads the file into memory of its own, checks all of it, packs the weights.
   * options: may be NULL. model: receives the model, to be freed with model_free. */
  moefb_code (*model_load_file)(const char* path, const moefb_load_options* options, moefb_model** model,
                                moefb_error* error);
  /* The same from memory: a model compiled in by `moefb-convert --c-array` or in flash, say. `bytes` may be read-only,
   * and must stay as they are until the model and all its executors are freed; at a multiple of 64 they are used in
   * place, else copied once. */
  moefb_code (*model_load_memory)(const void* bytes, size_t byte_count, const moefb_load_options* options,
                                  moefb_model** model, moefb_error* error);
  /* Executors of the model may go on. NULL is allowed. */
  void (*model_free)(moefb_model* model);
  moefb_code (*model_get_info)(const moefb_model* model, moefb_model_info* info, moefb_error* error);
  /* The name of a class as UTF-8; "" where the file has no names, and for an index without a class or a NULL model.
   * Lives as long as the model. */
  const char* (*class_name)(const moefb_model* model, int32_t index);
  /* MoE layer 0..moe_layers-1. */
  moefb_code (*moe_layer_get_info)(const moefb_model* model, int32_t layer, moefb_moe_layer_info* info,
                                   moefb_error* error);

  /* --- Inputs. `input` receives one input of the model: input_count floats, overwritten. --- */

  /* Decodes a PNG, JPEG, BMP or GIF file, resizes, crops and normalises it as the model wants.
   * MOEFB_UNSUPPORTED: the model takes no pictures, or the picture has more than 2^26 pixels. */
  moefb_code (*input_from_file)(const moefb_model* model, const char* path, float* input, size_t input_count,
                                moefb_error* error);
  /* The same from the bytes of such a file. */
  moefb_code (*input_from_encoded)(const moefb_model* model, const void* bytes, size_t byte_count, float* input,
                                   size_t input_count, moefb_error* error);
  /* The same from pixels: 3 bytes each (red, green, blue), rows top to bottom, `stride` bytes from row to row
   * (0: 3 * width). */
  moefb_code (*input_from_pixels)(const moefb_model* model, const uint8_t* pixels, int32_t width, int32_t height,
                                  size_t stride, float* input, size_t input_count, moefb_error* error);

  /* --- Executors. --- */

  /* What an executor would need, before anything is allocated. options: may be NULL. */
  moefb_code (*executor_get_requirements)(const moefb_model* model, const moefb_executor_options* options,
                                          moefb_requirements* requirements, moefb_error* error);
  /* options: may be NULL. executor: receives the executor, to be freed with executor_free. */
  moefb_code (*executor_create)(const moefb_model* model, const moefb_executor_options* options,
                                moefb_executor** executor, moefb_error* error);
  /* NULL is allowed. */
  void (*executor_free)(moefb_executor* executor);
  /* Classifies a batch: n inputs one after the other, n = input_count / the model's input_count, 1 <= n <= max_batch.
   * logits: n * classes floats, overwritten; may not overlap `input`. Allocates nothing of ours.
   * MOEFB_BUSY: another thread is inside this executor, nothing was written;
   * MOEFB_BACKEND: the device failed, `logits` is unspecified, the executor may be used again. */
  moefb_code (*run)(moefb_executor* executor, const float* input, size_t input_count, float* logits, size_t logit_count,
                    moefb_error* error);

  /* --- Answers. --- */

  /* One row of logits to probabilities; `probabilities` may be `logits`. */
  moefb_code (*softmax)(const float* logits, size_t count, float* probabilities, moefb_error* error);
  /* The k largest of `values`, largest first, among equals the lower index first. 1 <= k <= count. */
  moefb_code (*top_k)(const float* values, size_t count, size_t k, moefb_ranked* ranked, moefb_error* error);

  /* --- Routing of the last run. --- */

  /* How many routes read_routes writes; 0 before a run, without tracing, and where no layer chooses. */
  size_t (*route_count)(const moefb_executor* executor);
  /* The chosen experts, MoE layer after MoE layer without the soft ones: (tokens, top_k) each, best first, -1 where a
   * token was dropped. Needs MOEFB_TRACE_ROUTING or MOEFB_TRACE_ALL. */
  moefb_code (*read_routes)(const moefb_executor* executor, int32_t* routes, size_t count, moefb_error* error);
  /* Tokens that each expert of one layer computed. rows: as many as the layer has experts. */
  moefb_code (*read_expert_rows)(const moefb_executor* executor, int32_t layer, int64_t* rows, size_t count,
                                 moefb_error* error);
  /* Tensors that the last run kept; 0 before a run and without tracing. */
  int32_t (*trace_count)(const moefb_executor* executor);
  moefb_code (*trace_get_info)(const moefb_executor* executor, int32_t index, moefb_trace_info* info,
                               moefb_error* error);
  /* Copies a traced tensor out. byte_count: moefb_trace_info.bytes. */
  moefb_code (*read_trace)(const moefb_executor* executor, int32_t index, void* bytes, size_t byte_count,
                           moefb_error* error);
} moefb_api;

/* The table for a program compiled with this header: pass MOEFB_API_VERSION. NULL if the library is older than that, or
 * if version is 0. The table lives as long as the library. */
MOEFB_EXPORT const moefb_api* moefb_get_api(uint32_t version);

/* The library's version, "0.1.0"; a literal. */
MOEFB_EXPORT const char* moefb_version(void);

#ifdef __cplusplus
}
#endif

#endif
