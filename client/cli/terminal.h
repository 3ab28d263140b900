#ifndef USHER_CLIENT_CLI_TERMINAL_H_
#define USHER_CLIENT_CLI_TERMINAL_H_

// What the operating system knows about the terminal and the keyboard.
// Platform twins: terminal_posix.cc, terminal_win.cc.

namespace usher::cli {

// Makes the terminal take UTF-8 and colours, which Windows must be told, until
// the program ends. Call once, before anything is written.
void PrepareTerminal();

bool StdinIsTerminal();
bool StdoutIsTerminal();
bool StderrIsTerminal();

// Columns of the terminal, 80 when unknown.
int TerminalWidth();

// Takes interrupts (Ctrl-C, SIGTERM) away from their default action;
// Interrupted (interrupts.h) is called for each. Call once, first of all in
// main: threads made before would still be killed.
void CatchInterrupts();

// The command that shows whether the service runs.
extern const char kServiceQuery[];

// What stands before a command that needs an administrator: "sudo ", or nothing
// where rights go with the window.
extern const char kElevationPrefix[];

// How to become one, in brackets behind "as an administrator".
extern const char kHowToElevate[];

// Ends the process at once; what is buffered for its output is lost.
[[noreturn]] void EndProcess(int exit_code);

}  // namespace usher::cli

#endif  // USHER_CLIENT_CLI_TERMINAL_H_
