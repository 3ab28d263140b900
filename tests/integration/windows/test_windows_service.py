"""The Windows service's life under the Service Control Manager."""

import shutil
import subprocess

import pytest

NAME = "usherd"
SERVICE_KEY = rf"HKLM\SYSTEM\CurrentControlSet\Services\{NAME}"
EVENT_KEY = (r"HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application"
             r"\Usher")
# Windows' own codes.
ERROR_SERVICE_SPECIFIC_ERROR = 1066
# Of docs/configuration.md.
USAGE, BAD_CONFIGURATION, ALREADY_RUNNING = 2, 3, 4
# Of docs/cli.md.
ACCESS_DENIED, NO_SERVICE = 4, 5


@pytest.fixture
def data(wine):
    """%ProgramData%\\Usher, empty before and after."""
    folder = wine.drive_c / "ProgramData" / "Usher"
    shutil.rmtree(folder, ignore_errors=True)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def service(wine, usherd, data):
    """The service as `usherd install` registers it, not yet started."""
    result = usherd("install")
    assert result.code == 0, result.output
    yield NAME
    usherd("uninstall")
    for pid in wine.processes("usherd.exe"):
        pytest.fail(f"usherd.exe survived its removal as {pid}")


def start(wine, name=NAME):
    result = wine.sc("start", name)
    assert result.code == 0, result.output
    return wine.wait_for_service(name, "RUNNING")


def stop(wine, name=NAME):
    result = wine.sc("stop", name)
    assert result.code == 0, result.output
    return wine.wait_for_service(name, "STOPPED")


def fail(wine, name=NAME):
    """Starts the service, which is to fail; its exit code."""
    wine.sc("start", name)
    state = wine.wait_for_service(name, "STOPPED")
    assert state.win32_exit_code == ERROR_SERVICE_SPECIFIC_ERROR
    return state.service_exit_code


def test_runs_answers_and_stops(wine, service, usher, data):
    start(wine)
    # Running means answering: there is no waiting here.
    status = usher("status")
    assert status.code == 0, status.output
    assert "an administrator" in status.output
    stopped = stop(wine)
    assert (stopped.win32_exit_code, stopped.service_exit_code) == (0, 0)
    assert "ready at" in (data / "log" / "usherd.log").read_text()
    assert usher("status").code == NO_SERVICE
    assert not wine.processes("usherd.exe")


def test_start_and_stop_are_in_the_event_log(wine, service):
    start(wine)
    stop(wine)
    events = wine.events
    assert r"ready at \\\\.\\pipe\\Usher" in events
    assert "stopped" in events


def test_the_registration_says_what_services_are_to_say(wine, service,
                                                        windows_build):
    program = wine.path(windows_build / "bin" / "usherd.exe")
    assert wine.registry(SERVICE_KEY, "ImagePath") == f'"{program}"'
    assert wine.registry(SERVICE_KEY, "ObjectName") == "LocalSystem"
    assert wine.registry(SERVICE_KEY, "DisplayName") == "Usher Update Service"
    assert "updates" in wine.registry(SERVICE_KEY, "Description")
    assert wine.registry(SERVICE_KEY, "Start") == "0x2"
    # stop_timeout, what a handler gets to be interrupted in, and a margin.
    assert wine.registry(SERVICE_KEY, "PreshutdownTimeout") == hex(40_000)
    assert wine.registry(EVENT_KEY, "EventMessageFile") == program
    assert wine.registry(EVENT_KEY, "TypesSupported") == "0x7"


def test_the_program_carries_the_texts_of_its_events(windows_build):
    objdump = shutil.which("x86_64-w64-mingw32-objdump")
    if objdump is None:
        pytest.skip("x86_64-w64-mingw32-objdump is not installed")
    headers = subprocess.run(
        [objdump, "-p", windows_build / "bin" / "usherd.exe"],
        capture_output=True, text=True, check=True).stdout
    message_table, manifest = "Entry: ID: 0x00000b", "Entry: ID: 0x000018"
    assert message_table in headers
    # With the word that lets it take long paths.
    assert manifest in headers


def test_installing_again_updates_the_registration(wine, service, usherd,
                                                   usher, data):
    config = wine.drive_c / "usherd settings.toml"
    config.write_text('[service]\nstop_timeout = "45s"\n')
    result = usherd("install", "--config", r"C:\usherd settings.toml",
                    "--log-level", "debug")
    assert result.code == 0, result.output
    assert wine.registry(SERVICE_KEY, "ImagePath").endswith(
        r'usherd.exe" --config "C:\usherd settings.toml" --log-level debug')
    assert wine.registry(SERVICE_KEY, "PreshutdownTimeout") == hex(65_000)
    start(wine)
    assert usher("status").code == 0
    stop(wine)
    assert " debug " in (data / "log" / "usherd.log").read_text()


def test_a_bad_configuration_is_not_installed(wine, usherd, data):
    config = wine.drive_c / "bad.toml"
    config.write_text("[service]\nno_such_key = 1\n")
    result = usherd("install", "--config", r"C:\bad.toml")
    assert result.code == BAD_CONFIGURATION
    assert r"C:\bad.toml:2:" in result.output
    assert not wine.has_key(SERVICE_KEY)


def test_a_bad_configuration_shows_in_sc_query(wine, service, data):
    (data / "usherd.toml").write_text("[service]\nno_such_key = 1\n")
    assert fail(wine) == BAD_CONFIGURATION
    assert "no_such_key" in wine.events
    # Mended, it starts.
    (data / "usherd.toml").write_text("")
    start(wine)
    stop(wine)


