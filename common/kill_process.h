#ifndef USHER_COMMON_KILL_PROCESS_H_
#define USHER_COMMON_KILL_PROCESS_H_

namespace usher {

// Ends this process at once, as a power cut would: no destructor, no exit
// handler, no buffer written. For fault points. Platform twins:
// kill_process_posix.cc, kill_process_win.cc.
[[noreturn]] void KillThisProcess();

}  // namespace usher

#endif  // USHER_COMMON_KILL_PROCESS_H_
