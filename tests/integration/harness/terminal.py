"""A program on a terminal of its own, with somebody who reads and types."""

import errno
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

from . import platform

PATIENCE = 120  # seconds; only a hang reaches it


class Terminal:
    """Starts `command` as the session leader of a new terminal."""

    def __init__(self, command, environment, columns=120):
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ,
                    struct.pack("HHHH", 24, columns, 0, 0))
        # setsid makes the terminal the controlling one, so that Ctrl-C typed
        # into it becomes a signal.
        self.process = subprocess.Popen(
            [platform.find("setsid"), "--ctty", *command], stdin=slave,
            stdout=slave, stderr=slave, env=environment, cwd="/")
        os.close(slave)
        self.output = ""
        self._open = True

    def _read(self, deadline):
        left = max(deadline - time.monotonic(), 0)
        ready, _, _ = select.select([self._master], [], [], left)
        if not ready:
            raise AssertionError(f"nothing more within {PATIENCE} s of:\n"
                                 f"{self.output}")
        try:
            data = os.read(self._master, 65536)
        except OSError as error:  # how Linux says that nobody is left
            if error.errno != errno.EIO:
                raise
            data = b""
        self._open = bool(data)
        self.output += data.decode(errors="replace")

    def read_until(self, pattern):
        """Returns the first match of `pattern` in all that was shown so far."""
        deadline = time.monotonic() + PATIENCE
        while not (match := re.search(pattern, self.output)):
            if not self._open:
                raise AssertionError(f"ended without {pattern!r}:\n"
                                     f"{self.output}")
            self._read(deadline)
        return match

    def type(self, text):
        os.write(self._master, text.encode())

    def press_ctrl_c(self):
        self.type("\x03")

    def wait(self):
        """Reads to the end; the exit code."""
        deadline = time.monotonic() + PATIENCE
        while self._open:
            self._read(deadline)
        return self.process.wait(timeout=PATIENCE)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._master)
