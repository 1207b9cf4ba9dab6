/* A stand-in for libcuda.so.1: device memory is the host's, and a launch is told to whoever asked to be told.

   It holds the functions that kernels/cuda/driver.py calls, with their true signatures, so that the code which talks
   to a GPU runs where there is none. Each call is checked as far as it can be: a current context, known memory, a
   stream that was made. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef struct { char name[256]; } kernel;
typedef int (*launched)(const char *name, unsigned gx, unsigned gy, unsigned gz, unsigned bx, void **parameters);

static int started, number_of_devices = 2, contexts[8], streams[8];
static _Thread_local void *current;
static size_t held, limit = 1 << 24;
static launched on_launch;

#define ENTER if (!started) return 3; if (!current) return 201

void null_on_launch(launched f) { on_launch = f; }
void null_limit(size_t bytes) { limit = bytes; }
size_t null_held(void) { return held; }

int cuInit(unsigned flags) { started = 1; return flags ? 1 : 0; }
int cuDeviceGetCount(int *n) { *n = number_of_devices; return started ? 0 : 3; }
int cuDeviceGet(int *device, int n) { *device = 40 + n; return n < number_of_devices ? 0 : 101; }
int cuDeviceGetName(char *text, int size, int device) {
    strncpy(text, "null device", size); return device >= 40 ? 0 : 101;
}
int cuDeviceGetAttribute(int *value, int attribute, int device) {
    *value = attribute == 75 ? 9 : attribute == 76 ? 0 : -1; return device >= 40 ? 0 : 101;
}
int cuDevicePrimaryCtxRetain(void **context, int device) { *context = &contexts[device - 40]; return 0; }
int cuCtxSetCurrent(void *context) { current = context; return 0; }
int cuStreamCreate(void **stream, unsigned flags) { ENTER; *stream = &streams[0]; return flags == 1 ? 0 : 1; }
int cuStreamSynchronize(void *stream) { ENTER; return stream == &streams[0] ? 0 : 400; }

int cuMemAlloc_v2(size_t *address, size_t bytes) {
    ENTER;
    if (held + bytes > limit) return 2;
    size_t *block = malloc(bytes + 512);
    block[0] = bytes;
    held += bytes;
    *address = (size_t)block + 256;
    memset((void *)*address, 0xA5, bytes);
    return 0;
}
int cuMemFree_v2(size_t address) {
    ENTER; size_t *block = (size_t *)(address - 256); held -= block[0]; free(block); return 0;
}
int cuMemGetInfo_v2(size_t *freed, size_t *total) { ENTER; *freed = limit - held; *total = limit; return 0; }
int cuMemcpyHtoDAsync_v2(size_t to, const void *from, size_t bytes, void *stream) {
    ENTER; memcpy((void *)to, from, bytes); return stream == &streams[0] ? 0 : 400;
}
int cuMemcpyDtoHAsync_v2(void *to, size_t from, size_t bytes, void *stream) {
    ENTER; memcpy(to, (void *)from, bytes); return stream == &streams[0] ? 0 : 400;
}
int cuModuleLoadData(void **module, const void *image) {
    ENTER; *module = (void *)image; return strncmp(image, "\177ELF", 4) && strncmp(image, "test", 4) ? 200 : 0;
}
int cuModuleGetFunction(void **function, void *module, const char *name) {
    ENTER;
    kernel *k = calloc(1, sizeof *k);
    strncpy(k->name, name, 255);
    *function = k;
    return module ? 0 : 500;
}
int cuLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                   unsigned shared, void *stream, void **parameters, void **extra) {
    ENTER;
    if (!gx || bx > 1024 || by != 1 || bz != 1 || shared || extra || stream != &streams[0]) return 1;
    return on_launch ? on_launch(((kernel *)function)->name, gx, gy, gz, bx, parameters) : 0;
}
int cuGetErrorName(int status, const char **text) {
    *text = status == 2 ? "CUDA_ERROR_OUT_OF_MEMORY" : status == 1 ? "CUDA_ERROR_INVALID_VALUE" : "CUDA_ERROR_OTHER";
    return 0;
}
int cuGetErrorString(int status, const char **text) { *text = status == 2 ? "out of memory" : "a fault"; return 0; }
