#!/usr/bin/env bash
# Installs what Nearline needs and finds out which NuGet packages this registry serves.
#   scripts/setup.sh [real|compat|auto]      (make setup PACKAGES=...)
# auto   : probe each package; swap in compat/ and older versions only where the current one does not restore
# real   : use the real packages, whatever the probe would say
# compat : use everything under compat/
# The answer is kept in .nearline/ and asked again when the versions or the mode change.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mode=${1:-auto}
case "$mode" in
  real|compat|auto) ;;
  *) echo "setup: PACKAGES=$mode is not one of real, compat, auto" >&2; exit 2 ;;
esac

state=.nearline
mkdir -p "$state/feed"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

need_dotnet() {
  if ! command -v dotnet >/dev/null || ! dotnet --list-sdks | grep -q '^10\.'; then
    echo "setup: the .NET 10 SDK is needed (https://dot.net); 'dotnet --list-sdks' shows none" >&2
    exit 1
  fi
}

# restores ID VERSION [ID VERSION ...]: do these packages restore together?
restores() {
  local dir; dir=$(mktemp -d "$state/probe.XXXXXX")
  {
    echo '<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><TargetFramework>net10.0</TargetFramework>'
    # As strict as the build: a dependency that is only there in another version than asked for does not restore.
    echo '<TreatWarningsAsErrors>true</TreatWarningsAsErrors>'
    echo '<ManagePackageVersionsCentrally>false</ManagePackageVersionsCentrally><NuGetAudit>false</NuGetAudit>'
    echo '<ImportDirectoryBuildProps>false</ImportDirectoryBuildProps><ImportDirectoryBuildTargets>false</ImportDirectoryBuildTargets>'
    echo '<ImportDirectoryPackagesProps>false</ImportDirectoryPackagesProps>'
    echo '</PropertyGroup><ItemGroup>'
    while [ $# -gt 0 ]; do echo "<PackageReference Include=\"$1\" Version=\"[$2]\" />"; shift 2; done
    echo '</ItemGroup></Project>'
  } > "$dir/probe.csproj"
  # These files stop the search for Directory.Build.* and Directory.Packages.props above.
  for f in Directory.Build.props Directory.Build.targets Directory.Packages.props; do echo '<Project />' > "$dir/$f"; done
  local ok=0
  dotnet restore "$dir/probe.csproj" >"$dir/log" 2>&1 || ok=1
  rm -rf "$dir"
  return $ok
}

version_of() { sed -n "s/.*PackageVersion Include=\"$1\" Version=\"\([^\"]*\)\".*/\1/p" Directory.Packages.props | head -n 1; }

# Packages that share types stand or fall together: half a family from the registry and half from compat/
# would give two assemblies of one name.
torch_family="TorchSharp TorchSharp-cpu TorchSharp-cuda-linux"
grpc_family="Grpc.Core.Api Grpc.Net.Common Grpc.Net.Client Grpc.AspNetCore Grpc.AspNetCore.Server Grpc.AspNetCore.Server.Reflection Grpc.AspNetCore.HealthChecks Grpc.HealthCheck Grpc.Reflection"
otel_family="OpenTelemetry.Extensions.Hosting OpenTelemetry.Exporter.Prometheus.AspNetCore"

family_restores() {
  local args=()
  for id in $1; do
    [ "$id" = TorchSharp-cuda-linux ] && continue   # gigabytes: restored only where TorchBackend asks for it
    args+=("$id" "$(version_of "$id")")
  done
  restores "${args[@]}"
}

probe() {
  local missing=() versions=() family
  for family in "$torch_family" "$grpc_family" "$otel_family"; do
    if [ "$mode" = compat ] || { [ "$mode" = auto ] && ! family_restores "$family"; }; then
      # shellcheck disable=SC2206
      missing+=($family)
    fi
  done

  local kafka_local=no
  if [ "$mode" = compat ] || { [ "$mode" = auto ] && ! restores Confluent.Kafka "$(version_of Confluent.Kafka)"; }; then
    versions+=("Confluent.Kafka 1.9.3"); kafka_local=yes
  fi
  if [ "$mode" = compat ] || { [ "$mode" = auto ] && ! restores Google.Protobuf "$(version_of Google.Protobuf)"; }; then
    versions+=("Google.Protobuf 3.25.1")
  fi
  if [ "$mode" = compat ] || { [ "$mode" = auto ] && ! restores StackExchange.Redis "$(version_of StackExchange.Redis)"; }; then
    versions+=("StackExchange.Redis 1.2.6")
  fi

  {
    echo '<Project>'
    echo "  <!-- Written by scripts/setup.sh ($mode): packages that compat/ stands in for. -->"
    if [ "$kafka_local" = yes ]; then
      # Confluent.Kafka 1.9.3 depends on librdkafka.redist; the native library is the distribution's own.
      echo '  <PropertyGroup><RestoreAdditionalProjectSources>$(MSBuildThisFileDirectory)feed</RestoreAdditionalProjectSources></PropertyGroup>'
    fi
    echo '  <ItemGroup>'
    for id in "${missing[@]}"; do echo "    <MissingPackage Include=\"$id\" />"; done
    echo '  </ItemGroup>'
    echo '</Project>'
  } > "$state/packages.props.new"
  {
    echo '<Project>'
    echo "  <!-- Written by scripts/setup.sh ($mode): versions that restore here. -->"
    echo '  <ItemGroup>'
    for v in "${versions[@]}"; do echo "    <PackageVersion Update=\"${v% *}\" Version=\"${v#* }\" />"; done
    echo '  </ItemGroup>'
    echo '</Project>'
  } > "$state/versions.props.new"
  if [ "$kafka_local" = yes ] && ! ls "$state"/feed/librdkafka.redist.1.9.2.nupkg >/dev/null 2>&1; then
    dotnet pack compat/librdkafka.redist/librdkafka.redist.csproj -o "$state/feed" >"$state/pack.log" 2>&1 ||
      { cat "$state/pack.log" >&2; exit 1; }
  fi
  mv "$state/packages.props.new" "$state/packages.props"
  mv "$state/versions.props.new" "$state/versions.props"
}

has_package() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }

