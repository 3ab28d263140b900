"""The service as a process: start, stop, crash, configuration, full disk."""

import os
import signal
import subprocess

import pytest

from harness.api import Failure

MEGABYTE = 1024 * 1024


def test_starts_answers_and_stops(daemon, connect, stubs):
    daemon.start()
    health = stubs.health
    api = connect()
    answer = api.call(api.health.Check, health.HealthCheckRequest())
    assert answer.status == health.HealthCheckResponse.SERVING
    code, _ = daemon.stop()
    assert code == 0
    assert daemon.wait_for_message("STOPPING=1")
    assert not daemon.is_reachable()


def test_second_daemon_on_one_state_folder_is_refused(daemon, platform, work,
                                                      connect):
    daemon.start()
    second = type(daemon)(platform, daemon.state, work / "second")
    second.launch()
    assert second.wait_exit() == 4
    assert "usher.lock" in second.output
    second.process = None
    second.close()
    connect().open_session()  # the first one does not mind


def test_lock_goes_with_the_process(daemon, connect):
    daemon.start()
    daemon.kill()
    daemon.start()
    connect().open_session()


@pytest.mark.wine_part(what=["no_such_setting"])
@pytest.mark.parametrize("text, where, what", [
    ("[limits\n", ":1", ""),
    ("[limits]\nno_such_setting = 1\n", ":2", "no_such_setting"),
    ("[limits]\n\nsessions_per_caller = 'many'\n", ":3",
     "sessions_per_caller"),
    ("[limits]\nsessions_per_caller = -1\n", ":2",
     "sessions_per_caller"),
    ("[nonsense]\na = 1\n", ":1", "nonsense"),
])
def test_bad_configuration_is_refused_by_line(daemon, text, where, what):
    daemon.configure(text)
    daemon.launch()
    assert daemon.wait_exit() == 3
    output = daemon.output
    assert "usherd.toml" + where in output, output
    assert what in output
    daemon.process = None


def test_missing_configuration_file_is_refused(daemon, work):
    daemon.config = work / "absent.toml"
    daemon.launch()
    assert daemon.wait_exit() == 3
    assert "absent.toml" in daemon.output
    daemon.process = None


@pytest.fixture
def large(repository, serve):
    """A payload of several megabytes, throttled to last for seconds."""
    repository.add_archive("large", "1", {"noise": os.urandom(4 * MEGABYTE)})
    repository.publish()
    return repository, serve(repository.published, 512 * 1024)


def begin_large_download(api, large):
    repository, web = large
    service = api.add_service(web.url, repository.root)
    session = api.open_session("survivor").session.name
    updates = api.search(session, "", service.service_id)
    job = api.begin_download(session, updates).name
    for event in api.watch(job):
        if event.download_progress.total_bytes_downloaded > MEGABYTE // 2:
            break
    return session, job


def finish_large_download(connect, large, session, job):
    again = connect()
    opened = again.open_session("survivor")
    assert opened.attached
    assert opened.session.name == session
    assert [j.name for j in again.list_jobs(session)] == [job]
    result = again.end_download(job)
    assert result.hresult == 0, result
    _, web = large
    web.stop_serving()
    payload = [r for r in web.requests() if r[1].startswith("/targets/payloads")]
    assert len(payload) >= 2
    # Nothing was fetched twice: the second request asked for the rest.
    assert payload[-1][2] == 206
    return again


def test_restart_parks_and_resumes_a_download(daemon, connect, stubs, large):
    daemon.start()
    api = connect()
    session, job = begin_large_download(api, large)
    code, seconds = daemon.stop()
    assert code == 0
    assert seconds < 30
    daemon.start()
    finish_large_download(connect, large, session, job)


def test_kill_in_a_download_loses_nothing(daemon, connect, stubs, large):
    daemon.start()
    session, job = begin_large_download(connect(), large)
    daemon.kill()
    daemon.start()
    finish_large_download(connect, large, session, job)


@pytest.fixture
def waiting_installer(platform, repository, work):
    """An exec update whose installer waits until its fifo is opened."""
    fifo = work / "go"
    started = work / "started"
    os.mkfifo(fifo)
    os.mkfifo(started)
    repository.add_exec("slow", "1", platform.waiting_installer(
        work / "slow", started, fifo))
    repository.add_archive("quick", "1", {"quick": b"#!/bin/sh\necho ok\n"})
    repository.publish()
    return repository, started, fifo


