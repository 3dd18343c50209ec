"""Calls the probe services with grpcio. Prints one JSON line a case: {"case": ..., "error": null or text}.

Messages come from the server's own descriptors, fetched by reflection.
"""
import json
import sys
import threading
import time
import traceback

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

target = sys.argv[1]
channel = grpc.insecure_channel(target, options=[("grpc.max_receive_message_length", 64 << 20)])
PROBE = "/nearline.grpc.tests.Probe/"
raw = lambda b: b


def fields(data):
    """The fields of a message: (number, value) with lengths as bytes and varints as int."""
    i, out = 0, []

    def varint():
        nonlocal i
        value = shift = 0
        while True:
            b = data[i]
            i += 1
            value |= (b & 127) << shift
            shift += 7
            if b < 128:
                return value

    while i < len(data):
        tag = varint()
        if tag & 7 == 0:
            out.append((tag >> 3, varint()))
        elif tag & 7 == 2:
            n = varint()
            out.append((tag >> 3, data[i:i + n]))
            i += n
        else:
            raise ValueError("wire type %d" % (tag & 7))
    return out


def field(number, text):
    text = text.encode()
    assert len(text) < 128
    return bytes([number << 3 | 2, len(text)]) + text


def reflect(requests, version="v1alpha"):
    call = channel.stream_stream(
        "/grpc.reflection.%s.ServerReflection/ServerReflectionInfo" % version, request_serializer=raw, response_deserializer=raw)
    return [dict(fields(r)) for r in call(iter(requests))]


def load():
    pool = descriptor_pool.DescriptorPool()
    answer = reflect([field(4, "nearline.grpc.tests.Probe")])[0]
    files = {}
    for _, data in fields(answer[4]):
        proto = descriptor_pb2.FileDescriptorProto.FromString(data)
        files[proto.name] = proto

    def add(proto):
        for name in proto.dependency:
            if name in files:
                add(files.pop(name))
        pool.Add(proto)

    while files:
        add(files.pop(next(iter(files))))
    factory = message_factory.MessageFactory(pool)
    get = lambda name: factory.GetPrototype(pool.FindMessageTypeByName("nearline.grpc.tests." + name))
    return get("ProbeRequest"), get("ProbeReply")


Request, Reply = load()


def method(kind, name):
    return getattr(channel, kind)(PROBE + name, request_serializer=Request.SerializeToString, response_deserializer=Reply.FromString)


unary = method("unary_unary", "Unary")
server_stream = method("unary_stream", "ServerStream")
client_stream = method("stream_unary", "ClientStream")
duplex = method("stream_stream", "Duplex")


def fails(call, code):
    try:
        call()
    except grpc.RpcError as e:
        assert e.code() == code, (e.code(), e.details())
        return e
    raise AssertionError("no error")


def case_unary():
    reply = unary(Request(text="hé", count=-3, payload=b"\0\1"))
    assert (reply.text, reply.count, reply.payload) == ("re:hé", -3, b"\0\1"), reply


def case_server_stream():
    assert [r.count for r in server_stream(Request(count=200))] == list(range(200))


def case_client_stream():
    reply = client_stream(Request(text=str(i)) for i in range(200))
    assert reply.count == 200 and reply.text == ",".join(map(str, range(200)))


def case_empty_client_stream():
    assert client_stream(iter(())).count == 0


def case_duplex():
    assert [r.text for r in duplex(Request(text=str(i)) for i in range(200))] == ["re:%d" % i for i in range(200)]


def case_duplex_back_and_forth():
    turn = threading.Semaphore(1)

    def requests():
        for i in range(20):
            turn.acquire()
            yield Request(text=str(i))

    seen = []
    for reply in duplex(requests()):
        seen.append(reply.text)
        turn.release()
    assert seen == ["re:%d" % i for i in range(20)], seen


def case_request_metadata():
    reply = unary(Request(act="headers"), metadata=(("probe", "a value"), ("probe-bin", b"\0\xff\x10")))
    assert reply.seen["probe"] == "a value"
    assert reply.seen["probe-bin"] == "00FF10"
    assert reply.seen["user-agent"].startswith("grpc-python/")


def case_response_metadata():
    call = duplex(iter([Request(act="response-headers"), Request(act="trailers")]))
    headers = dict(call.initial_metadata())
    assert headers["probe-header"] == "early" and headers["probe-bin"] == b"\0\x01\xfe\xff", headers
    assert len(list(call)) == 2
    trailers = dict(call.trailing_metadata())
    assert trailers["probe-trailer"] == "late" and trailers["probe-bin"] == b"\x03\x02\x01\0\xc8", trailers
    assert call.code() == grpc.StatusCode.OK


