"""Sessions: they outlive their clients and belong to one user."""

import os

import grpc
import pytest

from harness import users
from harness.api import Api, Failure

MEGABYTE = 1024 * 1024


def slow_repository(repository, serve, size=4 * MEGABYTE, rate=512 * 1024):
    """A repository whose payload takes seconds to download."""
    repository.add_archive("large", "1", {"noise": os.urandom(size)})
    repository.publish()
    return serve(repository.published, rate)


def test_session_survives_its_client(api, stubs, connect, repository, serve):
    web = slow_repository(repository, serve)
    service = api.add_service(web.url, repository.root)
    first = connect()
    session = first.open_session("till").session.name
    updates = first.search(session, "", service.service_id)
    job = first.begin_download(session, updates)
    for event in first.watch(job.name):
        if event.download_progress.total_bytes_downloaded > 0:
            break
    first.close()  # the client is gone in the middle

    second = connect()
    again = second.open_session("till")
    assert again.attached
    assert again.session.name == session
    jobs = second.list_jobs(session)
    assert [j.name for j in jobs] == [job.name]
    assert jobs[0].state in (stubs.job.JOB_STATE_RUNNING,
                             stubs.job.JOB_STATE_COMPLETED)
    result = second.end_download(job.name)
    assert result.hresult == 0
    with pytest.raises(Failure) as caught:
        second.end_download(job.name)
    assert caught.value.code == grpc.StatusCode.FAILED_PRECONDITION


def test_killed_command_line_leaves_the_job(api, stubs, cli, connect,
                                            repository, serve):
    web = slow_repository(repository, serve)
    api.add_service(web.url, repository.root)
    process = cli.start("download", "large", client_id="killed")
    # Follow it through the service: the doomed client says nothing useful.
    other = connect()
    session = other.open_session("killed").session.name
    job = None
    while job is None:
        assert process.poll() is None, process.stdout.read()
        downloads = [j for j in other.list_jobs(session)
                     if j.kind == stubs.job.JOB_KIND_DOWNLOAD]
        job = downloads[0].name if downloads else None
    for event in other.watch(job):
        if event.download_progress.total_bytes_downloaded > 0:
            break
    process.kill()
    process.wait()

    again = connect().open_session("killed")
    assert again.attached
    assert job in [j.name for j in other.list_jobs(session)]
    assert other.end_download(job).hresult == 0


@pytest.mark.root
def test_two_users_do_not_see_each_other(daemon, stubs, repository, serve):
    daemon.open_to_everyone(policy="users_may_download = true")
    daemon.start()
    root = Api(stubs, daemon.address)
    web = slow_repository(repository, serve)
    service = root.add_service(web.url, repository.root)
    with users.acting_as(users.ALICE):
        alice = Api(stubs, daemon.address)
    with users.acting_as(users.BOB):
        bob = Api(stubs, daemon.address)

    hers = alice.open_session("same-id")
    his = bob.open_session("same-id")
    assert not hers.attached and not his.attached
    assert hers.session.name != his.session.name
    assert hers.session.owner == f"uid:{users.ALICE}"
    assert his.session.owner == f"uid:{users.BOB}"

    session = hers.session.name
    searcher = alice.call(
        alice.searchers.CreateSearcher,
        stubs.searcher.CreateSearcherRequest(parent=session)).name
    updates = alice.search(session, "", service.service_id)
    job = alice.begin_download(session, updates).name
    downloader = alice.list_jobs(session)[0].parent

    # Bob has got hold of every name, and learns nothing from any of them.
    s, d, j = stubs.session, stubs.downloader, stubs.job
    guesses = [
        (bob.sessions.GetSession, s.GetSessionRequest(name=session)),
        (bob.sessions.CloseSession, s.CloseSessionRequest(name=session)),
        (bob.searchers.GetSearcher,
         stubs.searcher.GetSearcherRequest(name=searcher)),
        (bob.searchers.CreateSearcher,
         stubs.searcher.CreateSearcherRequest(parent=session)),
        (bob.searchers.DeleteSearcher,
         stubs.searcher.DeleteSearcherRequest(name=searcher)),
        (bob.downloaders.GetDownloader,
         d.GetDownloaderRequest(name=downloader)),
        (bob.downloaders.EndDownload, d.EndDownloadRequest(job=job)),
        (bob.jobs.GetJob, j.GetJobRequest(name=job)),
        (bob.jobs.ListJobs, j.ListJobsRequest(parent=session)),
        (bob.jobs.RequestAbort, j.RequestAbortRequest(name=job)),
        (bob.jobs.CleanUpJob, j.CleanUpJobRequest(name=job)),
    ]
    never = "0" * 32
    for method, request in guesses:
        with pytest.raises(Failure) as refused:
            bob.call(method, request)
        assert refused.value.code == grpc.StatusCode.NOT_FOUND, request
        # Word for word what a name that never existed gets.
        absent = type(request)()
        for field, value in request.ListFields():
            setattr(absent, field.name,
                    "/".join(never if i % 2 else part for i, part in
                             enumerate(value.split("/"))))
        with pytest.raises(Failure) as unknown:
            bob.call(method, absent)
        assert unknown.value.code == refused.value.code
        assert unknown.value.hresult == refused.value.hresult
        for text in (refused, unknown):
            assert never not in text.value.message or text is unknown
    with pytest.raises(Failure):
        list(bob.watch(job))
    with pytest.raises(Failure):
        list(bob.stream(bob.searchers.Search, stubs.searcher.SearchRequest(
            searcher=searcher)))

    mine = bob.call(bob.sessions.ListSessions, s.ListSessionsRequest())
    assert [x.name for x in mine.sessions] == [his.session.name]
    with pytest.raises(Failure) as caught:
        bob.call(bob.sessions.ListSessions,
                 s.ListSessionsRequest(all_callers=True))
    assert caught.value.hresult == 0x80070005
    everyone = root.call(root.sessions.ListSessions,
                         s.ListSessionsRequest(all_callers=True))
    assert {x.owner for x in everyone.sessions} >= {
        f"uid:{users.ALICE}", f"uid:{users.BOB}"}

    assert alice.end_download(job).hresult == 0
    for client in (root, alice, bob):
        client.close()


