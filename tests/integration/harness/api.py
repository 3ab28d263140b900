"""A plain gRPC client of usher.v1, with any library that dials a Unix socket."""

import contextlib

import grpc

CALL_SECONDS = 120


class Failure(Exception):
    """A failed call: canonical code, HRESULT, symbol, message, subject."""

    def __init__(self, error, detail):
        super().__init__(f"{error.code()}: {detail}")
        self.code = error.code()
        self.hresult = detail.hresult if detail else 0
        self.symbol = detail.symbol if detail else ""
        self.message = detail.message if detail else error.details()
        self.subject = detail.subject if detail else ""
        self.request_id = detail.request_id if detail else ""


class Secret(grpc.UnaryUnaryClientInterceptor,
             grpc.UnaryStreamClientInterceptor):
    """Adds the secret of a loopback port to each call."""

    def __init__(self, secret):
        self._secret = secret

    def _with_secret(self, continuation, details, request):
        metadata = [*(details.metadata or ()),
                    ("x-usher-secret", self._secret)]
        return continuation(details._replace(metadata=metadata), request)

    intercept_unary_unary = _with_secret
    intercept_unary_stream = _with_secret


class Api:
    """`address` is a socket, one of gRPC's own targets that begins with
    "ipv4:", or, with a secret, "127.0.0.1:PORT"; `path` turns a path into what
    the service takes for it."""

    def __init__(self, stubs, address, secret=None, path=str):
        self.stubs = stubs
        self.path = path
        target = str(address)
        if secret is None and not target.startswith("ipv4:"):
            target = f"unix:{target}"
        self.channel = grpc.insecure_channel(target, options=[
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.max_receive_message_length", 4 * 1024 * 1024)])
        grpc.channel_ready_future(self.channel).result(timeout=CALL_SECONDS)
        if secret is not None:
            self.channel = grpc.intercept_channel(self.channel, Secret(secret))
        s = stubs
        self.sessions = s.session_grpc.SessionServiceStub(self.channel)
        self.searchers = s.searcher_grpc.SearcherServiceStub(self.channel)
        self.downloaders = s.downloader_grpc.DownloaderServiceStub(self.channel)
        self.installers = s.installer_grpc.InstallerServiceStub(self.channel)
        self.jobs = s.job_grpc.JobServiceStub(self.channel)
        self.states = s.update_state_grpc.UpdateStateServiceStub(self.channel)
        self.history = s.history_grpc.HistoryServiceStub(self.channel)
        self.services = s.update_service_grpc.UpdateServiceManagerStub(
            self.channel)
        self.system = s.system_grpc.SystemServiceStub(self.channel)
        self.health = s.health_grpc.HealthStub(self.channel)

    def close(self):
        self.channel.close()

    @contextlib.contextmanager
    def errors(self):
        """Turns grpc.RpcError into Failure."""
        try:
            yield
        except grpc.RpcError as error:
            raise Failure(error, self.detail_of(error)) from error

    def detail_of(self, error):
        for key, value in error.trailing_metadata() or ():
            if key == "grpc-status-details-bin":
                status = self.stubs.status.Status.FromString(value)
                for any_detail in status.details:
                    detail = self.stubs.types.ErrorDetail()
                    if any_detail.Unpack(detail):
                        return detail
        return None

    def call(self, method, request, metadata=()):
        with self.errors():
            return method(request, timeout=CALL_SECONDS, metadata=metadata)

    def stream(self, method, request):
        with self.errors():
            yield from method(request, timeout=CALL_SECONDS)

    # --- the calls that tests make again and again ---

    def open_session(self, client_id="test", **fields):
        return self.call(self.sessions.OpenSession,
                         self.stubs.session.OpenSessionRequest(
                             client_application_id=client_id, **fields))

    def add_service(self, url, root, **fields):
        return self.call(self.services.AddUpdateService,
                         self.stubs.update_service.AddUpdateServiceRequest(
                             service_url=url, root_metadata=root, flags=2,
                             **fields)).service

    def refresh(self, service_id):
        return self.call(self.services.RefreshUpdateService,
                         self.stubs.update_service.RefreshUpdateServiceRequest(
                             service_id=service_id))

    def search(self, session, criteria="", service_id="", text="",
               max_results=0, **searcher):
        """All updates found, as a list; see search_stream."""
        found = []
        for response in self.search_stream(session, criteria, service_id, text,
                                           max_results, **searcher):
            found.extend(response.chunk.updates)
        return found

    def search_stream(self, session, criteria="", service_id="", text="",
                      max_results=0, **searcher):
        s = self.stubs.searcher
        if service_id:
            searcher["service_id"] = service_id
            searcher["server_selection"] = (
                self.stubs.types.SERVER_SELECTION_OTHERS)
        searcher.setdefault("online", False)
        request = s.CreateSearcherRequest(
            parent=session, searcher=s.Searcher(**searcher))
        request.update_mask.paths.extend(searcher)
        name = self.call(self.searchers.CreateSearcher, request).name
        try:
            yield from self.stream(self.searchers.Search, s.SearchRequest(
                searcher=name, criteria=criteria, text=text,
                max_results=max_results))
        finally:
            self.call(self.searchers.DeleteSearcher,
                      s.DeleteSearcherRequest(name=name))

    def begin_download(self, session, updates, **fields):
        d = self.stubs.downloader
        request = d.CreateDownloaderRequest(
            parent=session,
            downloader=d.Downloader(updates=[u.identity for u in updates],
                                    **fields))
        request.update_mask.paths.extend(["updates", *fields])
        downloader = self.call(self.downloaders.CreateDownloader, request)
        return self.call(self.downloaders.BeginDownload,
                         d.BeginDownloadRequest(downloader=downloader.name))

    def end_download(self, job):
        return self.call(self.downloaders.EndDownload,
                         self.stubs.downloader.EndDownloadRequest(job=job))

    def download(self, session, updates, **fields):
        return self.end_download(
            self.begin_download(session, updates, **fields).name)

    def begin_install(self, session, updates, uninstall=False, **fields):
        i = self.stubs.installer
        request = i.CreateInstallerRequest(
            parent=session,
            installer=i.Installer(updates=[u.identity for u in updates],
                                  **fields))
        request.update_mask.paths.extend(["updates", *fields])
        installer = self.call(self.installers.CreateInstaller, request)
        if uninstall:
            return self.call(self.installers.BeginUninstall,
                             i.BeginUninstallRequest(installer=installer.name))
        return self.call(self.installers.BeginInstall,
                         i.BeginInstallRequest(installer=installer.name))

    def install(self, session, updates, **fields):
        job = self.begin_install(session, updates, **fields)
        return self.call(self.installers.EndInstall,
                         self.stubs.installer.EndInstallRequest(job=job.name))

    def uninstall(self, session, updates, **fields):
        job = self.begin_install(session, updates, uninstall=True, **fields)
        return self.call(self.installers.EndUninstall,
                         self.stubs.installer.EndUninstallRequest(job=job.name))

    def watch(self, job):
        for event in self.stream(self.jobs.WatchJob,
                                 self.stubs.job.WatchJobRequest(name=job)):
            yield event.job

    def query_history(self, start=0, count=100, criteria=""):
        entries = []
        for response in self.stream(
                self.history.QueryHistory,
                self.stubs.history.QueryHistoryRequest(
                    start_index=start, count=count, criteria=criteria)):
            entries.extend(response.entries)
        return entries

    def list_jobs(self, session):
        request = self.stubs.job.ListJobsRequest(parent=session)
        jobs = []
        while True:
            page = self.call(self.jobs.ListJobs, request)
            jobs.extend(page.jobs)
            if not page.next_page_token:
                return jobs
            request.page_token = page.next_page_token
