#!/usr/bin/env python3
"""Makes calls by gRPC's C core: a line of JSON in is a call, lines out are its messages and its end.

    driver.py ADDRESS [TLS]        TLS: JSON with the paths ca, cert and key

in:  {"id", "method", "request", "stream", "timeout_ms", "metadata", "gzip", "take"}; messages are base64, untouched
out: {"id", "message"} each, then {"id", "code", "details", "trailers", "elapsed_ms"}
"""
import base64
import json
import sys
import threading
import time

import grpc

lock = threading.Lock()


def tell(**line):
    with lock:
        print(json.dumps(line), flush=True)


def run(channel, asked):
    request = base64.b64decode(asked["request"])
    options = {
        "timeout": asked["timeout_ms"] / 1000 if asked.get("timeout_ms") else None,
        "metadata": list((asked.get("metadata") or {}).items()),
        "compression": grpc.Compression.Gzip if asked.get("gzip") else None,
    }
    start = time.monotonic()
    make = channel.unary_stream if asked.get("stream") else channel.unary_unary
    method = make("/" + asked["method"])
    if asked.get("stream"):
        call = method(request, **options)
        messages = call
    else:
        call = method.future(request, **options)
        messages = (future.result() for future in [call])
    try:
        for number, message in enumerate(messages, 1):
            tell(id=asked["id"], message=base64.b64encode(message).decode())
            if number == asked.get("take"):
                call.cancel()
    except (grpc.RpcError, grpc.FutureCancelledError):
        pass
    tell(
        id=asked["id"], code=call.code().value[0], details=call.details() or "",
        trailers={key: value for key, value in call.trailing_metadata() or () if isinstance(value, str)},
        elapsed_ms=(time.monotonic() - start) * 1000)


def main(address, tls=None):
    if tls:
        files = {name: open(path, "rb").read() for name, path in json.loads(tls).items() if path}
        credentials = grpc.ssl_channel_credentials(files["ca"], files.get("key"), files.get("cert"))
        channel = grpc.secure_channel(address, credentials)
    else:
        channel = grpc.insecure_channel(address)
    for line in sys.stdin:
        threading.Thread(target=run, args=(channel, json.loads(line)), daemon=True).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
