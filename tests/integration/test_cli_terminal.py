"""The command line on a terminal: bar, colours, questions, Ctrl-C."""

import contextlib
import fcntl
import json
import mmap
import os
import platform as platforms
import signal
import socket
import subprocess
import time
import types

import pytest

from harness.cli import Cli
from harness.terminal import PATIENCE, Terminal

pytestmark = pytest.mark.linux_only("pseudo-terminals")

OK, FAILED, INTERRUPTED = 0, 1, 130
COLOUR = "\x1b[1m"  # what a table's header begins with
SLOW = "100k"  # bytes a second of each connection
SIZE = 6_000_000


@pytest.fixture
def terminal(cli):
    """terminal(words…, NAME=value…) starts usher on a terminal; what is None is
    not in its environment."""
    opened = []

    def terminal(*words, client_id=None, **environment):
        merged = {**cli.environment(), "TERM": "xterm", **environment}
        opened.append(Terminal(
            cli.words(words, client_id),
            {k: v for k, v in merged.items() if v is not None}))
        return opened[-1]
    yield terminal
    for one in opened:
        one.close()


@pytest.fixture
def slow(api, repository, serve, work):
    """A service whose update "big" takes its time to download."""
    payload = work / "big.sh"
    payload.write_bytes(b"#!/bin/sh\nexit 0\n" + os.urandom(SIZE))
    repository.add_exec("big", "1", payload)
    repository.publish()
    web = serve(repository.published, SLOW)
    api.add_service(web.url, repository.root)
    return web


# --- progress ---

def test_bar_has_bytes_speed_and_time_left(terminal, slow):
    shown = terminal("download", "big", NO_COLOR="1")
    bar = shown.read_until(
        r"Downloading big 1 +\[(#*)(\.*)\] +(\d+) %  ([\d.]+ k?M?B) of 6\.0 MB"
        r"  [\d.]+ k?M?B/s  (\d+ min )?\d+ s left")
    assert len(bar[1] + bar[2]) == 20
    assert len(bar[1]) == 20 * int(bar[3]) // 100
    assert "\n" not in shown.output  # drawn over in its place
    shown.press_ctrl_c()
    assert shown.wait() == INTERRUPTED


def test_bar_goes_away_at_the_end(terminal, slow):
    slow.restart(rate=None)
    shown = terminal("download", "big")
    assert shown.wait() == OK
    last = shown.output.rstrip().splitlines()[-1]
    assert last.split("\x1b[K")[-1].endswith("downloaded")
    assert "[##" not in last.split("\x1b[K")[-1]


def test_plain_lines_elsewhere(cli, slow):
    slow.restart(rate=None)
    done = cli.run("download", "big", environment={"NO_COLOR": ""})
    assert done.code == OK
    first = done.stderr.splitlines()[0]
    assert first.startswith("Downloading big 1 ") and " %" in first
    assert "\r" not in done.stderr and "\x1b" not in done.stderr
    assert "[#" not in done.stderr and "[." not in done.stderr


def test_quiet_and_json_show_no_progress(cli, slow):
    slow.restart(rate=None)
    assert cli.run("download", "big", "--quiet").stderr == ""
    forced = cli.run("download", "big", "--force", "--json")
    assert forced.code == OK and forced.stderr == ""


# --- colours ---

@pytest.mark.parametrize("environment, options, coloured", [
    ({}, (), True),
    ({"NO_COLOR": ""}, (), True),  # https://no-color.org: not empty
    ({"NO_COLOR": "1"}, (), False),
    ({}, ("--no-color",), False),
    ({"TERM": "dumb"}, (), False),
])
def test_colours(terminal, licensed, environment, options, coloured):
    shown = terminal("search", *options, **{"NO_COLOR": None, **environment})
    assert shown.wait() == OK
    assert "licensed" in shown.output
    assert (COLOUR in shown.output) == coloured
    assert ("\x1b" in shown.output) == coloured


def test_no_colours_in_a_pipe(cli, licensed):
    found = cli.run("search", environment={"NO_COLOR": "", "TERM": "xterm"})
    assert found.code == OK
    assert "\x1b" not in found.stdout + found.stderr


# --- questions ---

def test_terms_are_shown_and_asked_for(terminal, licensed, daemon):
    program = daemon.state / "products/licensed/current/run"
    refused = terminal("install", "licensed", "--yes")
    refused.read_until("Thou shalt not sue")
    refused.read_until(r"Do you accept these terms\? \[y/N\] ")
    refused.type("\n")
    assert refused.wait() == FAILED
    assert "have not been accepted" in refused.output
    assert not program.exists()

    accepted = terminal("install", "licensed", "--yes")
    accepted.read_until(r"\[y/N\] ")
    accepted.type("y\n")
    assert accepted.wait() == OK
    assert program.exists()


def test_declined_question_does_nothing(terminal, licensed, daemon):
    shown = terminal("install", "licensed", "--accept-eula")
    shown.read_until(r"Install 1 update .*\[Y/n\] ")
    shown.type("n\n")
    assert shown.wait() == INTERRUPTED
    assert not (daemon.state / "products/licensed").exists()


# --- Ctrl-C ---

