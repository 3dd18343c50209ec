#!/usr/bin/env bash
# Checks that no substitute under compat/ has a public member that the real package lacks.
#   scripts/check-api.sh [directory with tools/ApiList and api/*.txt; default ../shared]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
lists=${1:-../shared}

tool=.nearline/apilist
if [ ! -f "$tool/bin/apilist.dll" ]; then
  mkdir -p "$tool"
  cp -r "$lists/tools/ApiList/." "$tool/"
  chmod -R u+w "$tool"
  # A build of its own: none of this repository's settings apply to the tool.
  for f in Directory.Build.props Directory.Build.targets Directory.Packages.props; do echo '<Project />' > "$tool/$f"; done
  dotnet build "$tool/ApiList.csproj" -c Release -o "$tool/bin" -v quiet -nologo -clp:NoSummary
fi

status=0
for id in $(sed -n 's/.*MissingPackage Include="\([^"]*\)".*/\1/p' .nearline/packages.props); do
  dll=artifacts/bin/$id/release/$id.dll
  case "$id" in
    TorchSharp-*|Grpc.AspNetCore) continue ;;   # meta packages: no code
    Grpc.AspNetCore.Server) real=$(ls "$lists"/api/Grpc.AspNetCore.Server-*.txt) ;;
    TorchSharp) real=$lists/api/TorchSharp-0.106.0.txt ;;
    # What a type inherits from another package of its family counts as its own.
    Grpc.Net.Client) real=$(ls "$lists"/api/Grpc.Net.Client-[0-9]*.txt "$lists"/api/Grpc.Core.Api-*.txt) ;;
    *) real=$(ls "$lists"/api/"$id"-[0-9]*.txt) ;;
  esac
  [ -f "$dll" ] || continue
  echo "api: $id"
  # shellcheck disable=SC2086
  dotnet "$tool/bin/apilist.dll" check "$dll" $real --quiet || status=1
done
exit $status
