#!/usr/bin/env bash
# Runs one benchmark by name, or all: bench/run.sh [NAME [options of it]]. Each lives in bench/NAME/bench.py, measures
# ours, against a peer in turns where there is one, prints a line of JSON a figure at the end, and writes bench/results/NAME.json.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# All but the one that needs a GPU.
all=$(cd bench && ls -d */bench.py | xargs -n 1 dirname | grep -vx gpu)
names=${1:-$all}
shift || true

# Peers need Debian's packages, which another python on the PATH does not see.
python=python3
[ -x /usr/bin/python3 ] && python=/usr/bin/python3
properties=()
if [ "$names" = gpu ]; then
  mapfile -t properties < <(bash scripts/gpu.sh)
  [ ${#properties[@]} -gt 0 ] || exit 1
  python=${PYTHON:-python3}
fi
dotnet msbuild bench/Nearline.Bench/Nearline.Bench.csproj -restore -m -nologo -v:quiet -p:Configuration=Release "${properties[@]}"
for name in $names; do
  if [ ! -f "bench/$name/bench.py" ]; then
    echo "bench: '$name' is none; there are" $all >&2
    exit 1
  fi
  PYTHONPATH=bench "$python" "bench/$name/bench.py" "$@"
done
