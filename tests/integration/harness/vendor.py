"""usher-publish at a vendor's: a folder that a repository takes in."""

import json

from .publisher import Repository


class Vendor(Repository):
    """Adds and publishes like a repository; `deliver` hands it over."""

    def __init__(self, platform, name, repository, folder, sources):
        super().__init__(platform, folder, sources, repository.publisher)
        self.name = name
        self.repository = repository

    def _init(self, long_ago=False):
        if not self._initialised:
            service = json.loads(self.repository.run(
                "list", self.repository.folder, "--json"))["service_id"]
            self.run("vendor", "init", self.folder, "--vendor", self.name,
                     "--service-id", service, "--name", "Integration tests",
                     long_ago=long_ago)
            self._initialised = True

    @property
    def key(self):
        return self.folder / f"keys/{self.name}.pem"

    @property
    def document(self):
        return self.published / f"metadata/{self.name}.json"

    def public_key(self):
        """The file to hand to the repository."""
        self._init()
        path = self.sources / f"{self.name}.pub.pem"
        path.write_text(self.run("keys", "export", self.key))
        return path

    def introduce(self):
        self.repository.run("vendor", "add", self.repository.folder, self.name,
                            "--key", self.public_key())

    def take(self, source=None):
        return json.loads(self.repository.run(
            "vendor", "take", self.repository.folder, self.name,
            source or self.folder, "--json"))

    def deliver(self):
        """Publishes, is taken, and is made public."""
        self.publish()
        taken = self.take()
        self.repository.run("publish", self.repository.folder)
        return taken
