"""Fixtures of the tests that are about Windows alone."""

import pytest


@pytest.fixture(scope="session")
def platform(linux):
    """What publishes and serves; the tests name the Windows programs
    themselves."""
    return linux


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
