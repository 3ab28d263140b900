#!/usr/bin/python3
"""Starts a service in the background and returns when it is ready.

usage: start.py LOGFILE COMMAND [ARGUMENT…]

Prints the service's process id. Ready means that it said READY=1 on the socket
named by NOTIFY_SOCKET, as it would say to systemd. If it exits instead, its
log goes to standard error and the exit code is 1.
"""

import os
import pathlib
import select
import socket
import subprocess
import sys
import tempfile


def main():
    log, command = pathlib.Path(sys.argv[1]), sys.argv[2:]
    with tempfile.TemporaryDirectory() as folder, \
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify, \
            open(log, "ab") as output:
        address = os.path.join(folder, "notify")
        notify.bind(address)
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, start_new_session=True,
            env={**os.environ, "NOTIFY_SOCKET": address})
        exited = os.pidfd_open(process.pid)
        while True:
            ready, _, _ = select.select([notify, exited], [], [])
            if notify in ready:
                if b"READY=1" in notify.recv(4096):
                    print(process.pid)
                    return 0
            else:
                sys.stderr.write(log.read_text(errors="replace"))
                return 1


if __name__ == "__main__":
    sys.exit(main())
