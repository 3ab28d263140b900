"""The SDK as a stranger uses it: installed, found by CMake, compiled, run."""

import os
import shutil
import subprocess

import pytest

EXAMPLES = "client/examples"


@pytest.fixture(scope="module")
def examples(platform, tmp_path_factory):
    """The folder of the compiled example programs."""
    from harness.stubs import REPOSITORY
    folder = tmp_path_factory.mktemp("examples")
    prefix = folder / "prefix"
    cache = (platform.build / "CMakeCache.txt").read_text()
    sanitizers = [line.split("=", 1)[1] for line in cache.splitlines()
                  if line.startswith("USHER_SANITIZE:")][0]
    flags = f"-fsanitize={sanitizers}" if sanitizers else ""
    # ThreadSanitizer sees the locks of the libraries that the build has made
    # for it, and not those of the system's, which would be loaded first.
    link = f"-Wl,-rpath,{platform.build / 'lib'}" if sanitizers == "thread" \
        else platform.sdk_link_flags
    for command in (
            ["cmake", "--install", platform.build, "--component", "sdk",
             "--prefix", prefix],
            ["cmake", "-G", "Ninja", "-S", REPOSITORY / EXAMPLES, "-B",
             folder / "build", *platform.sdk_options(prefix),
             f"-DCMAKE_CXX_FLAGS={flags}",
             f"-DCMAKE_EXE_LINKER_FLAGS={link}"],
            ["cmake", "--build", folder / "build"]):
        done = subprocess.run(list(map(str, command)), capture_output=True,
                              text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    for library in prefix.glob("bin/*.dll"):  # where Windows looks for it
        shutil.copy(library, folder / "build")
    return folder / "build"


@pytest.fixture
def run(platform, examples, daemon):
    def run(program, *arguments):
        return subprocess.run(
            [*platform.program(examples / program), *arguments],
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False, env={**os.environ, **platform.environment,
                              "USHER_ADDRESS": str(daemon.address)})
    return run


def test_examples_do_what_they_say(api, repository, run, daemon):
    repository.add_archive("sample", "1.5", {"sample": b"#!/bin/sh\necho hi\n"})
    repository.publish()
    api.add_service(repository.url, repository.root)

    listed = run("list_updates")
    assert listed.returncode == 0, listed.stderr
    name, version, update_id, _ = listed.stdout.splitlines()[0].split("\t")
    assert (name, version) == ("sample", "1.5")
    assert len(update_id) == 36

    installed = run("install_updates", "sample")
    assert installed.returncode == 0, installed.stdout + installed.stderr
    assert daemon.run_installed("sample", "sample") == "hi"
    assert run("list_updates").stdout == ""


def test_examples_tell_errors(run):
    failed = run("list_updates")  # nobody serves the address
    assert failed.returncode == 1
    assert "0x80240001" in failed.stderr
