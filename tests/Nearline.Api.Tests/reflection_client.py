#!/usr/bin/env python3
"""Calls the service knowing nothing but its address: every schema comes by server reflection.

    reflection_client.py ADDRESS USER SCENARIO

Prints one JSON object: the services that reflection lists, the health of two of them, and the user's candidates.
"""
import json
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
CANDIDATES = "nearline.candidates.v1.CandidateService"
HEALTH = "grpc.health.v1.Health"


def message_class(descriptor):
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory().GetPrototype(descriptor)


def reflection_protocol():
    """The request and response of the reflection protocol, as far as they are needed here."""
    field = descriptor_pb2.FieldDescriptorProto
    text, data, message = field.TYPE_STRING, field.TYPE_BYTES, field.TYPE_MESSAGE
    one, many = field.LABEL_OPTIONAL, field.LABEL_REPEATED
    shapes = {
        "Request": [(3, "file_by_filename", text, one, None), (4, "file_containing_symbol", text, one, None),
                    (7, "list_services", text, one, None)],
        "Files": [(1, "file_descriptor_proto", data, many, None)],
        "Service": [(1, "name", text, one, None)],
        "Services": [(1, "service", message, many, ".r.Service")],
        "Error": [(1, "error_code", field.TYPE_INT32, one, None), (2, "error_message", text, one, None)],
        "Response": [(4, "files", message, one, ".r.Files"), (6, "services", message, one, ".r.Services"),
                     (7, "error", message, one, ".r.Error")],
    }
    file = descriptor_pb2.FileDescriptorProto(name="reflection.proto", package="r", syntax="proto2")
    for name, fields in shapes.items():
        declared = file.message_type.add(name=name)
        for number, field_name, kind, label, type_name in fields:
            declared.field.add(number=number, name=field_name, type=kind, label=label, type_name=type_name)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return [message_class(pool.FindMessageTypeByName(f"r.{name}")) for name in ("Request", "Response")]


class Reflection:
    def __init__(self, channel):
        self.request, response = reflection_protocol()
        self.call = channel.stream_stream(
            REFLECTION, self.request.SerializeToString, response.FromString)
        self.files = {}
        self.pool = descriptor_pool.DescriptorPool()

    def ask(self, **fields):
        answer = next(self.call(iter([self.request(**fields)]), timeout=10))
        if answer.HasField("error"):
            raise RuntimeError(f"{fields}: {answer.error.error_message}")
        return answer

    def services(self):
        return sorted(service.name for service in self.ask(list_services="*").services.service)

    def service(self, name):
        self.learn(self.ask(file_containing_symbol=name))
        return self.pool.FindServiceByName(name)

    def learn(self, answer):
        fresh = []
        for data in answer.files.file_descriptor_proto:
            file = descriptor_pb2.FileDescriptorProto.FromString(data)
            if file.name not in self.files:
                self.files[file.name] = file
                fresh.append(file)
        for file in fresh:
            self.add(file)

    def add(self, file):
        for name in file.dependency:
            if name not in self.files:
                self.learn(self.ask(file_by_filename=name))
            self.add(self.files[name])
        self.pool.Add(file)


def invoke(channel, api, method, **fields):
    described = api.FindMethodByName(method)
    call = channel.unary_unary(
        f"/{api.full_name}/{method}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=message_class(described.output_type).FromString)
    answer = call(message_class(described.input_type)(**fields), timeout=10)
    return json_format.MessageToDict(answer)


def main(address, user, scenario):
    with grpc.insecure_channel(address) as channel:
        reflection = Reflection(channel)
        candidates, health = reflection.service(CANDIDATES), reflection.service(HEALTH)
        print(json.dumps({
            "services": reflection.services(),
            "health": {name: invoke(channel, health, "Check", service=name)["status"] for name in ("", CANDIDATES)},
            "answer": invoke(channel, candidates, "GetCandidates", user_id=user, scenario=scenario, limit=3),
        }))


if __name__ == "__main__":
    main(*sys.argv[1:])
