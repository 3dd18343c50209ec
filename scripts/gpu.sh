#!/usr/bin/env bash
# Prints, one a line, the msbuild properties that build for this machine's GPU: the CUDA package of TorchSharp where it
# restores, else the substitute over the libtorch of the Python package torch (TORCH: its folder; default: python3's own).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! grep -qs 'Include="TorchSharp"' .nearline/packages.props; then
  echo -p:TorchBackend=cuda-linux
  exit 0
fi

torch=${TORCH:-$("${PYTHON:-python3}" -c 'import torch; print(torch.__path__[0])' 2>/dev/null || true)}
if [ ! -f "$torch/lib/libtorch_cuda.so" ]; then
  echo "gpu: TorchSharp-cuda-linux does not restore here, and there is no libtorch with CUDA to stand in: install torch for ${PYTHON:-python3}, or set TORCH to its folder" >&2
  exit 1
fi
echo "-p:TorchInclude=$torch/include"
echo "-p:TorchLib=$torch/lib"
