"""Sessions: they outlive their clients and belong to one user."""

import os

import grpc
import pytest

from harness import users
from harness.api import CALL_SECONDS, Api, Failure

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


def refusal(client, method, request):
    """How the call fails, which it must, unary or stream."""
    with pytest.raises(Failure) as refused, client.errors():
        answer = method(request, timeout=CALL_SECONDS)
        if isinstance(answer, grpc.Call):
            for _ in answer:
                pass
    return refused.value


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
    # Only an administrator has an installer; this one's job fails, being
    # without its content, and stays.
    installation = root.begin_install(root.open_session("same-id").session.name,
                                      updates)
    installer = installation.parent

    # Bob has got hold of every name, and learns nothing from any of them.
    s, d, j = stubs.session, stubs.downloader, stubs.job
    f, i = stubs.searcher, stubs.installer
    absent, denied = (grpc.StatusCode.NOT_FOUND,
                      grpc.StatusCode.PERMISSION_DENIED)
    guesses = [
        (absent, bob.sessions.GetSession, s.GetSessionRequest(name=session)),
        (absent, bob.sessions.UpdateSession, s.UpdateSessionRequest(
            session=s.Session(name=session, user_locale="de"),
            update_mask={"paths": ["user_locale"]})),
        (absent, bob.sessions.WatchSession,
         s.WatchSessionRequest(name=session)),
        (absent, bob.sessions.CloseSession,
         s.CloseSessionRequest(name=session)),
        (absent, bob.searchers.CreateSearcher,
         f.CreateSearcherRequest(parent=session)),
        (absent, bob.searchers.GetSearcher,
         f.GetSearcherRequest(name=searcher)),
        (absent, bob.searchers.UpdateSearcher, f.UpdateSearcherRequest(
            searcher=f.Searcher(name=searcher, online=False),
            update_mask={"paths": ["online"]})),
        (absent, bob.searchers.DeleteSearcher,
         f.DeleteSearcherRequest(name=searcher)),
        (absent, bob.searchers.Search, f.SearchRequest(searcher=searcher)),
        (absent, bob.searchers.BeginSearch, f.SearchRequest(searcher=searcher)),
        (absent, bob.searchers.EndSearch, f.EndSearchRequest(job=job)),
        (absent, bob.downloaders.CreateDownloader,
         d.CreateDownloaderRequest(parent=session)),
        (absent, bob.downloaders.GetDownloader,
         d.GetDownloaderRequest(name=downloader)),
        (absent, bob.downloaders.UpdateDownloader, d.UpdateDownloaderRequest(
            downloader=d.Downloader(name=downloader, is_forced=True),
            update_mask={"paths": ["is_forced"]})),
        (absent, bob.downloaders.DeleteDownloader,
         d.DeleteDownloaderRequest(name=downloader)),
        (absent, bob.downloaders.BeginDownload,
         d.BeginDownloadRequest(downloader=downloader)),
        (absent, bob.downloaders.EndDownload, d.EndDownloadRequest(job=job)),
        (denied, bob.installers.CreateInstaller,
         i.CreateInstallerRequest(parent=session)),
        (absent, bob.installers.GetInstaller,
         i.GetInstallerRequest(name=installer)),
        (denied, bob.installers.UpdateInstaller, i.UpdateInstallerRequest(
            installer=i.Installer(name=installer, is_forced=True),
            update_mask={"paths": ["is_forced"]})),
        (denied, bob.installers.DeleteInstaller,
         i.DeleteInstallerRequest(name=installer)),
        (denied, bob.installers.BeginInstall,
         i.BeginInstallRequest(installer=installer)),
        (denied, bob.installers.BeginUninstall,
         i.BeginUninstallRequest(installer=installer)),
        (absent, bob.installers.EndInstall,
         i.EndInstallRequest(job=installation.name)),
        (absent, bob.installers.EndUninstall,
         i.EndUninstallRequest(job=installation.name)),
        (absent, bob.jobs.GetJob, j.GetJobRequest(name=job)),
        (absent, bob.jobs.ListJobs, j.ListJobsRequest(parent=session)),
        (absent, bob.jobs.WatchJob, j.WatchJobRequest(name=job)),
        (absent, bob.jobs.RequestAbort, j.RequestAbortRequest(name=job)),
        (absent, bob.jobs.CleanUpJob, j.CleanUpJobRequest(name=job)),
        (absent, bob.states.BatchGetUpdates,
         stubs.update_state.BatchGetUpdatesRequest(
             session=session, keys=[updates[0].identity])),
    ]
    names = [session, searcher, downloader, job, installer, installation.name]
    digits = {part for name in names for part in name.split("/")[1::2]}
    never = "0" * 32

    def as_if_never(text):
        for part in digits:
            text = text.replace(part, never)
        return text

    for code, method, request in guesses:
        refused = refusal(bob, method, request)
        assert refused.code == code, request
        # Word for word what a name that never existed gets. All names are of
        # one length, so they can be changed in the message's bytes.
        unknown = refusal(bob, method, type(request).FromString(as_if_never(
            request.SerializeToString().decode("latin-1")).encode("latin-1")))
        told = [(x.code, x.hresult, x.symbol, as_if_never(x.message),
                 as_if_never(x.subject)) for x in (refused, unknown)]
        assert told[0] == told[1], request
        assert never in unknown.message or code == denied

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


