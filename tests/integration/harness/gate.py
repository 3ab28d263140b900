"""A place in the service at which a test holds it up (common/fault_point.h)."""

import os
import threading


class Gate:
    """Open at first. While it is shut, whoever comes to `place` waits."""

    def __init__(self, place, path):
        self.path = str(path)
        self.environment = {"USHER_FAULT_WAIT": f"{place}={self.path}"}
        # Readable once somebody waits at the gate.
        self.reached, self._signal = os.pipe()
        self._writer = None
        self._thread = None

    def shut(self):
        os.mkfifo(self.path)
        self._thread = threading.Thread(target=self._wait)
        self._thread.start()
        return self

    def _wait(self):
        # Opening it for writing waits for somebody who reads.
        self._writer = os.open(self.path, os.O_WRONLY)
        os.write(self._signal, b"!")

    def open(self):
        """Lets pass whoever waits, and who comes later."""
        self._thread.join()
        os.unlink(self.path)
        # A byte for each, and an open end for those who are just coming.
        os.write(self._writer, b"!" * 4096)

    def close(self):
        if self._thread is not None and self._thread.is_alive():
            # Nobody came. Let the thread go, whose other end we are now.
            os.close(os.open(self.path, os.O_RDONLY | os.O_NONBLOCK))
            self._thread.join()
        for fd in (self._writer, self.reached, self._signal):
            if fd is not None:
                os.close(fd)
