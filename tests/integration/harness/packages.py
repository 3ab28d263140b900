"""Payloads for tests, made on the spot: packages, archives, installers."""

import io
import os
import pathlib
import subprocess
import tarfile


def deb(folder, name, version, content="", depends="", size=0, scripts=None):
    """A Debian package with one program, /usr/bin/{name}. `scripts`: maintainer
    scripts, {"postinst": text}."""
    folder = pathlib.Path(folder)
    tree = folder / f"{name}_{version}"
    (tree / "DEBIAN").mkdir(parents=True)
    control = [f"Package: {name}", f"Version: {version}",
               "Architecture: all", "Section: misc", "Priority: optional",
               "Maintainer: Usher tests <tests@usher.invalid>",
               f"Description: test package {name}",
               " Made by the integration tests."]
    if depends:
        control.insert(4, f"Depends: {depends}")
    (tree / "DEBIAN/control").write_text("\n".join(control) + "\n")
    program = tree / "usr/bin" / name
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho '{content or name + ' ' + version}'\n")
    program.chmod(0o755)
    for kind, text in (scripts or {}).items():
        script(tree / "DEBIAN" / kind, text + "\n")
    if size:
        share = tree / "usr/share" / name
        share.mkdir(parents=True)
        (share / "noise").write_bytes(os.urandom(size))
    for path in (tree, tree / "usr", tree / "usr/bin", tree / "DEBIAN"):
        path.chmod(0o755)
    package = folder / f"{name}_{version}_all.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-b", str(tree),
                    str(package)], check=True, stdout=subprocess.DEVNULL)
    return package


def archive(path, files):
    """A .tar.gz with the given {member: bytes}; members are executable."""
    path = pathlib.Path(path)
    with tarfile.open(path, "w:gz") as tar:
        for member, data in files.items():
            info = tarfile.TarInfo(member)
            info.size = len(data)
            info.mode = 0o755
            tar.addfile(info, io.BytesIO(data))
    return path


def script(path, text):
    """An installer for the exec handler."""
    path = pathlib.Path(path)
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path
