#!/usr/bin/env python3
"""Malformed messages and frames, 100,000 of them (bench.py [COUNT]), against the api in a process of its own.

The fuzzer is the one of the api's tests (tests/Nearline.Api.Tests/Fuzz), which sends some thousand: wrong lengths,
unknown compressions, bombs, cut and flipped protobuf, giant and invalid texts; rapid resets, floods of CONTINUATION,
SETTINGS, PING and DATA, broken headers and frames; all the while some connections do not read their answers. It fails
when the process ends, when a code is not right, when memory grows, or when a good call is not answered.
"""
import json
import os
import subprocess
import sys
import tempfile

import harness

PROJECT = harness.ROOT / "tests/Nearline.Api.Tests/Nearline.Api.Tests.csproj"


def main(count="100000"):
    subprocess.run(
        ["dotnet", "msbuild", str(PROJECT), "-restore", "-m", "-nologo", "-v:quiet", "-p:Configuration=Release"],
        cwd=harness.ROOT, check=True)
    with tempfile.TemporaryDirectory() as directory:
        results = os.path.join(directory, "fuzz.json")
        subprocess.run(
            ["dotnet", "test", str(PROJECT), "-c", "Release", "--no-build", "--nologo", "-v", "quiet",
             "--filter", "FullyQualifiedName~FuzzTests"],
            cwd=harness.ROOT, check=True, stdout=sys.stderr,
            env={**os.environ, "NEARLINE_FUZZ_CASES": count, "NEARLINE_FUZZ_RESULTS": results})
        with open(results) as file:
            run = json.load(file)
    figure = lambda case, unit, value: {"bench": "fuzz", "case": case, "unit": unit, "ours": value}
    harness.write("fuzz", [
        figure(f"sent, of {run['kinds']} kinds, in {run['seconds']:g} s", "messages and frames", run["cases"]),
        figure("messages that ended by a wrong code", "messages", run["wrong_codes"]),
        figure("resident memory after a quarter of them", "MiB", run["rss_mb_before"]),
        figure("resident memory at the end", "MiB", run["rss_mb_after"]),
        {"ends": run["ends"], "by_kind": run["by_kind"]},
    ])


if __name__ == "__main__":
    main(*sys.argv[1:])
