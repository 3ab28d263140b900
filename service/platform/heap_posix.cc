#include <malloc.h>

#include "service/platform/heap.h"

namespace usher::platform {

void KeepHeapSmall() {
#ifdef __GLIBC__
  // One arena: gRPC's threads would each fill one of their own with what they
  // need once. The latency of a call is the same (tests/bench, rpc).
  mallopt(M_ARENA_MAX, 1);
  // Both would grow by themselves with the largest block ever freed.
  mallopt(M_MMAP_THRESHOLD, 256 * 1024);
  mallopt(M_TRIM_THRESHOLD, 512 * 1024);
#endif
}

void ReturnFreeMemory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace usher::platform
