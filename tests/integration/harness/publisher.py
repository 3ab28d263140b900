"""usher-publish: a signed repository for a test."""

import json
import os
import pathlib
import subprocess

from . import packages, platform as platforms


class Repository:
    """`folder` is the publisher's own; `published` is what a server serves.
    `publisher` is the platform whose usher-publish does it: Linux unless told
    otherwise, see Platform.linux."""

    def __init__(self, platform, folder, sources, publisher=None):
        self.platform = platform
        self.publisher = publisher or platform.linux
        self.folder = pathlib.Path(folder)
        self.sources = pathlib.Path(sources)
        self.sources.mkdir(parents=True, exist_ok=True)
        self.published = self.folder / "public"
        self._initialised = False

    def run(self, *words, long_ago=False):
        publisher = self.publisher
        if long_ago:
            publisher = self.platform.linux
        command = publisher.command("usher-publish") + publisher.words(words)
        environment = {**os.environ, **publisher.environment}
        if long_ago:  # what it signs has expired by now
            command = [platforms.find("faketime"), "-f", "-3000d", *command]
            # faketime preloads a library, which AddressSanitizer takes for a
            # mistake unless told otherwise.
            environment["ASAN_OPTIONS"] = ":".join(filter(None, (
                environment.get("ASAN_OPTIONS"), "verify_asan_link_order=0")))
        done = subprocess.run(command, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False,
                              env=environment)
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(command)}: exit code "
                                 f"{done.returncode}\n{done.stdout}"
                                 f"{done.stderr}")
        return done.stdout

    def _init(self, long_ago=False):
        if not self._initialised:
            self.run("init", self.folder, "--name", "Integration tests",
                     long_ago=long_ago)
            self._initialised = True

    @property
    def url(self):
        return self.platform.url(self.published)

    @property
    def root(self):
        """The first root.json: what administrators are given to trust."""
        return (self.published / "metadata/1.root.json").read_bytes()

    def publish(self, long_ago=False):
        """Signs and publishes what was added since."""
        self._init(long_ago)
        for path in sorted(self.sources.glob("*.toml")):
            self.run("add", self.folder, path, long_ago=long_ago)
            path.rename(path.with_suffix(".added"))
        self.run("publish", self.folder, long_ago=long_ago)

    def rotate_root(self):
        """Publishes the next version of the root metadata."""
        self.run("renew-root", self.folder)

    def _describe(self, name, version, payload, handler):
        # A TOML basic string and a JSON string agree in what is used here.
        def quote(text):
            return json.dumps(str(text))
        lines = [f"name = {quote(name)}", f"version = {quote(version)}",
                 f"title = {quote(f'{name} {version}')}",
                 f"description = {quote(f'Test update {name}')}",
                 "is_uninstallable = true", "supersede_older_versions = true",
                 "", "[[payload]]",
                 f"file = {quote(self.publisher.path(payload))}", "",
                 *handler]
        path = self.sources / f"{name}-{version}.toml"
        path.write_text("\n".join(lines) + "\n")

    def add_archive(self, name, version, files):
        payload = packages.archive(self.sources / f"{name}-{version}.tar.gz",
                                   files)
        self._describe(name, version, payload, [
            "[handler.archive]", f"product = {json.dumps(name)}",
            f"version = {json.dumps(version)}"])

    def add_exec(self, name, version, script, arguments=(), exit_codes=None):
        """`exit_codes`: {code: meaning}."""
        codes = []
        for code, meaning in (exit_codes or {}).items():
            codes += ["[[handler.exec.exit_codes]]", f"code = {code}",
                      f"meaning = {json.dumps(meaning)}"]
        self._describe(name, version, script, [
            "[handler.exec]", f"arguments = {json.dumps(list(arguments))}",
            *codes])

    def add_msi(self, name, version, package, product_code):
        self._describe(name, version, package, [
            "[handler.msi]", f"product_code = {json.dumps(product_code)}", "",
            "[is_installed.msi_product]",
            f"product_code = {json.dumps(product_code)}"])

    def add_deb(self, package, handler="deb"):
        self._init()
        self.run("add-deb", self.folder, "--handler", handler, package)

    def import_packages(self, *indexes):
        """The metadata of whole Debian Packages files."""
        self._init()
        self.run("import-apt", self.folder, "--metadata-only", *indexes)

    def file(self, kind):
        """The newest published file of a kind, to tamper with."""
        metadata = self.published / "metadata"
        if kind == "timestamp":
            return metadata / "timestamp.json"
        if kind in ("root", "snapshot", "targets"):
            return max(metadata.glob(f"*.{kind}.json"),
                       key=lambda path: int(path.name.split(".")[0]))
        if kind == "catalog":
            return max(self.published.glob("targets/catalog/*"),
                       key=lambda path: path.stat().st_mtime_ns)
        if kind == "payload":
            return next(p for p in self.published.glob("targets/payloads/*/*"))
        raise ValueError(kind)
