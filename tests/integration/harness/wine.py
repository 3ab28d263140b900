"""A Wine of its own: a Windows machine for one run of the tests."""

import contextlib
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time

TIMEOUT = 120  # only a hang reaches it

STATES = {1: "STOPPED", 2: "START_PENDING", 3: "STOP_PENDING", 4: "RUNNING"}


def missing():
    """Why there is no Wine here, or None."""
    for program in ("wine", "wineserver"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    return None


# What Wine itself says of a thread that was just sending when its process ended.
NOT_OURS = re.compile(r"^wine client error:.*\n", re.MULTILINE)


class Result:
    def __init__(self, code, output):
        self.code = code
        self.output = NOT_OURS.sub("", output)


class ServiceState:
    """What sc query shows."""

    def __init__(self, output):
        def number(name):
            return int(re.search(rf"{name}\s*: (\d+)", output)[1])

        self.state = STATES[number("STATE")]
        self.win32_exit_code = number("WIN32_EXIT_CODE")
        self.service_exit_code = number("SERVICE_EXIT_CODE")


class Wine:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="usher-wine-"))
        self.prefix = self.folder / "prefix"
        self.prefix.mkdir()
        self._outputs = 0
        # Of programs that tests run here, listening_ports() leaves them out.
        self.ports_of_tests = set()
        self.environment = {
            **os.environ, "WINEPREFIX": str(self.prefix),
            # No search for .NET and a browser, no entries in menus.
            "WINEDLLOVERRIDES": "mscoree,mshtml,winemenubuilder.exe=",
            "WINEDEBUG": "-all", "LC_ALL": "C.UTF-8"}
        for name in ("DISPLAY", "WAYLAND_DISPLAY", "USHER_ADDRESS"):
            self.environment.pop(name, None)
        self._server("-p")
        for words in (["wineboot", "--init"], ["winecfg", "-v", "win10"]):
            result = self.run(*words)
            assert result.code == 0, result.output
        self.restart()

    def restart(self):
        """Starts the machine anew. The first start of a prefix may leave two
        service managers behind, which know nothing of each other."""
        self._server("-k", check=False)
        self._server("-w", check=False)
        self._server("-p")
        # Event log entries appear on the standard error of who writes them,
        # which services have from whoever was first.
        self.run("cmd", "/c", "exit 0", debug="-all,+eventlog",
                 output=self.folder / "events.log")

    def close(self):
        self._server("-k", check=False)
        self._server("-w", check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _server(self, option, check=True):
        subprocess.run(["wineserver", option], env=self.environment,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=TIMEOUT, check=check)

    @property
    def drive_c(self):
        return self.prefix / "drive_c"

    @property
    def events(self):
        """What was written to the event log since the last restart."""
        return (self.folder / "events.log").read_text(errors="replace")

    @staticmethod
    def path(path):
        """A file of this machine as Windows programs name it."""
        return "Z:" + str(pathlib.Path(path).resolve()).replace("/", "\\")

    def _environment_of(self, debug, environment):
        return {**self.environment, **(environment or {}),
                **({"WINEDEBUG": debug} if debug else {})}

    def start(self, *words, debug=None, output=None, environment=None,
              folder=None, stdin=subprocess.DEVNULL):
        """Starts a program in `folder`; its output goes to a file, because what
        it leaves running would hold a pipe open."""
        self._outputs += 1
        output = output or self.folder / f"output{self._outputs}"
        with open(output, "wb") as file:
            process = subprocess.Popen(
                ["wine", *map(str, words)], stdin=stdin, stdout=file,
                stderr=subprocess.STDOUT, cwd=folder or self.folder,
                env=self._environment_of(debug, environment))
        process.output_file = output
        return process

    @contextlib.contextmanager
    def server(self, *words):
        """A program that says a line when it is ready, and ends with its
        standard input. The line, then the process."""
        process = self.start(*words, stdin=subprocess.PIPE)
        try:
            deadline = time.monotonic() + TIMEOUT
            while not (said := process.output_file.read_text()).endswith("\n"):
                assert process.poll() is None, said
                assert time.monotonic() < deadline, f"{words} says nothing"
            yield said.strip(), process
        finally:
            process.stdin.close()
            process.wait(TIMEOUT)

    def run(self, *words, **options):
        """Runs a program to its end; `options` as for start."""
        process = self.start(*words, **options)
        try:
            code = process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        text = pathlib.Path(process.output_file).read_text(errors="replace")
        return Result(code, text.replace("\r\n", "\n"))

    def in_console(self, *words, until, keys):
        """Runs a program in a console, presses `keys` when it has written
        `until`, and waits for its end."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.folder)
            os.execvpe("wine", ["wine", *map(str, words)], self.environment)
        output = b""
        pressed = False
        deadline = time.monotonic() + TIMEOUT
        try:
            while select.select([terminal], [], [],
                                max(0, deadline - time.monotonic()))[0]:
                try:
                    output += os.read(terminal, 4096)
                except OSError:  # the other end is closed
                    break
                if not pressed and until.encode() in output:
                    os.write(terminal, keys.encode())
                    pressed = True
            else:
                os.kill(pid, signal.SIGKILL)
        finally:
            os.close(terminal)
            _, status = os.waitpid(pid, 0)
        return Result(os.waitstatus_to_exitcode(status),
                      output.decode(errors="replace"))

    def processes(self, program=""):
        """The pids of this machine's processes (wineserver among them) whose
        command line has `program`."""
        found = []
        wanted = f"WINEPREFIX={self.prefix}".encode()
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                if (wanted in (entry / "environ").read_bytes().split(b"\0") and
                        program.encode() in (entry / "cmdline").read_bytes()):
                    found.append(int(entry.name))
            except OSError:  # it ended meanwhile
                continue
        return found

    def kill(self, program):
        """Kills a program as a power cut would, and waits for its end."""
        pids = self.processes(program)
        assert pids, f"{program} does not run"
        for pid in pids:
            process = os.pidfd_open(pid)
            try:
                signal.pidfd_send_signal(process, signal.SIGKILL)
                ended, _, _ = select.select([process], [], [], TIMEOUT)
                assert ended, f"{program} survives SIGKILL"
            finally:
                os.close(process)

    def listening_ports(self):
        """TCP ports that any process of this machine listens at, but for
        ports_of_tests."""
        inodes = {}
        for table in ("tcp", "tcp6"):
            for line in pathlib.Path("/proc/net", table).read_text() \
                    .splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A":
                    inodes[fields[9]] = int(fields[1].rsplit(":", 1)[1], 16)
        ports = set()
        for pid in self.processes():
            for descriptor in pathlib.Path("/proc", str(pid), "fd").iterdir():
                try:
                    target = os.readlink(descriptor)
                except OSError:
                    continue
                socket = re.fullmatch(r"socket:\[(\d+)\]", target)
                if socket and socket[1] in inodes:
                    ports.add(inodes[socket[1]])
        return ports - self.ports_of_tests

    # --- services ---

    @contextlib.contextmanager
    def running_service(self, name, program, *arguments):
        """A service made by sc, running; stopped and deleted afterwards."""
        words = [f'"{self.path(program)}"',
                 *(f'"{word}"' if " " in word else word for word in arguments)]
        made = self.sc("create", name, "binPath=", " ".join(words), "start=",
                       "demand")
        assert made.code == 0, f"sc create {name}: {made.output}"
        try:
            started = self.sc("start", name)
            assert started.code == 0, (f"sc start {name}: {started.output}"
                                       f"{self.sc('query', name).output}"
                                       f"{self.events}")
            self.wait_for_service(name, "RUNNING")
            yield name
        finally:
            self.sc("stop", name)
            self.wait_for_service(name, "STOPPED")
            self.sc("delete", name)
            self.wait_until_gone(name)

    def wait_until_gone(self, name):
        """Waits until a deleted service is forgotten: until then nobody can
        make it anew."""
        deadline = time.monotonic() + TIMEOUT
        while self.service(name) is not None:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name} is still there")

    def sc(self, *words):
        return self.run("sc", *words)

    def service(self, name):
        """The service's state; None if there is none."""
        result = self.sc("query", name)
        return ServiceState(result.output) if "STATE" in result.output else None

    def wait_for_service(self, name, state):
        """Waits until the service is in that state."""
        deadline = time.monotonic() + TIMEOUT
        while True:
            found = self.service(name)
            if found is not None and found.state == state:
                return found
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"{name} is {found.state if found else 'not there'}, not "
                    f"{state}\n{self.events}")

    def registry(self, key, name):
        """A value of the registry as text, or None."""
        result = self.run("reg", "query", key, "/v", name)
        found = re.search(rf"^\s+{name}\s+REG_\w+\s+(.*?)\s*$", result.output,
                          re.M)
        return found[1] if result.code == 0 and found else None

    def has_key(self, key):
        return self.run("reg", "query", key).code == 0
