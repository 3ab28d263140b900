"""usher, the command line."""

import json
import os
import subprocess

from . import users


class Result:
    def __init__(self, process):
        self.code = process.returncode
        self.stdout = process.stdout
        self.stderr = process.stderr

    @property
    def json(self):
        return json.loads(self.stdout)

    @property
    def error(self):
        """The error object of --json."""
        return json.loads(self.stdout or self.stderr)["error"]


class Cli:
    def __init__(self, platform, daemon, home):
        self.platform = platform
        self.daemon = daemon
        self.home = home

    def environment(self):
        return {**os.environ, **self.platform.environment,
                "USHER_ADDRESS": str(self.daemon.address),
                "HOME": str(self.home), "NO_COLOR": "1", "LC_ALL": "C.UTF-8"}

    def words(self, words, client_id=None):
        command = self.platform.command("usher")
        if client_id:
            command += ["--client-id", client_id]
        return command + self.platform.words(words)

    def run(self, *words, client_id=None, user=None, environment=None):
        """Runs it to the end."""
        identity = users.as_user(user) if user is not None else {}
        return Result(subprocess.run(
            self.words(words, client_id), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False, cwd="/",
            env={**self.environment(), **(environment or {})}, **identity))

    def start(self, *words, client_id=None):
        """Starts it and returns at once."""
        return subprocess.Popen(
            self.words(words, client_id), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=self.environment(), cwd="/")
