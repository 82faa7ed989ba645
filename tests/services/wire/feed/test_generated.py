"""The generated messages are what the .proto files say, and these say what the broker's own say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from google.protobuf.descriptor import FieldDescriptor, FileDescriptor

from services.wire.feed import feed_v3_outline_pb2, feed_v3_pb2
from tests.support.feed_frames import sdk_messages
from tests.support.shared_data import ROOT

FOLDER = Path("services/wire/feed")
NAMES = ("feed_v3", "feed_v3_outline")


def shape(field: FieldDescriptor) -> tuple[object, ...]:
    """All that two sides must agree on."""
    kind = field.message_type or field.enum_type
    union = field.containing_oneof
    return field.name, field.number, field.type, field.is_repeated, kind and kind.name, union and union.name


def schema(file: FileDescriptor) -> dict[str, object]:
    messages: dict[str, object] = {}
    for message in file.message_types_by_name.values():
        for one in (message, *message.nested_types):
            messages[f"{message.name}/{one.name}"] = [shape(field) for field in one.fields]
    enums = {
        enum.name: [(value.name, value.number) for value in enum.values] for enum in file.enum_types_by_name.values()
    }
    return messages | enums


def test_generating_the_messages_again_gives_the_same_files(tmp_path: Path) -> None:
    pytest.importorskip("grpc_tools", reason="the generator is a dependency of the checks only")
    protos = [str(FOLDER / f"{name}.proto") for name in NAMES]
    generator = [sys.executable, "-m", "grpc_tools.protoc", "-I."]

    command = [*generator, f"--python_out={tmp_path}", f"--pyi_out={tmp_path}", *protos]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr
    for name in NAMES:
        for ending in ("py", "pyi"):
            made = FOLDER / f"{name}_pb2.{ending}"
            assert (tmp_path / made).read_text() == (ROOT / made).read_text(), (
                f"{made} is not what its .proto says: make it anew as that file tells"
            )


def test_the_schema_is_the_official_one() -> None:
    assert schema(feed_v3_pb2.DESCRIPTOR) == schema(sdk_messages().DESCRIPTOR)


def test_the_outline_is_the_schema_with_details_left_as_bytes() -> None:
    whole = feed_v3_pb2.DESCRIPTOR.message_types_by_name
    as_bytes = set()

    for name, message in feed_v3_outline_pb2.DESCRIPTOR.message_types_by_name.items():
        fields = {field.number: field for field in whole[name].fields}
        assert fields.keys() == {field.number for field in message.fields}, name
        for field in message.fields:
            true = fields[field.number]
            if field.type == FieldDescriptor.TYPE_BYTES and true.type == FieldDescriptor.TYPE_MESSAGE:
                assert field.has_presence
                as_bytes.add(field.name)
                assert not true.is_repeated
            elif true.type == FieldDescriptor.TYPE_ENUM:
                assert field.type == FieldDescriptor.TYPE_INT32
            else:
                assert shape(field) == shape(true)

    assert as_bytes == {"marketLevel", "optionGreeks", "marketOHLC", "firstDepth", "marketInfo"}


def test_our_messages_and_the_official_ones_live_in_one_process() -> None:
    official: ModuleType = sdk_messages()

    ours = feed_v3_pb2.FeedResponse(currentTs=5)

    assert official.FeedResponse.FromString(ours.SerializeToString()).currentTs == 5
    assert official.DESCRIPTOR.pool is feed_v3_pb2.DESCRIPTOR.pool
    assert official.DESCRIPTOR.package != feed_v3_pb2.DESCRIPTOR.package
