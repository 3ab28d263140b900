"""200 clients on the pipe that connect, call and vanish for a minute, some
killed in mid-call: the service's handles and memory return to what they were."""

import pathlib
import shutil

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
    program = wine.path(windows_build / "bin/usherd.exe")
    made = wine.sc("create", SERVICE, "binPath=",
                   f'"{program}" --state-dir "{STATE}" --config C:\\crowd.toml',
                   "start=", "demand")
    assert made.code == 0, made.output
    assert wine.sc("start", SERVICE).code == 0
    wine.wait_for_service(SERVICE, "RUNNING")
    yield SERVICE
    wine.sc("stop", SERVICE)
    wine.wait_for_service(SERVICE, "STOPPED")
    assert wine.sc("delete", SERVICE).code == 0
    shutil.rmtree(wine.drive_c / "crowd state", ignore_errors=True)


@pytest.fixture
def settled(wine, windows_build, usher, service):
    """settled(): (handles, KiB of memory) of the service once the number of
    handles has stopped falling. What a killed client had is closed when the
    service has come to it, which its answer to a later client shows."""
    def measure():
        before = None
        while True:
            status = usher("--address", PIPE, "status")
            assert status.code == 0, status.output
            counted = wine.run(windows_build / "bin/usher_service_handles.exe",
                               SERVICE)
            assert counted.code == 0, counted.output
            handles = int(counted.output)
            if before is not None and handles >= before:
                return handles, memory_kib(wine)
            before = handles
    return measure


def memory_kib(wine):
    (pid,) = wine.processes("usherd.exe")
    status = pathlib.Path("/proc", str(pid), "status").read_text()
    (line,) = (line for line in status.splitlines()
               if line.startswith("RssAnon:"))
    return int(line.split()[1])


def test_200_clients_leave_nothing_behind(wine, windows_build, settled):
    program = windows_build / "bin/usher_crowd.exe"

    def start(seconds, seed):
        return wine.start(program, PIPE, "--clients", crowd.CLIENTS,
                          "--seconds", seconds, "--seed", seed)

    def kill(process):
        process.kill()
        process.wait()

    # What is made once and kept: threads, heaps, statements.
    crowd.run(start, kill, 10, seed=1)
    handles, memory = settled()
    total, killed = crowd.run(start, kill, SECONDS, seed=2)
    handles_after, memory_after = settled()
    print(total, "killed:", killed, "handles:", handles, handles_after,
          "KiB:", memory, memory_after)
    assert killed > SECONDS / 6 and total["answered"] > 1000, (total, killed)
    assert total["refused"] <= total["connected"] / 100, total
    assert total["failed"] == 0
    # Threads of gRPC's come and go.
    assert handles_after <= handles + 20
    # Heaps keep pages; what each client left would be far more.
    assert memory_after <= memory * 1.25 + 4096
