"""usherd: started, awaited by its own readiness message, stopped, killed."""

import contextlib
import os
import pathlib
import select
import signal
import socket
import subprocess
import time

from .api import Api

STARTUP_SECONDS = 120  # only a hang reaches it


class DaemonError(Exception):
    pass


class Usherd:
    def __init__(self, platform, state, scratch):
        self.platform = platform
        self.state = pathlib.Path(state)
        self.scratch = pathlib.Path(scratch)
        self.scratch.mkdir(parents=True, exist_ok=True)
        self.address = self._private_address()
        self.config = None
        self.process = None
        self.messages = []
        self._notify = None

    def _private_address(self):
        return self.state / "usher.sock"

    def connect(self, stubs):
        """A gRPC client of the running service."""
        return Api(stubs, self.address, path=self.platform.path)

    def dial(self):
        """A bare connection to the running service: a socket."""
        peer = socket.socket(socket.AF_UNIX)
        peer.connect(str(self.address))
        return peer

    def is_reachable(self):
        """Whether there is somebody at the address."""
        return self.address.exists()

    def move(self, folder):
        """Moves the state of a daemon that does not run."""
        self.state.rename(folder)
        self.state = folder
        self.address = self._private_address()

    def installed(self, product, member):
        """A file of the version of a product that is in use. It need not be
        there."""
        return self.state / "products" / product / "current" / member

    def run_installed(self, product, member):
        """What a program of a product says."""
        return subprocess.run([self.installed(product, member)], check=True,
                              capture_output=True, text=True).stdout.strip()

    @property
    def output(self):
        path = self.scratch / "usherd.out"
        return path.read_text(errors="replace") if path.exists() else ""

    def configure(self, text):
        """Writes a configuration file for the next start."""
        self.config = self.scratch / "usherd.toml"
        self.config.write_text(text)
        return self.config

    def open_to_everyone(self, policy=""):
        """Lets every user of the machine connect, as the installed service
        does; `policy` is text for that section. The state folder stays private,
        so the socket lies beside it."""
        self.address = self.scratch.parent / "usher.sock"
        self.configure(f"[service]\nworld_accessible = true\n"
                       f'socket = "{self.platform.path(self.address)}"\n'
                       f"[policy]\n{policy}\n")

    def arguments(self):
        words = self.platform.command("usherd") + [
            "--state-dir", self.platform.path(self.state)]
        if self.config is not None:
            words += ["--config", self.platform.path(self.config)]
        return words

    def launch(self, environment=None, arguments=()):
        """Starts it and returns at once."""
        if self._notify is not None:
            self._notify.close()
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        path = self.scratch / "notify"
        path.unlink(missing_ok=True)
        self._notify.bind(str(path))
        self.messages = []
        with open(self.scratch / "usherd.out", "ab") as output:
            self.process = subprocess.Popen(
                self.arguments() + list(arguments), stdin=subprocess.DEVNULL,
                stdout=output, stderr=subprocess.STDOUT,
                env={**os.environ, "NOTIFY_SOCKET": str(path),
                     **(environment or {})})
        return self

    def start(self, environment=None, arguments=()):
        """Starts it and returns when it says that it answers calls."""
        self.launch(environment, arguments)
        if not self.wait_for_message("READY=1"):
            code = self.process.wait()
            raise DaemonError(f"usherd exited with {code}:\n{self.output}")
        return self

    def wait_for_message(self, wanted, seconds=STARTUP_SECONDS):
        """Reads notifications until one has `wanted`; False if it exits."""
        deadline = time.monotonic() + seconds
        with contextlib.ExitStack() as stack:
            watched = [self._notify]
            if self.process.poll() is None:
                exited = os.pidfd_open(self.process.pid)
                stack.callback(os.close, exited)
                watched.append(exited)
            while not any(wanted in message for message in self.messages):
                running = self.process.poll() is None
                left = max(deadline - time.monotonic(), 0) if running else 0
                ready, _, _ = select.select(watched, [], [], left)
                if self._notify in ready:
                    self.messages.append(self._notify.recv(4096).decode())
                elif not running:
                    return False
                elif not ready:
                    raise DaemonError(f"no {wanted} within {seconds} s:\n"
                                      f"{self.output}")
        return True

    def wait_for_either(self, fd, wanted, seconds=STARTUP_SECONDS):
        """Reads notifications until `fd` can be read (True), or one of them has
        `wanted` (False)."""
        deadline = time.monotonic() + seconds
        while not any(wanted in message for message in self.messages):
            ready, _, _ = select.select([self._notify, fd], [], [],
                                        max(deadline - time.monotonic(), 0))
            if self._notify in ready:
                self.messages.append(self._notify.recv(4096).decode())
            elif ready:
                return True
            else:
                raise DaemonError(f"neither within {seconds} s:\n{self.output}")
        return False

    def wait_exit(self, seconds=STARTUP_SECONDS):
        return self.process.wait(timeout=seconds)

    def stop(self, seconds=60):
        """SIGTERM, as systemd would; returns exit code and seconds taken."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=seconds)
        return code, time.monotonic() - started

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        """Ends it whatever its state; fails the test on a bad exit."""
        code = 0
        if self.process is not None and self.process.poll() is None:
            code, _ = self.stop()
        if self._notify is not None:
            self._notify.close()
            self._notify = None
        if code != 0:
            raise DaemonError(f"usherd exited with {code}:\n{self.output}")

    def memory_kib(self, field="VmRSS"):
        for line in pathlib.Path(
                f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1])
        raise KeyError(field)

    def reset_peak_memory(self):
        """Makes VmHWM start again from the present resident size."""
        pathlib.Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
