"""Serves the probe service with grpcio. Arguments: file descriptors in base64, dependencies first.

Prints "PORT n" when it is ready and runs until its input ends.
"""
import base64
import sys
import threading
from concurrent import futures

import grpc
from google.protobuf import descriptor_pool, message_factory

pool = descriptor_pool.DescriptorPool()
for argument in sys.argv[1:]:
    pool.AddSerializedFile(base64.b64decode(argument))
factory = message_factory.MessageFactory(pool)
Request = factory.GetPrototype(pool.FindMessageTypeByName("nearline.grpc.tests.ProbeRequest"))
Reply = factory.GetPrototype(pool.FindMessageTypeByName("nearline.grpc.tests.ProbeReply"))

cancelled = threading.Semaphore(0)


def act(request, context):
    if request.act == "response-headers":
        context.send_initial_metadata((("probe-header", "early"), ("probe-bin", b"\0\x01\xfe\xff")))
    elif request.act == "trailers":
        context.set_trailing_metadata((("probe-trailer", "late"), ("probe-bin", b"\x03\x02\x01\0\xc8")))
    elif request.act == "rpc-exception":
        context.set_trailing_metadata((("grpc-status-details-bin", b"\x08\x05\x12\0"), ("probe-error", "yes")))
        context.abort(grpc.StatusCode.NOT_FOUND, "no such thing: 日本")
    elif request.act == "exception":
        raise ValueError("secret")
    elif request.act == "no-compress":
        context.disable_next_message_compression()
    elif request.act == "wait":
        ended = threading.Event()
        if context.add_callback(ended.set):
            ended.wait(20)
        cancelled.release()
    elif request.act == "await-cancelled":
        if not cancelled.acquire(timeout=10):
            context.abort(grpc.StatusCode.INTERNAL, "nothing was cancelled")


def reply(request, context):
    answer = Reply(text="re:" + request.text, count=request.count, payload=request.payload)
    if request.act == "headers":
        for key, value in context.invocation_metadata():
            answer.seen[key] = value.hex().upper() if isinstance(value, bytes) else value
        remaining = context.time_remaining()
        answer.seen["#deadline"] = "none" if remaining is None or remaining > 1e6 else str(remaining)
    if request.act == "big":
        answer.payload = bytes(request.count)
    return answer


def unary(request, context):
    act(request, context)
    return reply(request, context)


def server_stream(request, context):
    act(request, context)
    for i in range(request.count):
        yield Reply(text=request.text, count=i, payload=request.payload)
    if request.act == "fail-late":
        context.abort(grpc.StatusCode.ABORTED, "late")


def client_stream(requests, context):
    texts = []
    for request in requests:
        act(request, context)
        if request.act == "early":
            break
        texts.append(request.text)
    return Reply(text=",".join(texts), count=len(texts))


def duplex(requests, context):
    for request in requests:
        act(request, context)
        yield reply(request, context)


def handler(kind, function):
    return getattr(grpc, kind + "_rpc_method_handler")(
        function, request_deserializer=Request.FromString, response_serializer=Reply.SerializeToString)


server = grpc.server(
    futures.ThreadPoolExecutor(max_workers=64), compression=grpc.Compression.Gzip, options=[("grpc.max_receive_message_length", 4 << 20)])
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("nearline.grpc.tests.Probe", {
    "Unary": handler("unary_unary", unary),
    "ServerStream": handler("unary_stream", server_stream),
    "ClientStream": handler("stream_unary", client_stream),
    "Duplex": handler("stream_stream", duplex),
}),))
port = server.add_insecure_port("127.0.0.1:0")
server.start()
print("PORT %d" % port, flush=True)
sys.stdin.read()
server.stop(None)
