"""Fixtures: a daemon, a repository, a web server and clients for each test; and
the platforms that each test runs on."""

import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

from harness import platform as platforms
from harness import windows_programs
from harness import wine as wines
from harness.cli import Cli
from harness.gate import Gate
from harness.publisher import Repository
from harness.stubs import Stubs
from harness.tuf_repository import TufClient, TufRepository, TufServer
from harness.webserver import WebServer
from harness.wine_platform import WinePlatform


WINDOWS_SUITE = pathlib.Path(__file__).parent / "windows"


def pytest_addoption(parser):
    parser.addoption("--build", default="build/debug",
                     help="build folder whose programs are tested")
    parser.addoption("--windows-build",
                     help="build folder of the Windows programs")
    parser.addoption("--platform", choices=["linux", "wine", "both"],
                     help="where tests run that can run on either; default: "
                     "both with --windows-build, otherwise linux")


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "root: needs root on Linux: other users, dpkg, mounts")
    config.addinivalue_line(
        "markers", "linux_only(reason): does not run on Wine")
    config.addinivalue_line(
        "markers", "on_wine: runs there, too, although its file is linux_only")
    config.addinivalue_line(
        "markers", "wine_part(PARAMETER=[VALUE, …], …): of the cases of a long "
        "family only those with these values run on Wine")
    config.addinivalue_line(
        "markers", "own_publisher: usher-publish is that of the platform")


def chosen_platforms(config):
    option = config.getoption("--platform")
    if option is None:
        option = "both" if config.getoption("--windows-build") else "linux"
    return ("linux", "wine") if option == "both" else (option,)


def pytest_report_header(config):
    return "platforms: " + ", ".join(chosen_platforms(config))


def pytest_generate_tests(metafunc):
    """Every test that speaks of a platform runs on both, unless it says why
    not."""
    if ("platform" not in metafunc.fixturenames or
            WINDOWS_SUITE in metafunc.definition.path.parents):
        return
    names = ["linux", "wine"]
    only = metafunc.definition.get_closest_marker("linux_only")
    if only is not None:
        (reason,) = only.args
        assert reason
        if not metafunc.definition.get_closest_marker("on_wine"):
            names = ["linux"]
    if metafunc.definition.get_closest_marker("root"):
        names = ["linux"]
    metafunc.parametrize("platform", names, indirect=True, scope="session")


def runs_on(item, platform):
    """Whether this case of a test is for the platform."""
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    if parameters.get("platform", "linux") != platform:
        return False
    if platform != "wine":
        return True
    return all(parameters[name] in values
               for marker in item.iter_markers("wine_part")
               for name, values in marker.kwargs.items())


def check_parts(items):
    """A misspelt value must not make a wine_part empty unnoticed."""
    families = {}
    for item in items:
        if (item.get_closest_marker("wine_part") and
                item.callspec.params["platform"] == "wine"):
            families.setdefault((item.path, item.originalname),
                                []).append(item)
    for (_, name), family in families.items():
        if len(family) > 1 and not any(runs_on(item, "wine")
                                       for item in family):
            raise pytest.UsageError(f"{name}: its wine_part has no case")


def pytest_collection_modifyitems(config, items):
    check_parts(items)
    chosen = chosen_platforms(config)
    kept, left_out = [], []
    for item in items:
        if WINDOWS_SUITE in item.path.parents:
            wanted = config.getoption("--platform") != "linux"
        else:
            wanted = any(runs_on(item, platform) for platform in chosen)
        (kept if wanted else left_out).append(item)
        if item.get_closest_marker("root") and not platforms.is_root():
            item.add_marker(pytest.mark.skip(
                reason="needs root: acts as other users or changes the system"))
    items[:] = kept
    if left_out:
        config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="session")
def linux(pytestconfig):
    """The Linux build, whose programs serve tests on every platform."""
    return platforms.Linux(pytestconfig.getoption("--build"))


@pytest.fixture(scope="session")
def windows_build(pytestconfig):
    """The folder with the Windows programs."""
    option = pytestconfig.getoption("--windows-build")
    if option == "":
        pytest.skip("the Windows build was left out: --linux")
    build = pathlib.Path(option or "build/windows").resolve()
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


@pytest.fixture(scope="session")
def platform(request, linux):
    """What the test runs on."""
    if request.param == "linux":
        yield linux
        return
    reason = windows_programs.missing()
    if reason:
        pytest.skip(f"no programs for Windows: {reason}")
    machine = WinePlatform(request.getfixturevalue("windows_build"), linux,
                           request.getfixturevalue("wine"))
    yield machine
    machine.close()


@pytest.fixture
def publishing(request, platform):
    """The platform whose usher-publish is used."""
    own = request.node.get_closest_marker("own_publisher")
    return platform if own else platform.linux


@pytest.fixture(scope="session")
def stubs(linux):
    return Stubs(linux.build / "tests/python")


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
    usherd = platform.daemon(work / "state", work / "run")
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
        opened.append(daemon.connect(stubs))
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
    return Cli(platform, daemon, work)


@pytest.fixture
def repository(platform, publishing, work):
    """An empty signed repository."""
    return Repository(platform, work / "repository", work / "sources",
                      publishing)


@pytest.fixture
def licensed(api, repository):
    """A service whose update has licence terms."""
    repository.add_archive("licensed", "1", {"run": b"#!/bin/sh\necho ran\n"})
    description = repository.sources / "licensed-1.toml"
    description.write_text('eula_text = "Thou shalt not sue."\n' +
                           description.read_text())
    repository.publish()
    api.add_service(repository.url, repository.root)


@pytest.fixture
def publisher(publishing, work):
    """publisher(*words) runs usher-publish: whether it succeeded. What it said
    is publisher.output."""

    def run(*words):
        command = publishing.command("usher-publish") + publishing.words(words)
        done = subprocess.run(command, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False,
                              cwd=work,
                              env={**os.environ, **publishing.environment})
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
def tuf(linux, work):
    """A TUF repository, its server, and the client of it."""
    server = TufServer(TufRepository())
    yield server.repository, server, TufClient(
        linux.build / "bin/usher-tuf-client", work, server)
    server.close()
