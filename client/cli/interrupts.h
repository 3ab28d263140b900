#ifndef USHER_CLIENT_CLI_INTERRUPTS_H_
#define USHER_CLIENT_CLI_INTERRUPTS_H_

// What happens at Ctrl-C, and how the program is left: always, also when nobody
// reads its output any more.

#include <functional>

namespace usher::cli {

// Runs `handler(n)` on a thread of its own for the n-th interrupt, n from 1.
// Replaces an earlier handler, which may still be running; an empty one leaves
// the program with 130. An interrupt that comes while the program is being left
// ends it at once.
void OnInterrupt(std::function<void(int)> handler);

// OnInterrupt(nullptr), and waits for handlers that run.
void EndInterrupts();

// There was an interrupt. For terminal_posix.cc and terminal_win.cc.
void Interrupted();

// From now on the program is being left, and ends with `exit_code` in a second
// at the latest. For what is to be written before LeaveNow: whoever should read
// it may have stopped.
void LeaveSoon(int exit_code);

// Leaves the program: writes out what is buffered, as LeaveSoon() allows, and
// runs no destructors.
[[noreturn]] void LeaveNow(int exit_code);

}  // namespace usher::cli

#endif  // USHER_CLIENT_CLI_INTERRUPTS_H_
