"""What a service manager is told, and what it can rely on."""

import contextlib
import signal
import socket

import pytest

from harness import users
from harness.api import Api

pytestmark = pytest.mark.linux_only("what systemd is told; the Service Control "
                                    "Manager's side is in windows/")

SECOND = 1000000  # microseconds
SELF_CHECK = "session.history_count"
START = "daemon.open"
NO_ANSWER = "STATUS=Does not answer itself"
FORCED = 5


@pytest.fixture
def starting(daemon, gate):
    """A daemon that is held up in its start, and its gate."""
    place = gate(START).shut()
    daemon.configure('[service]\nstop_timeout = "1s"\n')
    daemon.launch(place.environment)
    assert daemon.wait_for_either(place.reached, "READY=1")
    return daemon, place


def never_said(daemon, wanted):
    """Of a daemon that has ended."""
    return not daemon.wait_for_message(wanted)


def test_ready_is_said_only_when_it_has_answered_itself(daemon, gate):
    place = gate(SELF_CHECK).shut()
    daemon.launch(place.environment)
    assert daemon.wait_for_either(place.reached, "READY=1")
    assert not daemon.messages
    place.open()
    assert daemon.wait_for_message("READY=1")


def test_a_long_start_asks_for_time(starting):
    """Every ten seconds for a minute: systemd would end it otherwise, in the
    middle of putting right what a crash left."""
    daemon, place = starting
    assert daemon.wait_for_message("EXTEND_TIMEOUT_USEC=60000000")
    place.open()
    assert daemon.wait_for_message("READY=1")


def test_pings_come_as_long_as_it_answers_itself(daemon, gate):
    place = gate(SELF_CHECK)
    daemon.start({"WATCHDOG_USEC": str(2 * SECOND), **place.environment})
    for _ in range(3):
        assert daemon.wait_for_message("WATCHDOG=1")
        daemon.messages.clear()
    place.shut()
    assert daemon.wait_for_message(NO_ANSWER)
    # What was answered before has been said by now.
    daemon.messages.clear()
    assert daemon.wait_for_message(NO_ANSWER)
    assert not any("WATCHDOG" in message for message in daemon.messages)
    place.open()
    daemon.messages.clear()
    # A check that fails is followed by others.
    assert daemon.wait_for_message("STATUS=Ready")
    assert daemon.wait_for_message("WATCHDOG=1")


def test_a_stop_during_the_first_self_check(daemon, gate):
    place = gate(SELF_CHECK).shut()
    daemon.launch(place.environment)
    assert daemon.wait_for_either(place.reached, "READY=1")
    daemon.process.send_signal(signal.SIGTERM)
    assert daemon.wait_for_message("STOPPING=1")
    place.open()
    assert daemon.wait_exit() == 0
    assert never_said(daemon, "READY=1")


def test_stopping_says_how_long_it_takes_at_most(daemon):
    daemon.configure('[service]\nstop_timeout = "3m"\n')
    daemon.start()
    assert daemon.stop()[0] == 0
    assert daemon.wait_for_message("STOPPING=1")
    (message,) = [m for m in daemon.messages if "STOPPING=1" in m]
    assert message.startswith("STOPPING=1\nEXTEND_TIMEOUT_USEC=")
    # More than its own bound, so that it is never the manager who ends it.
    assert int(message.rsplit("=", 1)[1]) > (3 * 60 + 15) * SECOND


def test_a_stop_during_the_start_ends_it(starting):
    daemon, place = starting
    daemon.process.send_signal(signal.SIGTERM)
    assert daemon.wait_for_message("STOPPING=1")
    place.open()
    assert daemon.wait_exit() == 0
    assert never_said(daemon, "READY=1")
    assert not daemon.address.exists()
    daemon.start()  # and nothing is in the way of the next one


def test_a_second_signal_ends_it_at_once(starting):
    daemon, _ = starting
    daemon.process.send_signal(signal.SIGTERM)
    assert daemon.wait_for_message("STOPPING=1")
    assert daemon.process.poll() is None
    daemon.process.send_signal(signal.SIGTERM)
    assert daemon.wait_exit() == FORCED


def test_a_start_that_hangs_does_not_outlive_a_stop(starting):
    """stop_timeout and 15 seconds, as is documented."""
    daemon, _ = starting
    daemon.process.send_signal(signal.SIGTERM)
    assert daemon.wait_exit() == FORCED
    assert "did not stop in time" in daemon.output


@pytest.mark.root
def test_users_cannot_shut_out_root_or_the_self_check(daemon, stubs):
    """Four users take all connections there are and say what a client says."""
    daemon.open_to_everyone()
    daemon.configure(daemon.config.read_text() +
                     "[limits]\nconnections = 16\nconnections_per_user = 4\n")
    daemon.start({"WATCHDOG_USEC": str(4 * SECOND)})
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\4" + bytes(5)
    with contextlib.ExitStack() as stack:
        def connect(uid):
            peer = stack.enter_context(socket.socket(socket.AF_UNIX))
            with users.acting_as(uid):
                peer.connect(str(daemon.address))
            peer.sendall(preface)
            return peer.recv(1) != b""  # the server's settings
        for uid in range(users.ALICE, users.ALICE + 4):
            assert [connect(uid) for _ in range(4)] == [True] * 4
        with contextlib.suppress(ConnectionError):
            assert not connect(users.ALICE + 4)
        root = Api(stubs, daemon.address)
        stack.callback(root.close)
        root.open_session("root")
        daemon.messages.clear()
        for _ in range(3):
            assert daemon.wait_for_message("WATCHDOG=1")
            assert not any(NO_ANSWER in m for m in daemon.messages)
            daemon.messages.clear()
