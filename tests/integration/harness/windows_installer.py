"""An installer that a test holds, on Windows: it speaks TCP to the test, which
goes on with the FIFOs that the test knows from Linux."""

import os
import select
import socket
import threading


class WaitingInstaller:
    """Serves every run of the installer, one after the other."""

    def __init__(self, started, go):
        self._started = started
        self._go = go
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        # A blocked accept() returns then.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self):
        while True:
            try:
                installer, _ = self._listener.accept()
            except OSError:
                return
            with installer:
                self._serve_one(installer)

    def _serve_one(self, installer):
        # Opened without waiting for the other end; never at its end because it
        # is open for writing, too.
        go = os.open(self._go, os.O_RDWR | os.O_NONBLOCK)
        try:
            with open(self._started, "w", encoding="ascii") as started:
                started.write("up\n")
            # An installer that was killed takes no line from a later one.
            ready, _, _ = select.select([go, installer], [], [])
            if installer not in ready:
                os.read(go, 4096)
                installer.sendall(b"go\n")
        except OSError:
            pass  # killed, or the test is over and its FIFOs are gone
        finally:
            os.close(go)
