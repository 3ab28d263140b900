"""installer/windows/build-libraries: what makes it build anew, and what does
not. Debian's tools are stand-ins, so that nothing is fetched or built."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
COMPILER = "x86_64-w64-mingw32-g++-posix"
LIBRARIES = re.findall(
    r'"(\S+) (\S+)"',
    (ROOT / "installer/windows/recipes.sh").read_text().split(
        "LIBRARIES=(")[1].split(")")[0])
CURL = "curl"


class Machine:
    """A copy of the script with what it reads, and a machine that it asks."""

    def __init__(self, folder):
        self.folder = folder
        self.tree = folder / "tree"
        shutil.copytree(ROOT / "installer", self.tree / "installer")
        (self.tree / "cmake").mkdir()
        shutil.copy(ROOT / "cmake/windows-toolchain.cmake", self.tree / "cmake")
        self.cache = folder / "cache"
        self.bin = folder / "bin"
        self.bin.mkdir()
        # Versions that are not 1.0; sources that the archive has.
        self.versions = folder / "versions"
        self.versions.mkdir()
        self.sources = folder / "sources"
        self.sources.mkdir()
        self.asked = folder / "asked"
        self.program("dpkg-query", f'''
            shift 3
            for package; do
              version=1.0
              [[ ! -e {self.versions}/$package ]] ||
                version=$(<{self.versions}/$package)
              echo "installed $package $version"
            done''')
        self.program(COMPILER, "echo compiler 12")
        self.program("apt-get", f'''
            echo "$*" >>{self.asked}
            [[ $* == *update* ]]''')
        self.program("apt-cache", f'''
            name=${{@: -1}}
            [[ ! -e {self.sources}/$name ]] ||
              echo "Version: $(<{self.sources}/$name)"''')

    def program(self, name, body):
        path = self.bin / name
        path.write_text(f"#!/bin/bash\n{body}\n")
        path.chmod(0o755)

    def run(self, *words):
        return subprocess.run(
            [self.tree / "installer/windows/build-libraries", *words],
            env={"PATH": f"{self.bin}:{os.environ['PATH']}",
                 "HOME": str(self.folder), "USHER_CACHE": str(self.cache)},
            capture_output=True, text=True, timeout=60)

    @property
    def prefix(self):
        result = self.run("--prefix")
        assert result.returncode == 0, result.stderr
        return pathlib.Path(result.stdout.strip())

    def change(self, file, old, new):
        path = self.tree / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def finish(self, **substitutes):
        """As a build leaves it; a library may be of another version."""
        prefix = self.prefix
        prefix.mkdir(parents=True)
        for name, _ in LIBRARIES:
            (prefix / f"built.{name}").touch()
            (prefix / f"built.{name}.version").write_text(
                substitutes.get(name, "1.0") + "\n")
        (prefix / "built.headers").touch()
        (prefix / "complete").touch()
        return prefix


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


@pytest.mark.parametrize("file, old, new", [
    ("installer/windows/recipes.sh", "0x0A00", "0x0A01"),
    ("installer/windows/recipes.sh", "mingw32-ar", "mingw32-gcc-ar"),
    ("installer/windows/recipes.sh", "--skip-patches", ""),
    ("installer/windows/recipes.sh", "-DHTTP_ONLY=ON", "-DHTTP_ONLY=OFF"),
    ("installer/windows/packages/gRPCConfig.cmake", "grpc", "grpc_"),
    ("cmake/windows-toolchain.cmake", "0x0A00", "0x0A01"),
])
def test_flags_tools_and_recipes_are_part_of_the_key(machine, file, old, new):
    before = machine.prefix
    machine.change(file, old, new)
    assert machine.prefix != before


@pytest.mark.parametrize("package", [
    "zlib1g-dev", "libgrpc-dev", "nlohmann-json3-dev", "mingw-w64-x86-64-dev",
    "binutils-mingw-w64-x86-64", "g++-mingw-w64-x86-64-posix"])
def test_versions_are_part_of_the_key(machine, package):
    before = machine.prefix
    (machine.versions / package).write_text("1.1")
    assert machine.prefix != before


def test_the_compiler_is_part_of_the_key(machine):
    before = machine.prefix
    machine.program(COMPILER, "echo compiler 13")
    assert machine.prefix != before


def test_comments_are_not(machine):
    before = machine.prefix
    for file in ("installer/windows/recipes.sh", "cmake/windows-toolchain.cmake"):
        path = machine.tree / file
        path.write_text(path.read_text() + "\n  # A remark.\n")
    machine.change("installer/debian-sources.sh", "#", "##")
    assert machine.prefix == before


def test_what_is_built_is_not_built_again(machine):
    machine.finish()
    result = machine.run()
    assert (result.returncode, result.stderr) == (0, "")
    assert not machine.asked.exists()


def long_ago(path):
    os.utime(path, (1_600_000_000, 1_600_000_000))


def test_what_is_complete_needs_no_archive_however_old(machine):
    prefix = machine.finish()
    long_ago(prefix / "complete")
    result = machine.run()
    assert (result.returncode, result.stderr) == (0, "")
    assert not machine.asked.exists()


def test_a_substitute_is_looked_after_once_a_day(machine):
    prefix = machine.finish(curl="0.9")
    assert machine.run().returncode == 0
    assert not machine.asked.exists(), "today's"
    long_ago(prefix / "complete")
    assert machine.run().returncode == 0
    assert "update" in machine.asked.read_text()
    assert (prefix / f"built.{CURL}").exists()
    machine.asked.unlink()
    assert machine.run().returncode == 0
    assert not machine.asked.exists(), "asked today"


def test_a_substitute_stays_while_the_archive_cannot_be_asked(machine):
    machine.program("apt-get", "exit 100")
    prefix = machine.finish(curl="0.9")
    long_ago(prefix / "complete")
    result = machine.run()
    assert result.returncode == 0
    assert "stay as they are" in result.stderr
    assert (prefix / "complete").exists()


def test_a_substitute_goes_when_the_right_source_is_there(machine):
    prefix = machine.finish(curl="0.9")
    long_ago(prefix / "complete")
    (machine.sources / CURL).write_text("1.0")
    result = machine.run()
    # The stand-in fetches nothing.
    assert result.returncode == 1
    assert f"cannot fetch {CURL} 1.0" in result.stderr
    assert not (prefix / "complete").exists()
    names = [name for name, _ in LIBRARIES]
    built = [name for name in names if (prefix / f"built.{name}").exists()]
    assert built == names[:names.index(CURL)]
