"""Scan packages, made with nothing of Usher's: what any tar writes is taken."""

import io
import pathlib
import tarfile

KINDS = {"timestamp": "metadata/timestamp.json",
         "root": "metadata/*.root.json",
         "snapshot": "metadata/*.snapshot.json",
         "targets": "metadata/*.targets.json",
         "catalog": "targets/catalog/*",
         "payload": "targets/payloads/*/*"}


def members(published):
    """The files of a published repository in a package's order."""
    published = pathlib.Path(published)
    found = []
    for folder in ("metadata", "targets/catalog", "targets/payloads"):
        found += sorted(path.relative_to(published).as_posix()
                        for path in (published / folder).rglob("*")
                        if path.is_file())
    return found


def pack(published, path, leave_out=(), change=None, compression=""):
    """Packs `published` into `path`. `leave_out`: kinds of files; `change`:
    {kind: bytes -> bytes} for the newest file of that kind."""
    published = pathlib.Path(published)
    gone = {name for kind in leave_out
            for name in matching(published, KINDS[kind])}
    changed = {matching(published, KINDS[kind])[-1]: function
               for kind, function in (change or {}).items()}
    with tarfile.open(path, "w" + (f":{compression}" if compression else ""),
                      format=tarfile.PAX_FORMAT) as tar:
        for name in members(published):
            if name in gone:
                continue
            data = (published / name).read_bytes()
            data = changed.get(name, lambda same: same)(data)
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def matching(published, pattern):
    """Oldest first."""
    return [path.relative_to(published).as_posix()
            for path in sorted(pathlib.Path(published).glob(pattern),
                               key=lambda path: path.stat().st_mtime_ns)]
