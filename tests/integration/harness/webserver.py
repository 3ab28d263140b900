"""A real nginx on a loopback port, serving one folder."""

import os
import pathlib
import re
import socket
import subprocess

from . import platform


class WebServer:
    """`rate` limits each connection, in bytes a second; None: no limit."""

    def __init__(self, root, scratch, rate=None):
        self.root = pathlib.Path(root)
        self.scratch = pathlib.Path(scratch)
        self.scratch.mkdir(parents=True, exist_ok=True)
        self.rate = rate
        # We bind and listen, nginx inherits the socket (NGINX=, as at its own
        # binary upgrade): no race for the port and no wait for readiness.
        self._socket = socket.create_server(("127.0.0.1", 0))
        os.set_inheritable(self._socket.fileno(), True)
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.access_log = self.scratch / "access.log"
        self._process = None
        self.start()

    def start(self):
        scratch = self.scratch
        rate = f"limit_rate {self.rate};" if self.rate else ""
        user = "user root;" if platform.is_root() else ""
        temporary = "\n".join(
            f"  {kind}_temp_path {scratch}/{kind};" for kind in
            ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (scratch / "nginx.conf").write_text(f"""
{user}
daemon off;
worker_processes 1;
pid {scratch}/nginx.pid;
error_log {scratch}/error.log;
events {{ worker_connections 128; }}
http {{
  log_format requests '$request_method $uri $status $body_bytes_sent';
  access_log {scratch}/access.log requests;
{temporary}
  server {{
    listen 127.0.0.1:{self.port};
    root {self.root};
    default_type application/octet-stream;
    {rate}
  }}
}}
""")
        self._process = subprocess.Popen(
            [platform.find("setpriv"), "--pdeathsig", "TERM",
             platform.find("nginx"), "-p", str(scratch), "-c",
             str(scratch / "nginx.conf"), "-e", str(scratch / "error.log")],
            env={**os.environ, "NGINX": f"{self._socket.fileno()};"},
            pass_fds=[self._socket.fileno()], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def restart(self, rate=None):
        """Goes on at the same port with another speed limit."""
        self.stop_serving()
        self.rate = rate
        self.start()

    def stop_serving(self):
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=30)
            self._process = None

    def stop(self):
        self.stop_serving()
        self._socket.close()

    def requests(self):
        """[(method, path, status, bytes)] so far; complete when stopped."""
        if not self.access_log.exists():
            return []
        pattern = re.compile(r"(\S+) (.*) (\d+) (\d+)$")
        found = []
        for line in self.access_log.read_text().splitlines():
            match = pattern.match(line)
            if match:
                found.append((match[1], match[2], int(match[3]), int(match[4])))
        return found