def test_ctrl_c_aborts_the_job(terminal, cli, slow):
    shown = terminal("download", "big")
    shown.read_until(r"Downloading big 1")
    shown.press_ctrl_c()
    shown.read_until("Aborting. Press Ctrl-C again to leave")
    assert shown.wait() == INTERRUPTED
    assert "Aborted" in shown.output
    assert cli.run("jobs", "--json").json["jobs"] == []
    [update] = cli.run("show", "big", "--json").json["updates"]
    assert not update["is_downloaded"]


def eventually(look):
    """What `look` finds, as soon as it finds something."""
    deadline = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < deadline
    return found


def wait_for_job(cli, client_id=None):
    """The name of the only job, once it is there."""
    def downloads():
        # Before that the search for its name may be one.
        jobs = cli.run("jobs", "--json", client_id=client_id).json["jobs"]
        return [job for job in jobs if job["kind"] == "Download"]
    [job] = eventually(downloads)
    return job["name"].rsplit("/", 1)[1]


def test_aborted_by_a_signal_in_json(cli, slow):
    process = cli.start("download", "big", "--json")
    wait_for_job(cli)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == INTERRUPTED
    assert output.startswith("Aborting.")
    answer = json.loads(output[output.index("{"):])
    assert answer["result_code"] == "Aborted"
    assert answer["exit_code"] == INTERRUPTED


def test_ctrl_c_leaves_a_watched_job_alone(terminal, cli, slow):
    owner = cli.start("download", "big", client_id="till")
    name = wait_for_job(cli, "till")
    shown = terminal("jobs", "watch", name, client_id="till")
    shown.read_until("Downloading big 1")
    shown.press_ctrl_c()
    assert shown.wait() == INTERRUPTED
    assert f"usher --client-id till jobs watch {name}" in shown.output

    def both_there():
        return any(session["client_application_id"] == "till" and
                   session["watcher_count"] == 2 for session in
                   cli.run("sessions", "--json").json["sessions"])
    eventually(lambda: not both_there())
    watching = cli.start("jobs", "watch", name, "--json", client_id="till")
    eventually(both_there)
    watching.send_signal(signal.SIGINT)
    output, _ = watching.communicate(timeout=PATIENCE)
    assert watching.returncode == INTERRUPTED
    answer = json.loads(output[output.index("{"):])
    assert answer["exit_code"] == INTERRUPTED
    assert answer["error"]["symbol"] == "WU_E_CALL_CANCELLED"

    [job] = cli.run("jobs", "--json", client_id="till").json["jobs"]
    assert job["state"] == "Running"
    assert cli.run("jobs", "abort", name, client_id="till").code == OK
    owner.communicate(timeout=PATIENCE)
    assert owner.returncode == INTERRUPTED


def test_interrupted_before_there_is_a_job(platform, work):
    """A service that does not answer: the answer in JSON is given all the
    same."""
    nobody = types.SimpleNamespace(address=work / "mute.sock")
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(nobody.address))
        mute.listen()
        process = Cli(platform, nobody, work).start("search", "--json")
        connection, _ = mute.accept()
        with connection:
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == INTERRUPTED
    answer = json.loads(output)
    assert answer["exit_code"] == INTERRUPTED
    assert answer["error"]["symbol"] == "WU_E_CALL_CANCELLED"


@pytest.fixture
def narrow_pipe():
    """A pipe that nobody reads and that has room for a page."""
    ends = os.pipe()
    fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, mmap.PAGESIZE)
    yield ends
    for end in ends:
        os.close(end)


WRITE = {"x86_64": "1", "aarch64": "64"}.get(platforms.machine())


def is_writing(process):
    """Whether a thread of it is in the middle of writing to its output."""
    for task in os.listdir(f"/proc/{process.pid}/task"):
        with contextlib.suppress(OSError), open(
                f"/proc/{process.pid}/task/{task}/syscall",
                encoding="ascii") as call:
            if call.read().split()[:2] == [WRITE, "0x1"]:
                return True
    return False


def end_by_signals(cli, words, pipe, signals):
    with subprocess.Popen(cli.words(words), stdin=subprocess.DEVNULL,
                          stdout=pipe[1], stderr=subprocess.DEVNULL,
                          env=cli.environment(), cwd="/") as process:
        try:
            # For good: nobody reads.
            eventually(lambda: is_writing(process))
            for _ in range(signals):
                process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=PATIENCE) == INTERRUPTED
        finally:
            process.kill()


@pytest.mark.parametrize("words", [
    ("sessions", "--json"), ("sessions",), ("search", "--json")])
@pytest.mark.parametrize("signals", [1, 2])
def test_ends_in_the_middle_of_what_nobody_reads(
        api, repository, cli, narrow_pipe, words, signals):
    for number in range(24):
        repository.add_archive(f"{number}-" + "x" * 100, "1", {"a": b"a"})
        api.open_session(f"{number}-" + "x" * 250)
    repository.publish()
    api.add_service(repository.url, repository.root)
    # What is more than the pipe and a buffer hold.
    assert len(cli.run(*words).stdout) > 2 * mmap.PAGESIZE
    end_by_signals(cli, words, narrow_pipe, signals)


@pytest.mark.parametrize("signals", [1, 2])
def test_ends_at_the_end_of_what_nobody_reads(api, cli, narrow_pipe, signals):
    """When the last of it is written, and nothing else is left to do."""
    api.open_session("other")
    os.write(narrow_pipe[1], b"x" * mmap.PAGESIZE)
    end_by_signals(cli, ("sessions",), narrow_pipe, signals)
