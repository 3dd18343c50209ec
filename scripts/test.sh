#!/usr/bin/env bash
# Builds everything and runs every suite; prints last `N passed, N failed` over all of them.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

dotnet msbuild Nearline.sln -restore -m -nologo -v:quiet -p:Configuration=Release || { echo "0 passed, 1 failed"; exit 1; }

results=artifacts/test-results
rm -rf "$results"
status=0
passed=0
failed=0
for project in $(find tests -name '*.Tests.csproj' | sort); do
  name=$(basename "$project" .csproj)
  # The suites under tests/compat are of the substitutes.
  if [[ "$project" == tests/compat/* ]] && ! grep -q "Include=\"${name%.Tests}" .nearline/packages.props; then
    echo "== $name: the real packages are here, nothing stands in for them"
    continue
  fi
  echo "== $name"
  dotnet test "$project" -c Release --no-build --nologo -v quiet \
    --logger "trx;LogFileName=$name.trx" --results-directory "$results" && ended=well || ended=badly
  counters=$(grep -o '<Counters [^>]*' "$results/$name.trx" 2>/dev/null | head -n 1)
  p=$(sed -n 's/.* passed="\([0-9]*\)".*/\1/p' <<<"$counters")
  f=$(sed -n 's/.* failed="\([0-9]*\)".*/\1/p' <<<"$counters")
  if [ -z "$p" ] || [ "$((p + f))" = 0 ]; then
    echo "== $name: no test ran" >&2
    f=1
  elif [ "$ended" = badly ] && [ "$f" = 0 ]; then
    # The tests that were not reached are in no count.
    echo "== $name: it ended before all its tests had run" >&2
    f=1
  fi
  passed=$((passed + ${p:-0}))
  failed=$((failed + f))
done

# The substitutes under compat/ must not offer what the real packages lack.
if [ -d ../shared/tools/ApiList ] && [ -d ../shared/api ]; then
  if bash scripts/check-api.sh; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
fi

# Again at the end, where a log's reader looks first.
if [ "$failed" != 0 ]; then
  status=1
  python3 scripts/failed_tests.py "$results"
fi
echo "$passed passed, $failed failed"
exit $status
