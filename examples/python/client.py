#!/usr/bin/env python3
"""Asks Nearline for a user's candidates, or watches them.

    examples/python/generate.sh
    python3 examples/python/client.py [options] ADDRESS USER SCENARIO [LIMIT]

The key, if the api wants one, is in NEARLINE_API_KEY. Prints a line of JSON a set. Needs python3-grpcio and
python3-protobuf.
"""
import argparse
import json
import os
import pathlib
import sys

import grpc
from google.protobuf import json_format

GENERATED = os.environ.get("NEARLINE_GENERATED", str(pathlib.Path(__file__).parent / "generated"))
sys.path.insert(0, GENERATED)
from nearline.candidates.v1 import candidates_pb2, candidates_pb2_grpc  # noqa: E402

DEADLINE = 0.1  # seconds, retries included; twice what the api waits for Redis before it answers from memory

# After UNAVAILABLE a call is sent again, three times in all, and not at all while too many calls fail.
SERVICE_CONFIG = {
    "methodConfig": [{
        "name": [{"service": "nearline.candidates.v1.CandidateService"}],
        "retryPolicy": {
            "maxAttempts": 3, "initialBackoff": "0.005s", "maxBackoff": "0.05s", "backoffMultiplier": 2,
            "retryableStatusCodes": ["UNAVAILABLE"],
        },
    }],
    "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1},
}


class Nearline:
    """One for the whole process: its calls share a connection, and it may be used by many threads."""

    def __init__(self, address, ca=None, certificate=None, certificate_key=None, api_key=None):
        options = [("grpc.service_config", json.dumps(SERVICE_CONFIG)), ("grpc.keepalive_time_ms", 30_000)]
        if ca:
            credentials = grpc.ssl_channel_credentials(_read(ca), _read(certificate_key), _read(certificate))
            self._channel = grpc.secure_channel(address, credentials, options)
        else:
            self._channel = grpc.insecure_channel(address, options)
        self._metadata = [("authorization", f"Bearer {api_key}")] if api_key else []
        self._service = candidates_pb2_grpc.CandidateServiceStub(self._channel)

    def get_candidates(self, user, scenario, limit=0, timeout=DEADLINE):
        """The response, and whether Redis was away: then shows that the user has watched may be in it."""
        request = candidates_pb2.GetCandidatesRequest(user_id=user, scenario=scenario, limit=limit)
        response, call = self._service.GetCandidates.with_call(request, timeout=timeout, metadata=self._metadata)
        return response, any(key == "nl-degraded" for key, _ in call.trailing_metadata() or ())

    def watch_candidates(self, user, scenario, limit=0):
        """The set now, and again each time it is renewed; `cancel()` of what is returned ends it."""
        request = candidates_pb2.GetCandidatesRequest(user_id=user, scenario=scenario, limit=limit)
        return self._service.WatchCandidates(
            candidates_pb2.WatchCandidatesRequest(request=request), metadata=self._metadata)

    def close(self):
        self._channel.close()


def _read(path):
    return pathlib.Path(path).read_bytes() if path else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("address")
    parser.add_argument("user")
    parser.add_argument("scenario")
    parser.add_argument("limit", nargs="?", type=int, default=0)
    parser.add_argument("--watch", type=int, metavar="COUNT", help="print the set now and each time it is renewed, COUNT times")
    parser.add_argument("--ca", help="TLS; PEM, the authority of the api's certificate")
    parser.add_argument("--cert", help="PEM, for mutual TLS")
    parser.add_argument("--client-key", help="PEM, the certificate's key")
    asked = parser.parse_args()
    nearline = Nearline(asked.address, asked.ca, asked.cert, asked.client_key, os.environ.get("NEARLINE_API_KEY"))
    try:
        if asked.watch:
            stream = nearline.watch_candidates(asked.user, asked.scenario, asked.limit)
            for _ in range(asked.watch):
                print(_json(next(stream).response), flush=True)
            stream.cancel()
        else:
            # The first call of a process makes the connection too: it may take longer than the calls to come.
            response, degraded = nearline.get_candidates(asked.user, asked.scenario, asked.limit, timeout=5)
            print(_json(response, degraded=degraded))
    except grpc.RpcError as error:
        return f"{error.code().name}: {error.details()}"
    finally:
        nearline.close()
    return 0


def _json(response, **more):
    return json.dumps({**json_format.MessageToDict(response, preserving_proto_field_name=True), **more})


if __name__ == "__main__":
    sys.exit(main())