# Debian packages: servers and tools that demo, tests and compat/ use.
debian_packages() {
  local want="redis-server kcat prometheus python3-grpcio python3-protobuf protobuf-compiler protobuf-compiler-grpc" missing=()
  grep -q 'Include="TorchSharp"' "$state/packages.props" && want="$want libtorch-dev libopenblas0-openmp python3-torch g++"
  grep -q 'Confluent.Kafka' "$state/versions.props" && want="$want librdkafka-dev"
  command -v npm >/dev/null || want="$want nodejs npm"
  for p in $want; do has_package "$p" || missing+=("$p"); done
  [ ${#missing[@]} -eq 0 ] && return
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "setup: installing ${missing[*]}"
    # policy-rc.d: the packages' services must not start by themselves.
    local policy=/usr/sbin/policy-rc.d made=no
    [ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' > "$policy"; chmod +x "$policy"; made=yes; }
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; } \
      >"$state/apt.log" 2>&1 || { tail -n 20 "$state/apt.log" >&2; [ "$made" = yes ] && rm -f "$policy"; exit 1; }
    [ "$made" = yes ] && rm -f "$policy"
  else
    echo "setup: these Debian packages are needed; install them and run again:" >&2
    echo "    sudo apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
}

# What the example client in Node needs, which the api's tests run.
node_packages() {
  local lock=examples/node/package-lock.json done=examples/node/node_modules/.nearline
  [ "$(cat "$done" 2>/dev/null)" = "$(sha256sum < "$lock")" ] && return
  echo "setup: installing the packages of examples/node"
  (cd examples/node && npm ci --ignore-scripts --no-audit --no-fund) >"$state/npm.log" 2>&1 || { tail -n 20 "$state/npm.log" >&2; exit 1; }
  sha256sum < "$lock" > "$done"
}

need_dotnet
key="$mode $(cat Directory.Packages.props scripts/setup.sh | sha256sum | cut -d' ' -f1)"
if [ ! -f "$state/packages.props" ] || [ "$(cat "$state/key" 2>/dev/null)" != "$key" ]; then
  echo "setup: probing packages ($mode)"
  probe
  echo "$key" > "$state/key"
fi
debian_packages
node_packages
swapped=$(grep -c MissingPackage "$state/packages.props" || true)
echo "setup: ready, packages=$mode, $swapped from compat/"