def test_jobs_are_listed_page_by_page(api, stubs, cli, repository):
    for number in range(5):
        repository.add_archive(f"thing-{number}", "1", {"x": b"#!/bin/sh\n"})
    repository.publish()
    service = api.add_service(repository.url, repository.root)
    session = api.open_session("pages").session.name
    updates = api.search(session, "", service.service_id)
    names = [api.begin_download(session, [update]).name for update in updates]
    assert len(names) == 5
    request = stubs.job.ListJobsRequest(parent=session, page_size=2)
    sizes, listed = [], []
    while True:
        page = api.call(api.jobs.ListJobs, request)
        sizes.append(len(page.jobs))
        listed += [job.name for job in page.jobs]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert sizes == [2, 2, 1]
    assert listed == names
    result = cli.run("jobs", "--json", client_id="pages")
    assert [job["name"] for job in result.json["jobs"]] == names
    for name in names:
        assert api.end_download(name).hresult == 0


def test_streams_of_one_connection_take_turns_at_their_limit(
        daemon, connect, stubs):
    daemon.configure("[service]\nmax_concurrent_streams = 4\n")
    daemon.start()
    api, other = connect(), connect()
    s = stubs.session
    session = api.open_session("streams").session.name
    watches = [api.sessions.WatchSession(s.WatchSessionRequest(name=session))
               for _ in range(4)]
    for watch in watches:
        assert next(watch).kind == s.SessionEvent.KIND_ATTACHED
    fifth = api.system.GetAgentInfo.future(
        stubs.system.GetAgentInfoRequest(), timeout=CALL_SECONDS)
    # Another connection has streams of its own, and its calls are answered
    # while the fifth waits.
    for _ in range(50):
        other.call(other.system.GetAgentInfo,
                   stubs.system.GetAgentInfoRequest())
    assert not fifth.done()
    watches[0].cancel()
    assert fifth.result().api_major_version == 8
    for watch in watches:
        watch.cancel()


@pytest.mark.parametrize("configured, accepted", [(None, True), (4096, False)])
def test_metadata_of_a_call_is_limited(daemon, connect, stubs, configured,
                                       accepted):
    if configured is not None:
        daemon.configure(f"[service]\nmax_metadata_bytes = {configured}\n")
    daemon.start()
    api = connect()

    def ask(size):
        return api.call(api.system.GetAgentInfo,
                        stubs.system.GetAgentInfoRequest(),
                        metadata=[("x-large", "x" * size)])
    if accepted:
        assert ask(8000).api_major_version == 8
        size = 20_000  # beyond the default, too
    else:
        size = 8000
    with pytest.raises(Failure) as caught:
        ask(size)
    assert caught.value.code == grpc.StatusCode.RESOURCE_EXHAUSTED
    # gRPC 1.51 ends the connection with it, and the service goes on.
    api = connect()
    assert ask(100).api_major_version == 8


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
