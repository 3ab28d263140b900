"""200 clients on the pipe that connect, call and vanish for a minute, some
killed in mid-call: the service's handles and memory return to what they were."""

import pathlib
import shutil
import time

import pytest

from harness import crowd

SERVICE = "usher-crowd"
STATE = r"C:\crowd state"
PIPE = r"\\.\pipe\usher-crowd"
SECONDS = 60


@pytest.fixture
def service(wine, windows_build):
    config = wine.drive_c / "crowd.toml"
    config.write_text(f"[service]\nsocket = '{PIPE}'\n")
    with wine.running_service(SERVICE, windows_build / "bin/usherd.exe",
                              "--state-dir", STATE, "--config",
                              r"C:\crowd.toml"):
        yield SERVICE
    shutil.rmtree(wine.drive_c / "crowd state", ignore_errors=True)


class Usage:
    """What the service's process has at the moment."""

    def __init__(self, wine, windows_build):
        (pid,) = wine.processes("usherd.exe")
        fields = dict(line.split(":", 1) for line in pathlib.Path(
            "/proc", str(pid), "status").read_text().splitlines())
        self.threads = int(fields["Threads"])
        self.memory_kib = int(fields["RssAnon"].split()[0])
        counted = wine.run(windows_build / "bin/usher_service_handles.exe",
                           SERVICE)
        assert counted.code == 0, counted.output
        self.handles = int(counted.output)

    def __str__(self):
        return (f"{self.handles} handles, {self.threads} threads, "
                f"{self.memory_kib} KiB")


@pytest.fixture
def idle(wine, windows_build, service):
    """idle(): the Usage once gRPC has let go the threads that it made for many
    calls at a time, which it does some seconds after the last one."""
    at_rest = Usage(wine, windows_build).threads

    def wait():
        deadline = time.monotonic() + 120
        while True:
            usage = Usage(wine, windows_build)
            if usage.threads <= at_rest + 5:
                return usage
            assert time.monotonic() < deadline, f"still {usage}"
    return wait


def test_200_clients_leave_nothing_behind(wine, windows_build, usher, idle):
    program = windows_build / "bin/usher_crowd.exe"

    def start(seconds, seed):
        return wine.start(program, PIPE, "--clients", crowd.CLIENTS,
                          "--seconds", seconds, "--seed", seed)

    def kill(process):
        process.kill()
        process.wait()

    # What is made once and kept: heaps, statements.
    crowd.run(start, kill, 10, seed=1)
    before = idle()
    total, killed = crowd.run(start, kill, SECONDS, seed=2)
    after = idle()
    print(f"{total}, {killed} killed; before: {before}; after: {after}")
    assert killed > SECONDS / 6 and total["answered"] > 1000, (total, killed)
    assert total["refused"] <= total["connected"] / 100, total
    assert total["failed"] == 0
    # A few threads more or less have a few handles each; one handle for every
    # hundredth client would be more.
    assert after.handles <= before.handles + 30
    # Heaps keep pages; what each client left would be far more.
    assert after.memory_kib <= before.memory_kib * 1.25 + 4096
    assert usher("--address", PIPE, "status").code == 0
