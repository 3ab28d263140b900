#ifndef USHER_COMMON_FAULT_POINT_H_
#define USHER_COMMON_FAULT_POINT_H_

// Named places at which a test can kill the process, as a power cut would.
// Nothing is compiled in unless USHER_FAULT_POINTS is set; then the
// environment variable USHER_FAULT=NAME[:COUNT] kills the process (SIGKILL,
// no clean-up) the COUNT-th time (default 1) that NAME is reached.

#ifdef USHER_FAULT_POINTS

namespace usher {
void ReachFaultPoint(const char* name);
}  // namespace usher

#define USHER_FAULT_POINT(name) ::usher::ReachFaultPoint(name)

#else

#define USHER_FAULT_POINT(name) static_cast<void>(0)

#endif  // USHER_FAULT_POINTS

#endif  // USHER_COMMON_FAULT_POINT_H_
