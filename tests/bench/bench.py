"""Measures a build of Usher beside the programs that do the same elsewhere.

usage: bench.py --build BUILD [rpc] [search] [download] [refresh] [scale]

Every figure comes from this machine and this run. A latency is the time from
the client's call to its last result; "whole process" is what a shell waits for.
"""

import argparse
import contextlib
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

from harness import platform as platforms  # noqa: E402
from harness.api import Api  # noqa: E402
from harness.daemon import Usherd  # noqa: E402
from harness.publisher import Repository  # noqa: E402
from harness.stubs import Stubs  # noqa: E402
from harness.vendor import Vendor  # noqa: E402
from harness.webserver import WebServer  # noqa: E402

MEGABYTE = 1024 * 1024
# Debian 12 alone has more packages than this.
REAL_CATALOG = 60_000


def show(*cells):
    print("  " + "".join(f"{cell:<{width}}" for cell, width in
                         zip(cells, (46, 14, 14, 14))).rstrip(), flush=True)


def title(text):
    print(f"\n{text}", flush=True)


def microseconds(value):
    return f"{value / 1000:.2f} ms" if value >= 1000 else f"{value:.1f} us"


def seconds(value):
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.1f} ms"


class Bench:
    def __init__(self, build, work):
        self.platform = platforms.Linux(build)
        self.work = work
        self.stubs = Stubs(self.platform.build / "tests/python")
        self.daemon = Usherd(self.platform, work / "state", work / "run")

    def tool(self, *words):
        """Runs usher_bench; its JSON lines by name."""
        done = subprocess.run(
            [*self.platform.command("usher_bench"), *map(str, words)],
            check=True, capture_output=True, text=True)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return {line["name"]: line for line in lines}

    @contextlib.contextmanager
    def running(self):
        self.daemon.start()
        api = Api(self.stubs, self.daemon.address)
        try:
            yield api
        finally:
            api.close()
            self.daemon.close()

    def whole_process(self, command, runs=5):
        """Median wall time of a command, output thrown away."""
        times = []
        environment = {**os.environ, "USHER_ADDRESS": str(self.daemon.address)}
        for _ in range(runs + 1):
            started = time.perf_counter()
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, env=environment)
            times.append(time.perf_counter() - started)
        return statistics.median(times[1:])

    # --- session property read beside a bare echo ---

    def rpc(self):
        title("Unary call: read a session's properties (20,000 calls each, "
              "in turn)")
        address = self.work / "bare.sock"
        with self.running():
            bare = subprocess.Popen(
                [*self.platform.command("usher_bench"), "bare-server",
                 str(address)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                text=True)
            try:
                word, port = bare.stdout.readline().split()
                assert word == "ready"
                result = self.tool("rpc", self.daemon.address, address, port)
            finally:
                bare.communicate()
        ours, echo = result["session_read"], result["bare_echo"]
        show("", "p50", "p99")
        for name, line in (("usherd", ours), ("bare gRPC, same socket", echo),
                           ("bare gRPC, TCP on loopback",
                            result["bare_tcp_echo"])):
            show(name, microseconds(line["p50_us"]),
                 microseconds(line["p99_us"]))
        show("usherd to bare", f"{ours['p50_us'] / echo['p50_us']:.2f}",
             f"{ours['p99_us'] / echo['p99_us']:.2f}")

    # --- searching all packages that apt knows ---

    def search(self):
        title("Search: every package that apt knows on this machine")
        lists = [p for p in pathlib.Path("/var/lib/apt/lists").glob("*_Packages*")
                 if p.is_file()]
        if not lists:
            print("  no package lists here; run apt-get update first")
            return
        repository = Repository(self.platform, self.work / "apt-repository",
                                self.work / "apt-sources")
        started = time.perf_counter()
        repository.import_packages(*lists)
        repository.publish()
        published = time.perf_counter() - started
        with self.running() as api:
            started = time.perf_counter()
            service = api.add_service(repository.url, repository.root)
            loaded = time.perf_counter() - started
            show("updates in the catalog", f"{service.update_count:,}")
            if service.update_count < REAL_CATALOG:
                print(f"  fewer than {REAL_CATALOG:,} packages: these figures "
                      "are of a smaller catalog than all of Debian's")
            show("import and sign", seconds(published))
            show("verify and load", seconds(loaded))
            self.memory("resident in the process that loaded it")
            show("and at its peak", self.mebibytes("VmHWM"))
        with self.running() as api:
            session = api.open_session("usher-bench").session.name
            one = api.search(session, "", service.service_id, text="coreutils",
                             max_results=1)[0].identity.update_id
            self.memory("resident after start and one search")
            self.search_table(service, one)
            self.memory("resident after all searches")
        title("The same, whole processes")
        with self.running():
            usher = self.platform.command("usher")
            for name, command in (
                    ("apt-cache search --names-only '^coreutils$'",
                     ["apt-cache", "search", "--names-only", "^coreutils$"]),
                    ("usher search coreutils",
                     [*usher, "search", "--offline", "coreutils"]),
                    ("apt-cache dumpavail", ["apt-cache", "dumpavail"]),
                    ("usher search --json (all)",
                     [*usher, "search", "--offline", "--json"])):
                show(name, seconds(self.whole_process(command)))

    def mebibytes(self, field):
        return f"{self.daemon.memory_kib(field) / 1024:.1f} MiB"

    def memory(self, label):
        show(label, self.mebibytes("VmRSS"),
             f"anon {self.daemon.memory_kib('RssAnon') / 1024:.1f}")

    def search_table(self, service, update_id):
        show("", "p50", "p99", "found")
        for name, criteria, text, runs in (
                ("one name (text coreutils)", "IsInstalled=0 or IsInstalled=1",
                 "coreutils", 200),
                ("one UpdateID", f"UpdateID='{update_id}'", "", 500),
                ("IsInstalled=0 and Type='Software'",
                 "IsInstalled=0 and Type='Software'", "", 100)):
            result = self.tool("search", self.daemon.address, "--service",
                               service.service_id, "--name", name, "--criteria",
                               criteria, "--text", text, "--runs", runs)
            line = result[name]
            show(name, microseconds(line["p50_us"]),
                 microseconds(line["p99_us"]),
                 f"{result[name + ' found']['count']:,}")

    # --- downloading, verified, beside curl ---

    def touch_memory(self, size):
        """Has the kernel hold `size` bytes of pages once, so that a virtual
        machine's host does not hand them out while we measure."""
        scratch = self.work / "scratch"
        with open(scratch, "wb") as out:
            for _ in range(size // MEGABYTE):
                out.write(bytes(MEGABYTE))
        scratch.unlink()

    def download(self, files=5, size=256 * MEGABYTE):
        title(f"Download: {size // MEGABYTE} MiB from nginx on loopback, "
              f"median of {files}")
        repository = Repository(self.platform, self.work / "big-repository",
                                self.work / "big-sources")
        for number in range(files):
            blob = self.work / f"blob{number}"
            with open(blob, "wb") as out:
                for _ in range(size // MEGABYTE):
                    out.write(os.urandom(MEGABYTE))
            repository.add_exec(f"blob{number}", "1", blob)
        repository.publish()
        web = WebServer(repository.published, self.work / "nginx")
        self.touch_memory(2 * files * size)
        ours, theirs, hashed = [], [], []
        try:
            with self.running() as api:
                service = api.add_service(web.url, repository.root)
                session = api.open_session("usher-bench").session.name
                for number, update in enumerate(
                        api.search(session, "", service.service_id)):
                    content = update.download_contents[0]
                    # Both keep their file: pages that one has just freed
                    # would speed up the other.
                    target = str(self.work / f"curl.out{number}")

                    def curl():
                        started = time.perf_counter()
                        subprocess.run(["curl", "-sS", "-o", target,
                                        content.download_url], check=True)
                        theirs.append(time.perf_counter() - started)

                    def usherd():
                        started = time.perf_counter()
                        result = api.download(session, [update])
                        ours.append(time.perf_counter() - started)
                        assert result.hresult == 0, result

                    for step in (curl, usherd) if number % 2 else (usherd, curl):
                        step()
                    started = time.perf_counter()
                    subprocess.run(["sha256sum", target], check=True,
                                   stdout=subprocess.DEVNULL)
                    hashed.append(theirs[-1] + time.perf_counter() - started)
        finally:
            web.stop()
        for name, times in (("usherd, verified, in the cache", ours),
                            ("curl -o", theirs),
                            ("curl -o and then sha256sum", hashed)):
            middle = statistics.median(times)
            show(name, seconds(middle), f"{size / MEGABYTE / middle:.0f} MiB/s")

    # --- asking for news when there are none ---

    def refresh(self, runs=50):
        title("Refresh with nothing new")
        repository = Repository(self.platform, self.work / "small-repository",
                                self.work / "small-sources")
        repository.add_archive("thing", "1", {"thing": b"x"})
        repository.publish()
        web = WebServer(repository.published, self.work / "small-nginx")
        try:
            with self.running() as api:
                service = api.add_service(web.url, repository.root)
                self.nothing_new(web, api, service, runs)
        finally:
            web.stop()

    def nothing_new(self, web, api, service, runs):
        """Refreshes when everything is known already."""
        # The first one since the daemon's start also looks for a newer root.
        api.refresh(service.service_id)
        before = self.answered(web)
        times = []
        for _ in range(runs):
            started = time.perf_counter()
            api.refresh(service.service_id)
            times.append(time.perf_counter() - started)
        after = self.answered(web)
        requests, sent = (b - a for a, b in zip(before, after))
        show("nothing new: each refresh", seconds(statistics.median(times)),
             f"{requests / runs:.2f} requests", f"{sent / runs:,.0f} bytes")

    # --- one more update in a large repository of many publishers ---

    def scale(self, sizes=((5, 2000), (50, 2000), (1, 100000))):
        for vendors, each in sizes:
            work = self.work / f"scale-{vendors}-{each}"
            work.mkdir()
            self.daemon = Usherd(self.platform, work / "state", work / "run")
            self.scale_of(work, vendors, each)

    def scale_of(self, work, vendors, each):
        title(f"One more update: {vendors * each:,} updates of {vendors} "
              f"vendor{'s' if vendors > 1 else ''}")
        repository = Repository(self.platform, work / "repository",
                                work / "sources")
        repository.publish()
        started = time.perf_counter()
        last = None
        for number in range(vendors):
            last = Vendor(self.platform, f"vendor{number}", repository,
                          work / f"vendor{number}", work / f"sources{number}")
            last.introduce()
            index = work / "Packages"
            index.write_text("".join(
                f"Package: v{number}p{n}\nVersion: {n}.0\nArchitecture: amd64\n"
                f"Section: utils\nFilename: pool/v{number}/p{n}.deb\n"
                f"Size: {n}\nSHA256: {number:032x}{n:032x}\n"
                f"Description: package {n} of vendor {number}\n\n"
                for n in range(1, each + 1)))
            last.import_packages(index)
            last.publish()
            last.take()
        repository.run("publish", repository.folder)
        show("to make it all", seconds(time.perf_counter() - started))
        web = WebServer(repository.published, work / "nginx")
        try:
            with self.running() as api:
                started = time.perf_counter()
                service = api.add_service(web.url, repository.root)
                show("first refresh", seconds(time.perf_counter() - started),
                     *self.traffic(web, (0, 0)))
                # Once before it is measured: nothing is in any cache yet.
                for measured in (False, True):
                    self.one_more(last, repository, web, api, service, measured)
                self.nothing_new(web, api, service, runs=20)
                assert api.refresh(service.service_id).service.update_count == \
                    vendors * each + 2
        finally:
            web.stop()

    def one_more(self, vendor, repository, web, api, service, measured):
        def step(name, action, *more):
            started = time.perf_counter()
            result = action()
            if measured:
                show(name, seconds(time.perf_counter() - started), *more)
            return result

        version = 2 if measured else 1
        vendor.add_archive("one-more", str(version),
                           {"one-more": os.urandom(1000)})
        [description] = vendor.sources.glob("*.toml")
        step("add, at the vendor's", lambda: vendor.run(
            "add", vendor.folder, description))
        description.unlink()
        step("publish, at the vendor's", lambda: vendor.run(
            "publish", vendor.folder))
        files = self.files(repository.folder)
        step("take", vendor.take)
        step("publish", lambda: repository.run("publish", repository.folder))
        written = self.written(files, self.files(repository.folder))
        public = self.written(files, self.files(repository.published))
        answered = self.answered(web)
        started = time.perf_counter()
        api.refresh(service.service_id)
        elapsed = time.perf_counter() - started
        if measured:
            # Whole files, however little of them is new: draft and bookkeeping
            # are rewritten, too.
            show("written below the repository's folder", "", "",
                 f"{written:,} bytes")
            show("of that to what clients read", "", "", f"{public:,} bytes")
            show("a client's refresh", seconds(elapsed),
                 *self.traffic(web, answered))

    @staticmethod
    def files(folder):
        """{path: what changes when it is written}, for every file below."""
        found = {}
        for path in pathlib.Path(folder).rglob("*"):
            if path.is_file() and not path.is_symlink():
                entry = path.stat()
                found[path] = (entry.st_ino, entry.st_mtime_ns, entry.st_size)
        return found

    @staticmethod
    def written(before, after):
        """Bytes of the files that are new or were written in between."""
        return sum(entry[2] for path, entry in after.items()
                   if before.get(path) != entry)

    @staticmethod
    def answered(web):
        """Requests that a web server has answered so far, and their bytes."""
        web.stop_serving()
        requests = web.requests()
        web.start()
        return len(requests), sum(request[3] for request in requests)

    def traffic(self, web, before):
        """The same since `before`, in words."""
        requests, sent = (b - a for a, b in zip(before, self.answered(web)))
        return f"{requests} requests", f"{sent:,} bytes"


def main():
    names = ["rpc", "search", "download", "refresh", "scale"]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/release")
    parser.add_argument("which", nargs="*", metavar="NAME",
                        help=f"one or more of {', '.join(names)}")
    arguments = parser.parse_args()
    unknown = set(arguments.which) - set(names)
    if unknown:
        parser.error(f"no bench named {', '.join(sorted(unknown))}")
    for name in arguments.which or names:
        work = pathlib.Path(tempfile.mkdtemp(prefix="usher-bench-"))
        try:
            getattr(Bench(arguments.build, work), name)()
        finally:
            shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
