"""Fixtures: a daemon, a repository, a web server and clients for each test."""

import pathlib
import shutil
import subprocess
import tempfile

import pytest

from harness import platform as platforms
from harness.api import Api
from harness.cli import Cli
from harness.daemon import Usherd
from harness.gate import Gate
from harness.publisher import Repository
from harness.stubs import Stubs
from harness.tuf_repository import TufClient, TufRepository, TufServer
from harness.webserver import WebServer


def pytest_addoption(parser):
    parser.addoption("--build", default="build/debug",
                     help="build folder whose programs are tested")
    parser.addoption("--windows-build", default="build/windows",
                     help="build folder of the Windows programs")


def pytest_configure(config):
    config.addinivalue_line("markers",
                            "root: needs root: other users, dpkg, mounts")


def pytest_collection_modifyitems(items):
    if platforms.is_root():
        return
    for item in items:
        if item.get_closest_marker("root"):
            item.add_marker(pytest.mark.skip(
                reason="needs root: acts as other users or changes the system"))


@pytest.fixture(scope="session")
def platform(pytestconfig):
    return platforms.Platform(pytestconfig.getoption("--build"))


@pytest.fixture(scope="session")
def stubs(platform):
    return Stubs(platform.build / "tests/python")


@pytest.fixture
def work():
    """A folder that every user may enter, with a path short enough for the
    sockets in it."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="usher-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def daemon(platform, work):
    """usherd with a state folder of its own, not yet started."""
    usherd = Usherd(platform, work / "state", work / "run")
    yield usherd
    usherd.close()


@pytest.fixture
def gate(platform, work):
    """gate(place) is a gate in the service (harness/gate.py)."""
    gates = []

    def gate(place):
        if not platform.has_fault_points:
            pytest.skip("the build has no fault points")
        gates.append(Gate(place, work / f"gate{len(gates)}"))
        return gates[-1]

    yield gate
    for one in gates:
        one.close()


@pytest.fixture
def connect(stubs, daemon):
    """connect() opens another connection to the daemon."""
    opened = []

    def connect():
        opened.append(Api(stubs, daemon.address))
        return opened[-1]

    yield connect
    for api in opened:
        api.close()


@pytest.fixture
def api(daemon, connect):
    """A client of a freshly started daemon."""
    daemon.start()
    return connect()


@pytest.fixture
def cli(platform, daemon, work):
    """The command line, speaking to the daemon."""
    return Cli(platform, daemon.address, work)


@pytest.fixture
def repository(platform, work):
    """An empty signed repository."""
    return Repository(platform, work / "repository", work / "sources")


@pytest.fixture
def publisher(platform, work):
    """publisher(*words) runs usher-publish: whether it succeeded. What it said
    is publisher.output."""

    def run(*words):
        command = platform.command("usher-publish") + list(map(str, words))
        done = subprocess.run(command, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False,
                              cwd=work)
        run.output = done.stdout + done.stderr
        return done.returncode == 0
    run.output = ""
    return run


@pytest.fixture
def serve(work):
    """serve(folder, rate=None) is an nginx that serves it."""
    servers = []

    def serve(folder, rate=None):
        servers.append(WebServer(folder, work / f"nginx{len(servers)}", rate))
        return servers[-1]

    yield serve
    for server in servers:
        server.stop()


@pytest.fixture
def tuf(platform, work):
    """A TUF repository, its server, and the client of it."""
    server = TufServer(TufRepository())
    yield server.repository, server, TufClient(
        platform.build / "bin/usher-tuf-client", work, server)
    server.close()
