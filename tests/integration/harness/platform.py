"""What differs between the platforms that the tests run on.

Tests name programs and folders only through a Platform, so that the Windows
build can run the same tests under Wine: another prefix before each command,
another suffix, another form of path.
"""

import os
import pathlib
import shutil


class Platform:
    """Linux: programs run as they are."""

    name = "linux"

    def __init__(self, build):
        self.build = pathlib.Path(build).resolve()

    def command(self, program):
        """The words that start `program` of this build."""
        path = self.build / "bin" / program
        if not path.exists():
            raise FileNotFoundError(f"{path}: build it first (./dev build)")
        return [str(path)]

    def path(self, path):
        """`path` as the programs want to read it."""
        return str(path)

    def url(self, path):
        """`path` as a file: URL."""
        return pathlib.Path(path).resolve().as_uri()

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


def is_root():
    return os.geteuid() == 0


def find(program):
    """A program that may stand outside an ordinary user's PATH."""
    path = shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin")
    if path is None:
        raise FileNotFoundError(f"{program}: ./dev deps installs it")
    return path