def begin_waiting_install(api, waiting_installer):
    repository, started, _ = waiting_installer
    service = api.add_service(repository.url, repository.root)
    session = api.open_session("survivor").session.name
    found = {u.name: u for u in api.search(session, "", service.service_id)}
    updates = [found["slow"], found["quick"]]
    api.download(session, updates)
    job = api.begin_install(session, updates).name
    with open(started, encoding="ascii") as pipe:
        assert pipe.read() == "up\n"  # the installer runs
    return session, job, updates


def test_kill_in_an_installation_is_recovered(daemon, connect, stubs,
                                              waiting_installer):
    daemon.start()
    session, job, updates = begin_waiting_install(connect(), waiting_installer)
    daemon.kill()
    _, started, fifo = waiting_installer
    # Whatever recovery does, no installer of a former life may block it; one
    # that is run again finds its way open.
    helper = subprocess.Popen(
        ["sh", "-c", f"cat {started} >/dev/null & echo go > {fifo}"],
        start_new_session=True)
    try:
        daemon.start()
        api = connect()
        assert api.open_session("survivor").session.name == session
        installers = stubs.installer
        result = api.call(api.installers.EndInstall,
                          installers.EndInstallRequest(job=job))
        # The interrupted one is named, the one after it is done.
        assert result.update_results[1].hresult == 0, result
        assert result.update_results[0].result_code in (
            stubs.types.OPERATION_RESULT_CODE_FAILED,
            stubs.types.OPERATION_RESULT_CODE_SUCCEEDED)
        entries = api.query_history()
        assert {e.update_identity.update_id for e in entries} == {
            u.identity.update_id for u in updates}
        info = api.call(api.system.GetSystemInformation,
                        stubs.system.GetSystemInformationRequest())
        assert not info.is_busy
    finally:
        # Its children too: nobody need ever open the other ends.
        os.killpg(helper.pid, signal.SIGKILL)
        helper.wait()


def test_busy_installer_is_said_and_refused(daemon, connect, stubs,
                                            waiting_installer):
    daemon.start()
    api = connect()
    _, job, updates = begin_waiting_install(api, waiting_installer)
    other = connect()
    session = other.open_session("other").session.name
    info = other.call(other.system.GetSystemInformation,
                      stubs.system.GetSystemInformationRequest())
    assert info.is_busy
    with pytest.raises(Failure) as caught:
        other.begin_install(session, updates[1:])
    assert caught.value.symbol == "WU_E_INSTALL_NOT_ALLOWED"
    with open(waiting_installer[2], "w", encoding="ascii") as pipe:
        pipe.write("go\n")
    result = api.call(api.installers.EndInstall,
                      stubs.installer.EndInstallRequest(job=job))
    assert result.hresult == 0


def test_stop_during_an_installation_is_bounded(daemon, connect,
                                                waiting_installer):
    daemon.configure('[service]\nstop_timeout = "2s"\n')
    daemon.start()
    begin_waiting_install(connect(), waiting_installer)
    code, seconds = daemon.stop()
    assert code == 0
    assert seconds < 30


@pytest.mark.root
def test_full_disk_is_an_error_not_a_crash(daemon, connect, stubs, repository,
                                           serve):
    daemon.state.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m,mode=0755", "tmpfs",
         str(daemon.state)], capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("mounting is not permitted here: " + mounted.stderr.strip())
    try:
        repository.add_archive("large", "1",
                               {"noise": os.urandom(24 * MEGABYTE)})
        repository.add_archive("small", "1", {"small": b"#!/bin/sh\n"})
        repository.publish()
        web = serve(repository.published)
        daemon.start()
        api = connect()
        service = api.add_service(web.url, repository.root)
        session = api.open_session().session.name
        found = {u.name: u for u in api.search(session, "",
                                               service.service_id)}
        result = api.download(session, [found["large"]])
        assert result.update_results[0].hresult == 0x80070070, result
        # Room is left for everything else.
        assert api.download(session, [found["small"]]).hresult == 0
        assert api.install(session, [found["small"]]).hresult == 0
        assert daemon.stop()[0] == 0
    finally:
        subprocess.run(["umount", "-l", str(daemon.state)], check=False)
