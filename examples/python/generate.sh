#!/usr/bin/env bash
# Makes the Python code of protos/: examples/python/generate.sh [DIRECTORY, default examples/python/generated]
# Needs protoc and its gRPC plugin: protobuf-compiler and protobuf-compiler-grpc of Debian; or, with pip's grpcio-tools,
# `python3 -m grpc_tools.protoc` in place of protoc without --plugin.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
out=${1:-examples/python/generated}
mkdir -p "$out"
protoc --proto_path=protos --python_out="$out" --grpc_python_out="$out" \
  --plugin=protoc-gen-grpc_python="$(command -v grpc_python_plugin)" \
  nearline/candidates/v1/candidates.proto nearline/catalog/v1/catalog.proto
