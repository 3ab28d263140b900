"""Lists what is applicable and not installed, and the last history entries.

  python3 list_updates.py [CRITERIA]

Everyone may run it. The stubs come from the .proto files:

  protoc -I proto --python_out=stubs --grpc_out=stubs \\
    --plugin=protoc-gen-grpc=/usr/bin/grpc_python_plugin proto/usher/v1/*.proto

(Debian packages protobuf-compiler, protobuf-compiler-grpc, python3-grpcio and
python3-protobuf), and are found with PYTHONPATH=stubs.
"""

import os
import sys

import grpc
from usher.v1 import (history_pb2, history_pb2_grpc, searcher_pb2,
                      searcher_pb2_grpc, session_pb2, session_pb2_grpc)

ADDRESS = os.environ.get("USHER_ADDRESS", "/run/usher/usher.sock")


def main(criteria):
    channel = grpc.insecure_channel(f"unix:{ADDRESS}")
    sessions = session_pb2_grpc.SessionServiceStub(channel)
    searchers = searcher_pb2_grpc.SearcherServiceStub(channel)
    history = history_pb2_grpc.HistoryServiceStub(channel)

    session = sessions.OpenSession(session_pb2.OpenSessionRequest(
        client_application_id="python-example")).session
    searcher = searchers.CreateSearcher(searcher_pb2.CreateSearcherRequest(
        parent=session.name))
    for response in searchers.Search(searcher_pb2.SearchRequest(
            searcher=searcher.name, criteria=criteria)):
        for update in response.chunk.updates:
            print(f"{update.identity.update_id}  {update.title}")
        if response.HasField("summary"):
            print(f"{response.summary.update_count} updates")
    for response in history.QueryHistory(history_pb2.QueryHistoryRequest(
            start_index=0, count=10)):
        for entry in response.entries:
            print(f"history: {entry.title} 0x{entry.hresult:08X}")


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "IsInstalled=0")
    except grpc.RpcError as failure:
        # The trailer grpc-status-details-bin has the HRESULT (docs/api.md).
        sys.exit(f"list_updates: {failure.details()}")
