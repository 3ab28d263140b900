"""Checks that everything in the protos is documented.

usage: api_docs.py [PROTO_ROOT]      (proto)

Every message, field, enumeration, value, service and call below PROTO_ROOT
needs a comment of its own directly above it; so says the contract's promise
that each message and field tells its unit, range and default. Only the value 0
that a *_UNSPECIFIED name explains needs none. Names what has no comment, with
file and line. Exit code 1 if there is anything.
"""

import pathlib
import subprocess
import sys
import tempfile

from google.protobuf import descriptor_pb2

# Field numbers of descriptor.proto: what a path in SourceCodeInfo is made of.
FILE_MESSAGE, FILE_ENUM, FILE_SERVICE = 4, 5, 6
MESSAGE_FIELD, MESSAGE_NESTED, MESSAGE_ENUM = 2, 3, 4
ENUM_VALUE, SERVICE_METHOD = 2, 2


def describe(root):
    """The FileDescriptorSet of the protos below `root`, with comments."""
    files = sorted(str(p.relative_to(root)) for p in root.rglob("*.proto"))
    if not files:
        sys.exit(f"api_docs: no protos below {root}")
    with tempfile.NamedTemporaryFile(suffix=".pb") as out:
        subprocess.run(
            ["protoc", f"--proto_path={root}", "--include_source_info",
             f"--descriptor_set_out={out.name}", *files], check=True)
        return descriptor_pb2.FileDescriptorSet.FromString(out.read())


def elements_of_enum(enum, path, name):
    yield path, name
    for i, value in enumerate(enum.value):
        if value.number or not value.name.endswith("_UNSPECIFIED"):
            yield path + (ENUM_VALUE, i), f"{name}.{value.name}"


def elements_of_message(message, path, name):
    if message.options.map_entry:  # protoc's own, for a map field
        return
    yield path, name
    for i, field in enumerate(message.field):
        yield path + (MESSAGE_FIELD, i), f"{name}.{field.name}"
    for i, nested in enumerate(message.nested_type):
        yield from elements_of_message(nested, path + (MESSAGE_NESTED, i),
                                       f"{name}.{nested.name}")
    for i, enum in enumerate(message.enum_type):
        yield from elements_of_enum(enum, path + (MESSAGE_ENUM, i),
                                    f"{name}.{enum.name}")


def elements_of(file):
    """(path in SourceCodeInfo, full name) of all that needs a comment."""
    for i, message in enumerate(file.message_type):
        yield from elements_of_message(message, (FILE_MESSAGE, i),
                                       f"{file.package}.{message.name}")
    for i, enum in enumerate(file.enum_type):
        yield from elements_of_enum(enum, (FILE_ENUM, i),
                                    f"{file.package}.{enum.name}")
    for i, service in enumerate(file.service):
        name = f"{file.package}.{service.name}"
        yield (FILE_SERVICE, i), name
        for j, method in enumerate(service.method):
            yield ((FILE_SERVICE, i, SERVICE_METHOD, j),
                   f"{name}.{method.name}")


def undocumented(file):
    """(line, full name) of what has no comment."""
    told = {tuple(place.path): place
            for place in file.source_code_info.location}
    for path, name in elements_of(file):
        place = told[path]
        if not place.leading_comments.strip():
            yield place.span[0] + 1, name


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "proto")
    count = 0
    for file in describe(root).file:
        for line, name in undocumented(file):
            print(f"{root / file.name}:{line}: {name} has no comment")
            count += 1
    if count:
        print(f"{count} undocumented; say what each is, with unit, range and "
              "default where it has them")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
