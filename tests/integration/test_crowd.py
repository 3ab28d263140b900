"""Many clients that connect, call and vanish: nothing of them stays."""

import pathlib
import subprocess

import pytest

from harness import crowd

pytestmark = pytest.mark.linux_only(
    "reads /proc; windows/test_windows_crowd.py does the same")

GROWTH_KIB = 6 * 1024  # less than 1 KiB for each of the clients of a round


def open_files(pid):
    return len(list(pathlib.Path("/proc", str(pid), "fd").iterdir()))


def test_200_clients_leave_nothing_behind(platform, daemon, api, cli):
    def start(seconds, seed):
        return subprocess.Popen(
            [*platform.command("usher_crowd"), str(daemon.address), "--clients",
             str(crowd.CLIENTS), "--seconds", str(seconds), "--seed",
             str(seed)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)

    def kill(process):
        process.kill()
        process.communicate()

    # What is made once and kept: threads, arenas, statements.
    crowd.run(start, kill, 8, seed=1)
    files, memory = settled(daemon, cli)
    # Allocators keep the pages of the busiest moment so far, which any round may
    # bring. What each client leaves behind would come on top in every round.
    for seed in (2, 3, 4):
        total, killed = crowd.run(start, kill, 20, seed=seed)
        assert killed > 5 and total["answered"] > 1000, (total, killed)
        assert total["refused"] <= total["connected"] / 100, total
        assert total["failed"] == 0
        files_after, memory_after = settled(daemon, cli)
        print(total, "killed:", killed, "open files:", files, files_after,
              "KiB:", memory, memory_after)
        assert files_after <= files + 5
        growth, memory = memory_after - memory, memory_after
        if platform.sanitized or growth <= GROWTH_KIB:
            break
    else:
        raise AssertionError(f"grows by {growth} KiB in every round")


def settled(daemon, cli):
    """Open files and anonymous memory in KiB once the number of open files has
    stopped falling: what a killed client had is closed when the service has
    come to it, which its answer to a later client shows."""
    before = None
    while True:
        status = cli.run("status")
        assert status.code == 0, status.stderr
        now = open_files(daemon.process.pid)
        if before is not None and now >= before:
            return now, daemon.memory_kib("RssAnon")
        before = now
