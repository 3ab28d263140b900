"""What differs between the platforms that the tests run on.

Tests name programs, folders and installers through a Platform only, so that
the same test runs on Linux and, for the Windows build, under Wine
(wine_platform.py): another word before each command, another form of path,
another way to reach the service.
"""

import os
import pathlib
import shutil

from . import packages
from .daemon import Usherd


class Platform:
    """What a test may ask of its platform."""

    name = ""

    # More variables for the environment of every program of ours.
    environment = {}

    # Whether the permissions of a file are seen in its mode.
    has_modes = True

    def __init__(self, build):
        self.build = pathlib.Path(build).resolve()

    @property
    def linux(self):
        """The programs that publish for most tests. A repository is the same
        whoever makes it; tests marked own_publisher use the platform's own."""
        raise NotImplementedError

    def command(self, program):
        """The words that start `program` of this build."""
        raise NotImplementedError

    def program(self, path):
        """The words that start the program at `path`, named without suffix."""
        raise NotImplementedError

    def sdk_options(self, prefix):
        """CMake's options for a program that uses the SDK installed there."""
        raise NotImplementedError

    # What links such a program so that it runs wherever it lies.
    sdk_link_flags = ""

    def path(self, path):
        """`path` as the programs want to read it; text stays as it is."""
        raise NotImplementedError

    def words(self, words):
        """Arguments for a program: paths as it wants to read them."""
        return [self.path(word) if isinstance(word, pathlib.PurePath)
                else str(word) for word in words]

    def url(self, path):
        """`path` as a file: URL."""
        raise NotImplementedError

    def daemon(self, state, scratch):
        """usherd with that state folder, not yet started."""
        raise NotImplementedError

    def own_user(self):
        """Whom the service takes this user for."""
        raise NotImplementedError

    def installer(self, path, sh, cmd):
        """An installer for the exec handler: `sh` is the text of a shell
        script, `cmd` of a batch file. The suffix comes with the platform."""
        raise NotImplementedError

    def complaining_installer(self, path, said, code):
        """An installer that writes the bytes `said` to its standard error and
        fails with an exit code."""
        raise NotImplementedError

    def waiting_installer(self, path, started, go):
        """An installer that writes "up" to the FIFO `started` and ends well
        when it has read a line from the FIFO `go`."""
        raise NotImplementedError

    @property
    def sanitized(self):
        """The build is instrumented, so it is slow and large."""
        cache = (self.build / "CMakeCache.txt").read_text()
        return any(line.startswith("USHER_SANITIZE:") and
                   not line.endswith("=") for line in cache.splitlines())

    @property
    def has_fault_points(self):
        cache = (self.build / "CMakeCache.txt").read_text()
        return "USHER_FAULT_POINTS:BOOL=ON" in cache


class Linux(Platform):
    """Programs run as they are."""

    name = "linux"

    @property
    def linux(self):
        return self

    def command(self, program):
        path = self.build / "bin" / program
        if not path.exists():
            raise FileNotFoundError(f"{path}: build it first (./dev build)")
        return self.program(path)

    def program(self, path):
        return [str(path)]

    def sdk_options(self, prefix):
        return [f"-DCMAKE_PREFIX_PATH={prefix}"]

    def path(self, path):
        return str(path)

    def url(self, path):
        return pathlib.Path(path).resolve().as_uri()

    def daemon(self, state, scratch):
        return Usherd(self, state, scratch)

    def own_user(self):
        return f"uid:{os.geteuid()}"

    def installer(self, path, sh, cmd):
        return packages.script(pathlib.Path(path).with_suffix(".sh"), sh)

    def complaining_installer(self, path, said, code):
        octal = "".join(f"\\{byte:03o}" for byte in said)
        return self.installer(path, f"printf '{octal}' >&2; exit {code}", "")

    def waiting_installer(self, path, started, go):
        return self.installer(
            path, f"echo up > {started}\nread line < {go}\nexit 0\n", "")


def is_root():
    return os.geteuid() == 0


def find(program):
    """A program that may stand outside an ordinary user's PATH."""
    path = shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin")
    if path is None:
        raise FileNotFoundError(f"{program}: ./dev deps installs it")
    return path
