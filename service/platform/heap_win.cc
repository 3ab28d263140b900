#include <windows.h>

#include "service/platform/heap.h"

namespace usher::platform {

// The process heap of Windows sizes itself.
void KeepHeapSmall() {}

void ReturnFreeMemory() { HeapCompact(GetProcessHeap(), 0); }

}  // namespace usher::platform