def case_error_with_details():
    e = fails(lambda: unary(Request(act="rpc-exception")), grpc.StatusCode.NOT_FOUND)
    assert e.details() == "no such thing: 日本", e.details()
    trailers = dict(e.trailing_metadata())
    assert trailers["grpc-status-details-bin"] == b"\x08\x05\x12\0" and trailers["probe-error"] == "yes", trailers


def case_status_text():
    e = fails(lambda: unary(Request(act="status")), grpc.StatusCode.FAILED_PRECONDITION)
    assert e.details() == "100% falsch: ü\n", repr(e.details())


def case_exception():
    e = fails(lambda: unary(Request(act="exception")), grpc.StatusCode.UNKNOWN)
    assert e.details() == "Exception was thrown by handler."


def case_error_after_messages():
    seen = []

    def read():
        for r in server_stream(Request(act="fail-late", count=3)):
            seen.append(r.count)

    fails(read, grpc.StatusCode.ABORTED)
    assert seen == [0, 1, 2]


def case_early_answer():
    released = threading.Event()

    def requests():
        yield Request(text="a")
        yield Request(act="early")
        released.wait(5)

    reply = client_stream(requests())
    released.set()
    assert reply.text == "a"


def case_unimplemented():
    call = channel.unary_unary(PROBE + "Nothing", request_serializer=raw, response_deserializer=raw)
    fails(lambda: call(b""), grpc.StatusCode.UNIMPLEMENTED)
    call = channel.unary_unary("/no.Service/Nothing", request_serializer=raw, response_deserializer=raw)
    fails(lambda: call(b""), grpc.StatusCode.UNIMPLEMENTED)


def case_deadline():
    start = time.monotonic()
    fails(lambda: unary(Request(act="wait"), timeout=0.2), grpc.StatusCode.DEADLINE_EXCEEDED)
    assert time.monotonic() - start < 5


def case_stream_deadline():
    fails(lambda: list(server_stream(Request(act="endless"), timeout=0.2)), grpc.StatusCode.DEADLINE_EXCEEDED)


def case_cancellation():
    call = server_stream(Request(text="cancelled by the client", act="endless"))
    next(call)
    call.cancel()
    assert call.code() == grpc.StatusCode.CANCELLED


def case_gzip_request():
    reply = unary(Request(act="headers", payload=b"\0" * 50000), compression=grpc.Compression.Gzip)
    assert reply.seen["#raw-encoding"] == "gzip", dict(reply.seen)
    assert reply.payload == b"\0" * 50000


def case_deflate_request():
    reply = unary(Request(act="headers", payload=b"\0" * 50000), compression=grpc.Compression.Deflate)
    assert reply.seen["#raw-encoding"] == "deflate" and len(reply.payload) == 50000


def case_gzip_streams():
    replies = list(duplex((Request(payload=bytes([i]) * 20000) for i in range(10)), compression=grpc.Compression.Gzip))
    assert [r.payload for r in replies] == [bytes([i]) * 20000 for i in range(10)]


def case_uncompressed_response():
    assert unary(Request(act="no-compress", payload=b"\0" * 50000)).payload == b"\0" * 50000


def case_big_message():
    payload = bytes(range(256)) * (3 << 12)
    assert unary(Request(payload=payload)).payload == payload


def case_too_big():
    fails(lambda: unary(Request(payload=bytes(5 << 20))), grpc.StatusCode.RESOURCE_EXHAUSTED)
    assert unary(Request(text="still there")).text == "re:still there"


def case_many_at_once():
    calls = [(i, unary.future(Request(text=str(i)))) for i in range(1000)]
    for i, call in calls:
        assert call.result().text == "re:%d" % i


def health(name):
    check = channel.unary_unary("/grpc.health.v1.Health/Check", request_serializer=raw, response_deserializer=raw)
    return dict(fields(check(field(1, name))))


def case_health_check():
    assert health("")[1] == 1
    assert health("redis")[1] == 2
    fails(lambda: health("who"), grpc.StatusCode.NOT_FOUND)


def case_health_watch():
    watch = channel.unary_stream("/grpc.health.v1.Health/Watch", request_serializer=raw, response_deserializer=raw)
    call = watch(field(1, "who"))
    assert dict(fields(next(call)))[1] == 3
    call.cancel()


def case_reflection():
    for version in ("v1alpha", "v1"):
        answer = reflect([b"\x3a\0"], version)[0]
        names = [dict(fields(s))[1].decode() for _, s in fields(answer[6])]
        assert "nearline.grpc.tests.Probe" in names and "grpc.health.v1.Health" in names, names
    both = reflect([field(4, "no.Symbol"), field(3, "no.proto"), field(6, "nearline.grpc.tests.ProbeRequest")])
    assert [dict(fields(a[7]))[1] for a in both] == [5, 5, 12], both


for name, run in list(globals().items()):
    if name.startswith("case_"):
        error = None
        try:
            run()
        except BaseException:
            error = traceback.format_exc()
        print(json.dumps({"case": name[5:], "error": error}), flush=True)
