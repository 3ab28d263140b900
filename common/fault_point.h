#ifndef USHER_COMMON_FAULT_POINT_H_
#define USHER_COMMON_FAULT_POINT_H_

// Named places at which a test can kill the process, as a power cut would, or
// hold it up, as a bug would. Nothing is compiled in unless USHER_FAULT_POINTS
// is set. Then environment variables say what happens:
//
//   USHER_FAULT=NAME[:COUNT]   kills the process (SIGKILL, no clean-up) the
//                              COUNT-th time (default 1) that NAME is reached.
//   USHER_FAULT_WAIT=NAME=PATH holds up whoever reaches NAME while a named pipe
//                              lies at PATH: until somebody has opened it for
//                              writing, which tells that the place was reached,
//                              and has written a byte or closed it.

#ifdef USHER_FAULT_POINTS

namespace usher {
void ReachFaultPoint(const char* name);
}  // namespace usher

#define USHER_FAULT_POINT(name) ::usher::ReachFaultPoint(name)

#else

#define USHER_FAULT_POINT(name) static_cast<void>(0)

#endif  // USHER_FAULT_POINTS

#endif  // USHER_COMMON_FAULT_POINT_H_