def test_a_wrong_command_line_shows_in_sc_query(wine, windows_build, data):
    program = wine.path(windows_build / "bin" / "usherd.exe")
    created = wine.sc("create", "usher-wrong", "binPath=",
                      f'"{program}" --no-such-option', "start=", "demand")
    assert created.code == 0, created.output
    try:
        assert fail(wine, "usher-wrong") == USAGE
        assert "--no-such-option" in wine.events
    finally:
        assert wine.sc("delete", "usher-wrong").code == 0


def test_a_service_made_by_hand(wine, windows_build, usher):
    """sc create, with a state folder and so a pipe of its own."""
    program = wine.path(windows_build / "bin" / "usherd.exe")
    created = wine.sc("create", "usher-own", "binPath=",
                      f'"{program}" --state-dir "C:\\own state"', "start=",
                      "demand")
    assert created.code == 0, created.output
    try:
        start(wine, "usher-own")
        # The same folder, however it is written.
        assert usher("--state-dir", "c:\\Own State\\", "status").code == 0
        assert usher("status").code == NO_SERVICE, "the machine's pipe is not touched"
        stopped = stop(wine, "usher-own")
        assert stopped.win32_exit_code == 0
    finally:
        assert wine.sc("delete", "usher-own").code == 0
    assert wine.service("usher-own") is None
    assert (wine.drive_c / "own state" / "usher.db").exists()


def test_whoever_has_the_pipe_first_keeps_it(wine, service, windows_build,
                                             usher):
    config = wine.drive_c / "first.toml"
    config.write_text("[service]\nsocket = '\\\\.\\pipe\\Usher'\n")
    first = wine.start(windows_build / "bin" / "usherd.exe", "run", "--config",
                       r"C:\first.toml", "--state-dir", r"C:\first")
    try:
        for _ in range(100):
            if usher("status").code == 0:
                break
        else:
            pytest.fail(first.output_file.read_text())
        assert fail(wine) == ALREADY_RUNNING
        assert r"\\\\.\\pipe\\Usher" in wine.events
        assert "cannot start" in wine.events
        assert usher("status").code == 0, "the first one goes on"
    finally:
        wine.kill("usherd.exe")
        first.wait()
    start(wine)
    stop(wine)


def test_nobody_talks_to_an_impostor(wine, service, windows_build, usher):
    """Another user's process has made the pipe first, and answers nobody."""
    with wine.server(windows_build / "bin/usher_squatter.exe",
                     r"\\.\pipe\Usher") as (_, squatter):
        # The service does not join it.
        assert fail(wine) == ALREADY_RUNNING
        assert "usher_squatter.exe" in wine.events
        # The client turns away before it has said a word.
        refused = usher("status")
        assert refused.code == ACCESS_DENIED, refused.output
        assert "belongs to S-1-5-21-1-2-3-1001" in refused.output
    assert "somebody took the service's place" in refused.output
    assert "heard 0 bytes" in squatter.output_file.read_text()
    start(wine)
    assert usher("status").code == 0
    stop(wine)


def test_an_impostor_whose_only_end_is_busy_is_one_too(wine, service,
                                                       windows_build):
    with wine.server(windows_build / "bin/usher_squatter.exe",
                     r"\\.\pipe\Usher", "busy"):
        # It cannot be asked who it is.
        assert fail(wine) == ALREADY_RUNNING
        assert "another program serves" in wine.events
    start(wine)
    stop(wine)


def test_does_not_listen_at_tcp(wine, service, usher):
    start(wine)
    assert usher("status").code == 0
    assert wine.listening_ports() == set()
    stop(wine)


def test_listens_at_tcp_only_when_told_to(wine, service, data):
    """The opt-in door is seen, so the test above would see one, too."""
    (data / "usherd.toml").write_text("[loopback]\nenabled = true\n")
    start(wine)
    assert len(wine.listening_ports()) == 2
    for who in ("user", "administrator"):
        assert (data / "run" / f"loopback-{who}.json").exists()
    stop(wine)
    assert wine.listening_ports() == set()
    assert not list((data / "run").iterdir())


def test_in_a_console_ctrl_c_stops_it(wine, windows_build):
    result = wine.in_console(windows_build / "bin" / "usherd.exe", "run",
                             "--state-dir", r"C:\by hand", until="ready at",
                             keys="\x03")
    assert result.code == 0, result.output
    log = wine.drive_c / "by hand" / "log" / "usherd.log"
    assert log.read_text().splitlines()[-1].endswith("stopped")


def test_starts_again_after_it_was_killed(wine, service, usher):
    start(wine)
    assert usher("status").code == 0
    # Wine's service manager finds out at the next start only.
    wine.kill("usherd.exe")
    assert usher("status").code == NO_SERVICE
    start(wine)
    assert usher("status").code == 0
    assert stop(wine).win32_exit_code == 0


def test_stop_waits_for_the_process(wine, service, usherd):
    start(wine)
    result = usherd("stop")
    assert result.code == 0, result.output
    assert not wine.processes("usherd.exe")
    assert wine.service(NAME).state == "STOPPED"
    assert usherd("stop").code == 0, "it does not run"


def test_uninstall_stops_and_leaves_nothing(wine, service, usherd, data):
    start(wine)
    result = usherd("uninstall")
    assert result.code == 0, result.output
    assert wine.service(NAME) is None
    assert not wine.processes("usherd.exe")
    assert not wine.has_key(SERVICE_KEY)
    assert not wine.has_key(EVENT_KEY)
    # What it has written stays: a reinstallation goes on with it.
    assert (data / "usher.db").exists()
    again = usherd("uninstall")
    assert again.code == 0, again.output
