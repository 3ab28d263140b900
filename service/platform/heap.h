#ifndef USHER_SERVICE_PLATFORM_HEAP_H_
#define USHER_SERVICE_PLATFORM_HEAP_H_

// The process's heap: a service that mostly waits should not keep what its
// busiest moment needed. Platform twins: heap_posix.cc, heap_win.cc.

namespace usher::platform {

// Prefers a small heap to one that many threads can grow at once. To be called
// before the process has other threads.
void KeepHeapSmall();

// Gives free memory back to the system. Takes milliseconds; worth it after
// something large, such as loading a catalog. Thread-safe.
void ReturnFreeMemory();

}  // namespace usher::platform

#endif  // USHER_SERVICE_PLATFORM_HEAP_H_
