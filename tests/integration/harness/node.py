"""Node.js with the packages of an example, fetched once for a lock file."""

import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile


class NotPossible(Exception):
    """Node.js or its package registry is out of reach."""


def cache_folder():
    home = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(os.environ.get("USHER_CACHE") or
                        pathlib.Path(home) / "usher")


def modules(example):
    """A folder whose node_modules hold exactly what the lock file of `example`
    names. npm checks each package against the lock file's digests."""
    npm = shutil.which("npm")
    if npm is None:
        raise NotPossible("npm is not installed")
    lock = example / "package-lock.json"
    key = hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    folder = cache_folder() / "node" / key
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = pathlib.Path(tempfile.mkdtemp(dir=folder.parent, prefix=".new-"))
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(example / name, new)
    done = subprocess.run([npm, "ci", "--ignore-scripts"], cwd=new,
                          stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, check=False)
    if done.returncode != 0:
        shutil.rmtree(new)
        raise NotPossible(f"npm ci: {done.stderr.strip()[-300:]}")
    try:
        new.rename(folder)  # complete, or not there
    except OSError:
        shutil.rmtree(new)  # another run was faster
    return folder