def test_properties_and_masks(api, stubs):
    s = stubs.session
    session = api.open_session("props").session
    assert session.user_locale
    changed = api.call(api.sessions.UpdateSession, s.UpdateSessionRequest(
        session=s.Session(name=session.name, user_locale="de",
                          web_proxy=s.WebProxy(address="proxy:3128",
                                               password="secret")),
        update_mask={"paths": ["user_locale", "web_proxy.address",
                               "web_proxy.password"]}))
    assert changed.user_locale == "de"
    assert changed.web_proxy.address == "proxy:3128"
    assert changed.web_proxy.password == ""  # never comes back
    with pytest.raises(Failure) as caught:
        api.call(api.sessions.UpdateSession, s.UpdateSessionRequest(
            session=s.Session(name=session.name),
            update_mask={"paths": ["owner"]}))
    assert caught.value.code == grpc.StatusCode.INVALID_ARGUMENT
    assert "owner" in caught.value.subject + caught.value.message


def test_read_only_session(api, stubs):
    s = stubs.session
    session = api.open_session("ro", read_only=True).session
    assert session.read_only
    with pytest.raises(Failure) as caught:
        api.call(api.sessions.UpdateSession, s.UpdateSessionRequest(
            session=s.Session(name=session.name, user_locale="de"),
            update_mask={"paths": ["user_locale"]}))
    assert caught.value.hresult == 0x80240037
    for method, request in (
            (api.downloaders.CreateDownloader,
             stubs.downloader.CreateDownloaderRequest(parent=session.name)),
            (api.installers.CreateInstaller,
             stubs.installer.CreateInstallerRequest(parent=session.name))):
        with pytest.raises(Failure) as caught:
            api.call(method, request)
        assert caught.value.hresult == 0x80070005


def test_limits_are_clear_errors(daemon, connect, stubs):
    daemon.configure("[limits]\n"
                     "sessions_per_caller = 2\n"
                     "objects_per_session = 3\n")
    daemon.start()
    api = connect()
    session = api.open_session("one").session.name
    api.open_session("two")
    with pytest.raises(Failure) as caught:
        api.open_session("three")
    assert caught.value.code == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert caught.value.symbol == "WU_E_MAX_CAPACITY_REACHED"
    assert "2" in caught.value.message
    api.open_session("one")  # attaching is not another session

    create = stubs.searcher.CreateSearcherRequest(parent=session)
    for _ in range(3):
        api.call(api.searchers.CreateSearcher, create)
    with pytest.raises(Failure) as caught:
        api.call(api.searchers.CreateSearcher, create)
    assert caught.value.code == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_idle_session_expires_but_a_held_one_stays(daemon, connect, stubs):
    daemon.configure('[limits]\nsession_idle_timeout = "1s"\n')
    daemon.start()
    api = connect()
    s = stubs.session
    held = api.open_session("held").session.name
    watch = api.sessions.WatchSession(s.WatchSessionRequest(name=held))
    assert next(watch).kind == s.SessionEvent.KIND_ATTACHED
    idle = api.open_session("idle").session.name
    # Watching an idle session until it is gone would hold it; listing does not.
    gone = False
    while not gone:
        names = [x.name for x in api.call(api.sessions.ListSessions,
                                          s.ListSessionsRequest()).sessions]
        gone = idle not in names
    assert held in names
    watch.cancel()
    assert not api.open_session("idle").attached
