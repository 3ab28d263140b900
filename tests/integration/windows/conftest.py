"""Fixtures of the tests that need the Windows build and Wine."""

import pathlib

import pytest

from harness import wine as wines


@pytest.fixture(scope="session")
def windows_build(pytestconfig):
    """The folder with the Windows programs."""
    option = pytestconfig.getoption("--windows-build")
    if not option:
        pytest.skip("the Windows build was left out: --linux")
    build = pathlib.Path(option).resolve()
    if not (build / "bin" / "usherd.exe").exists():
        pytest.skip(f"there is no Windows build in {build}: ./dev windows")
    return build


@pytest.fixture(scope="session")
def wine(windows_build):
    """A Windows machine for all tests of a run."""
    reason = wines.missing()
    if reason:
        pytest.skip(f"no Windows machine: {reason}")
    machine = wines.Wine()
    yield machine
    machine.close()


@pytest.fixture
def usherd(wine, windows_build):
    """usherd("install"), for instance, runs it to its end."""
    def run(*words):
        return wine.run(windows_build / "bin" / "usherd.exe", *words)
    return run


@pytest.fixture
def usher(wine, windows_build):
    """usher("status"), for instance, runs the command line to its end."""
    def run(*words):
        return wine.run(windows_build / "bin" / "usher.exe", *words)
    return run
