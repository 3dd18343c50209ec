#!/usr/bin/env python3
"""Asks Nearline for a user's candidates, knowing nothing but the address: the schema comes by server reflection.

    python3 examples/get_candidates.py 127.0.0.1:5001 USER [SCENARIO] [LIMIT]

Prints the response as JSON. Without a scenario it asks for every scenario there is. Needs python3-grpcio and
python3-protobuf. A service would rather generate a client from protos/.
"""
import json
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

SERVICE = "nearline.candidates.v1.CandidateService"
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"


def reflection_messages():
    """The two messages of the reflection protocol, as far as they are needed here."""
    file = descriptor_pb2.FileDescriptorProto(name="reflection.proto", package="r", syntax="proto3")
    field = descriptor_pb2.FieldDescriptorProto

    def message(name, *fields):
        declared = file.message_type.add(name=name)
        for number, field_name, kind, label, type_name in fields:
            declared.field.add(number=number, name=field_name, type=kind, label=label, type_name=type_name)

    one, many = field.LABEL_OPTIONAL, field.LABEL_REPEATED
    message("Request", (4, "file_containing_symbol", field.TYPE_STRING, one, None))
    message("Files", (1, "file_descriptor_proto", field.TYPE_BYTES, many, None))
    message("Response", (4, "files", field.TYPE_MESSAGE, one, ".r.Files"))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return [message_class(pool.FindMessageTypeByName(f"r.{name}")) for name in ("Request", "Response")]


def message_class(descriptor):
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory().GetPrototype(descriptor)


def schema(channel):
    """Fetches the service's files, with all that they import, into a pool."""
    request, response = reflection_messages()
    call = channel.stream_stream(REFLECTION, request.SerializeToString, response.FromString)
    answers = call(iter([request(file_containing_symbol=SERVICE)]), timeout=5)
    files = {}
    for data in next(answers).files.file_descriptor_proto:
        file = descriptor_pb2.FileDescriptorProto.FromString(data)
        files[file.name] = file
    pool = descriptor_pool.DescriptorPool()
    added = set()

    def add(name):
        if name in added:
            return
        added.add(name)
        for dependency in files[name].dependency:
            add(dependency)
        pool.Add(files[name])

    for name in files:
        add(name)
    return pool


def main(address, user, scenario=None, limit="10"):
    with grpc.insecure_channel(address) as channel:
        service = schema(channel).FindServiceByName(SERVICE)

        def call(method, **fields):
            described = service.FindMethodByName(method)
            invoke = channel.unary_unary(
                f"/{SERVICE}/{method}",
                request_serializer=lambda m: m.SerializeToString(),
                response_deserializer=message_class(described.output_type).FromString)
            return invoke(message_class(described.input_type)(**fields), timeout=5)

        scenarios = [scenario] if scenario else call("ListScenarios").scenarios
        for name in scenarios:
            answer = call("GetCandidates", user_id=user, scenario=name, limit=int(limit))
            print(json.dumps({"scenario": name, **json_format.MessageToDict(answer)}))


if __name__ == "__main__":
    if not 3 <= len(sys.argv) <= 5:
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except grpc.RpcError as error:
        sys.exit(f"{error.code().name}: {error.details()}")
