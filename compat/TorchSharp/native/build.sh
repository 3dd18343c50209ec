#!/usr/bin/env bash
# Compiles shim.cpp: build.sh INCLUDE LIB OUTPUT. INCLUDE has libtorch's headers (torch/, ATen/, c10/), LIB its libraries;
# empty: the linker's own places. Where LIB has libtorch's CUDA half, that is linked too: it registers itself when loaded.
set -euo pipefail
include=$1 lib=$2 output=$3

link=() cuda=()
if [ -n "$lib" ]; then
  # The CUDA libraries that libtorch needs may lie where its Python package expects them.
  link=(-L"$lib" -Wl,-rpath,"$lib")
  for beside in "$lib"/../../nvidia/*/lib; do
    [ -d "$beside" ] && link+=(-Wl,-rpath,"$(cd "$beside" && pwd)" -Wl,-rpath-link,"$beside")
  done
  [ -f "$lib/libtorch_cuda.so" ] && cuda=(-Wl,--no-as-needed -ltorch_cuda -lc10_cuda)
fi

g++ -std=c++20 -O3 -fno-math-errno -fPIC -shared -fvisibility=hidden \
  -I"$include" -I"$include/torch/csrc/api/include" "$(dirname "${BASH_SOURCE[0]}")/shim.cpp" -o "$output.new" \
  "${link[@]}" -ltorch -ltorch_cpu -lc10 "${cuda[@]}"
mv "$output.new" "$output"
