"""Python stubs of usher.v1, generated from the build's own .proto files."""

import importlib
import pathlib
import subprocess
import sys

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
EXTRA = pathlib.Path(__file__).resolve().parent / "protos"

MESSAGES = ["types", "update", "session", "job", "searcher", "downloader",
            "installer", "update_state", "history", "update_service", "system"]


class Stubs:
    """Modules by short name: stubs.session, stubs.session_grpc, …"""

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        own = sorted((REPOSITORY / "proto/usher/v1").glob("*.proto"))
        extra = sorted(EXTRA.rglob("*.proto"))
        subprocess.run(
            ["protoc", f"--proto_path={REPOSITORY / 'proto'}",
             f"--proto_path={EXTRA}", f"--python_out={folder}",
             f"--grpc_out={folder}",
             "--plugin=protoc-gen-grpc=/usr/bin/grpc_python_plugin",
             *map(str, own), *map(str, extra)], check=True)
        sys.path.insert(0, str(folder))
        # The installed google and grpc packages would hide our folders of the
        # same names; both are joined here.
        for package, inner in (("google", "google"), ("grpc", "grpc")):
            module = importlib.import_module(package)
            path = str(folder / inner)
            if path not in module.__path__:
                module.__path__.append(path)
        for name in MESSAGES:
            setattr(self, name, importlib.import_module(f"usher.v1.{name}_pb2"))
            grpc_name = f"usher.v1.{name}_pb2_grpc"
            setattr(self, f"{name}_grpc", importlib.import_module(grpc_name))
        self.status = importlib.import_module("google.rpc.status_pb2")
        self.health = importlib.import_module("grpc.health.v1.health_pb2")
        self.health_grpc = importlib.import_module(
            "grpc.health.v1.health_pb2_grpc")
        self.reflection = importlib.import_module(
            "grpc.reflection.v1alpha.reflection_pb2")
        self.reflection_grpc = importlib.import_module(
            "grpc.reflection.v1alpha.reflection_pb2_grpc")
