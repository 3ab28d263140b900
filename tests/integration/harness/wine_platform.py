"""The Windows build under Wine, as a platform of the tests.

Python's gRPC cannot dial a named pipe. usher_pipe_relay.exe, one for all tests,
hands the bytes of TCP connections on to the service's own pipe, so that the
service sees what it sees of every client: a pipe, and who opened it.
"""

import hashlib
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

from . import windows_programs as programs
from .api import Api
from .daemon import STARTUP_SECONDS, DaemonError, Usherd
from .platform import Platform
from .stubs import REPOSITORY
from .windows_installer import WaitingInstaller

# systemd's messages, and the lines of the log that say the same.
MESSAGES = {"READY=1": " ready at ", "STOPPING=1": " stopping"}

TOOLCHAIN = REPOSITORY / "cmake/windows-toolchain.cmake"


class WinePlatform(Platform):
    """Wine runs each program; the root folder of this machine is drive Z."""

    name = "wine"

    # Wine gives files the modes that it thinks fit.
    has_modes = False

    def __init__(self, build, linux, wine):
        super().__init__(build)
        self.wine = wine
        self.environment = {
            name: wine.environment.get(name, "") for name in
            ("WINEPREFIX", "WINEDLLOVERRIDES", "WINEDEBUG", "LC_ALL", "DISPLAY",
             "WAYLAND_DISPLAY")}
        self._linux = linux
        self._relay = None
        self._doors = {}
        self._waiting = []

    @property
    def linux(self):
        return self._linux

    def command(self, program):
        path = self.build / "bin" / f"{program}.exe"
        if not path.exists():
            raise FileNotFoundError(f"{path}: build it first (./dev windows)")
        return ["wine", str(path)]

    def program(self, path):
        return ["wine", f"{path}.exe"]

    def sdk_options(self, prefix):
        return [f"-DCMAKE_TOOLCHAIN_FILE={TOOLCHAIN}",
                f"-Dusher_DIR={prefix / 'lib/cmake/usher'}"]

    # The compiler's own DLLs are not on a Windows machine.
    sdk_link_flags = "-static"

    def path(self, path):
        if isinstance(path, str):
            return path
        path = pathlib.PurePosixPath(path)
        drive = "Z:" if path.is_absolute() else ""
        return drive + str(path).replace("/", "\\")

    def url(self, path):
        return pathlib.PureWindowsPath(
            self.path(pathlib.Path(path).resolve())).as_uri()

    def daemon(self, state, scratch):
        return WineUsherd(self, state, scratch)

    def own_user(self):
        return "S-1-5-21-"

    def installer(self, path, sh, cmd):
        path = pathlib.Path(path).with_suffix(".cmd")
        path.write_text("@echo off\n" + cmd, newline="\r\n")
        return path

    def complaining_installer(self, path, said, code):
        return programs.complainer(pathlib.Path(path).with_suffix(".exe"), said,
                                   code)

    def waiting_installer(self, path, started, go):
        self._waiting.append(WaitingInstaller(started, go))
        return programs.waiter(pathlib.Path(path).with_suffix(".exe"),
                               self._waiting[-1].port)

    def door(self, pipe):
        """A TCP port whose connections lead to `pipe`."""
        if pipe not in self._doors:
            if self._relay is None:
                self._relay = subprocess.Popen(
                    self.command("usher_pipe_relay"), stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE, text=True,
                    env={**os.environ, **self.environment})
            self._relay.stdin.write(pipe + "\n")
            self._relay.stdin.flush()
            self._doors[pipe] = int(self._relay.stdout.readline())
            self.wine.ports_of_tests.add(self._doors[pipe])
        return self._doors[pipe]

    def close(self):
        for waiting in self._waiting:
            waiting.close()
        if self._relay is not None:
            self._relay.stdin.close()
            self._relay.wait()


class WineUsherd(Usherd):
    """usherd.exe in the foreground."""

    def __init__(self, platform, state, scratch):
        super().__init__(platform, state, scratch)
        self._said = None

    def _private_address(self):
        return private_pipe(self.platform.path(self.state))

    def connect(self, stubs):
        return Api(stubs, f"ipv4:127.0.0.1:{self.platform.door(self.address)}",
                   path=self.platform.path)

    def dial(self):
        return socket.create_connection(
            ("127.0.0.1", self.platform.door(self.address)))

    def is_reachable(self):
        done = subprocess.run(
            self.platform.command("usher") + ["--address", self.address,
                                              "status"],
            stdin=subprocess.DEVNULL, capture_output=True, check=False,
            env={**os.environ, **self.platform.environment})
        assert done.returncode in (0, 5), done
        return done.returncode == 0

    def installed(self, product, member):
        """Wine has no junctions: the file .current names the version in use."""
        folder = self.state / "products" / product
        try:
            return folder / (folder / ".current").read_text() / member
        except FileNotFoundError:
            return folder / "current" / member

    def run_installed(self, product, member):
        """Most products of the tests are shell scripts on either platform: the
        service has to bring them, whole and in their place. Real programs are
        run by windows/test_windows_main_job.py."""
        return subprocess.run(["sh", self.installed(product, member)],
                              check=True, capture_output=True,
                              text=True).stdout.strip()

    def arguments(self):
        command, program, *options = super().arguments()
        return [command, program, "run", *options]

    def launch(self, environment=None, arguments=()):
        # A pipe that nobody but usherd writes to: what it says is seen at once.
        self.process = subprocess.Popen(
            self.arguments() + list(arguments), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, **self.platform.environment,
                 **(environment or {})})
        self._said = Said(self.process, self.scratch / "usherd.out")
        return self

    def wait_for_message(self, wanted, seconds=STARTUP_SECONDS):
        if self._said.wait_for(MESSAGES[wanted], seconds):
            return True
        if self.process.poll() is None:
            raise DaemonError(f"no {wanted} within {seconds} s:\n{self.output}")
        return False

    def wait_exit(self, seconds=STARTUP_SECONDS):
        code = super().wait_exit(seconds)
        self._said.finish()
        return code

    def stop(self, seconds=60):
        """Ctrl-C: Wine makes it of SIGINT."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(timeout=seconds)
        self._said.finish()
        return code, time.monotonic() - started

    def kill(self):
        super().kill()
        self._said.finish()


class Said:
    """Copies what a process says to a file, and tells who waits for it."""

    def __init__(self, process, path):
        self._process = process
        self._path = path
        self._text = ""
        self._ended = False
        self._changed = threading.Condition()
        self._copying = threading.Thread(target=self._copy, daemon=True)
        self._copying.start()
        threading.Thread(target=self._wait, daemon=True).start()

    def _copy(self):
        with open(self._path, "ab") as file:
            while data := self._process.stdout.read1(65536):
                file.write(data)
                file.flush()
                with self._changed:
                    self._text += data.decode(errors="replace")
                    self._changed.notify_all()

    def _wait(self):
        self._process.wait()
        self.finish()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wait_for(self, text, seconds):
        """Whether it says `text` before it ends or the time is over."""
        with self._changed:
            self._changed.wait_for(
                lambda: text in self._text or self._ended, seconds)
            return text in self._text

    def finish(self):
        """After the end: all of it is in the file then, unless a program that
        it has left behind still holds the pipe."""
        self._copying.join(timeout=5)


def private_pipe(folder):
    """The pipe of a service with this state folder, as docs/windows.md says."""
    digest = hashlib.sha256(folder.upper().encode()).hexdigest()
    return rf"\\.\pipe\Usher-{digest[:16]}"
