"""A throw-away copy of this machine: its root file system under an overlay, so
that packages can be installed and removed for real and nothing is left."""

import pathlib
import subprocess
import tempfile

MOUNTS = """
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mkdir "$1/changes" "$1/scratch" "$1/root"
mount -t overlay overlay \
  -o "lowerdir=/,upperdir=$1/changes,workdir=$1/scratch" "$1/root"
mount -t proc proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
mount -t tmpfs tmpfs "$1/root/run"
echo mounted
exec sleep infinity
"""


class NotPossible(Exception):
    """This machine does not let us mount an overlay."""


class Machine:
    def __init__(self):
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix="usher-machine-"))
        self.root = self._folder / "root"
        # Mounts live in a namespace that ends with this process. It is the
        # parent of a process namespace, so nothing outlives it either.
        self._holder = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh",
             "-c", MOUNTS, "sh", str(self._folder)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if self._holder.stdout.readline() != "mounted\n":
            reason = self._holder.communicate()[1].strip()
            self._folder.rmdir()
            raise NotPossible(reason)
        children = pathlib.Path(f"/proc/{self._holder.pid}/task/"
                                f"{self._holder.pid}/children")
        self._inside = int(children.read_text().split()[0])

    def _words(self, *words):
        return ["nsenter", "--target", str(self._inside), "--mount", "--pid",
                "chroot", str(self.root), "/usr/bin/env", "-i",
                "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
                "HOME=/root", *map(str, words)]

    def take(self, file, inside):
        """Copies a file of ours to a path in the machine."""
        with open(file, "rb") as source:
            subprocess.run(self._words("tee", inside), stdin=source,
                           stdout=subprocess.DEVNULL, check=True)

    def run(self, *words):
        """Runs a command to its end; the result with its output as text."""
        return subprocess.run(self._words(*words), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)

    def start(self, *words):
        """Starts a command whose standard error is a pipe of lines."""
        return subprocess.Popen(self._words(*words), stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, text=True)

    def close(self):
        self._holder.kill()
        self._holder.communicate()
        self._folder.rmdir()
