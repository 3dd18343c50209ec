"""The api beside a plain C++ gRPC server and bare Redis: requests/s, latency, allocation, overload, and Redis killed under load.

All processes share this machine. The peer (peer/server.cpp, on Debian's gRPC and hiredis) reads one key that holds the
finished response and sends it as it is; the api reads the user's set and watched shows, leaves out the watched ones and
turns columns into rows. The load generator (load.cpp) asks for random users' sets and compares every answer with what
is right, byte by byte but for the age; one that is wrong ends the benchmark. Closed loops tell requests/s. Latency is
measured in an open loop, from when a call was due, at rates that both sides can take.
"""
import argparse
import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request

from harness import OURS, ROOT, Side, median_and_spread, write

HERE = pathlib.Path(__file__).parent
API = ROOT / "artifacts/bin/Nearline.Api/release/Nearline.Api.dll"
BUILD = ROOT / "artifacts/bench-api"
PACKAGES = ["g++", "libgrpc++-dev", "libprotobuf-dev", "protobuf-compiler-grpc", "libhiredis-dev", "libnghttp2-dev", "nghttp2-client"]
TICK = os.sysconf("SC_CLK_TCK")


def arguments():
    parser = argparse.ArgumentParser(prog="bench/run.sh api", description=__doc__)
    parser.add_argument("--parts", nargs="+", default=["throughput", "latency", "allocation", "overload", "trouble"])
    parser.add_argument("--users", type=int, default=5000)
    parser.add_argument("--items", type=int, default=300)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--in-flight", type=int, default=64, help="calls of the closed loop")
    parser.add_argument("--rates", type=int, nargs="+", default=[5000, 15000], help="calls/s of the open loop")
    parser.add_argument("--seconds", type=float, default=5, help="of a measurement")
    parser.add_argument("--warm", type=float, default=15, help="seconds of load before anything is measured")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer-threads", type=int, default=2)
    parser.add_argument("--cache", nargs="+", default=["off", "on"], help="with and without the api's cache of sets")
    parser.add_argument("--set", nargs="*", default=[], help="settings of the api, such as Api:RedisTimeout=00:00:00.100")
    return parser.parse_args()


def install():
    status = subprocess.run(["dpkg-query", "-W", "-f=${Package} ${Status}\n", *PACKAGES], capture_output=True, text=True).stdout
    missing = [p for p in PACKAGES if f"{p} install ok installed" not in status]
    if missing:
        print("api: installing", *missing, flush=True)
        if subprocess.run(["apt-get", "install", "-y", "--no-install-recommends", *missing], capture_output=True).returncode:
            raise SystemExit(f"api: these Debian packages are needed: {' '.join(missing)}")


def compile_all():
    """The peer and the load generator, unless they are newer than what they are made from."""
    protos = [ROOT / "protos/nearline" / p for p in ("candidates/v1/candidates.proto", "catalog/v1/catalog.proto")]
    sources = [HERE / "load.cpp", HERE / "peer/server.cpp", *protos]
    made = [BUILD / "load", BUILD / "peer"]
    if all(m.exists() and m.stat().st_mtime > max(s.stat().st_mtime for s in sources) for m in made):
        return
    print("api: compiling the peer and the load generator", flush=True)
    BUILD.mkdir(parents=True, exist_ok=True)
    run = lambda *command: subprocess.run([str(c) for c in command], check=True, cwd=BUILD)
    run("protoc", f"-I{ROOT / 'protos'}", "--cpp_out=.", "--grpc_out=.", f"--plugin=protoc-gen-grpc={shutil.which('grpc_cpp_plugin')}", *protos)
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "grpc++", "protobuf", "hiredis"], check=True, capture_output=True, text=True).stdout.split()
    run("g++", "-O3", "-march=native", "-std=c++17", "-w", "-pthread", "-I.", "-o", "peer", HERE / "peer/server.cpp", *sorted(BUILD.glob("nearline/**/*.cc")), *flags)
    run("g++", "-O3", "-march=native", "-std=c++17", "-o", "load", HERE / "load.cpp", "-lnghttp2")


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Process:
    """A server that the benchmark ends."""

    def __init__(self, command, log, **more):
        self.log = open(log, "w+")
        self.process = subprocess.Popen([str(c) for c in command], stdout=self.log, stderr=subprocess.STDOUT, **more)

    @property
    def pid(self):
        return self.process.pid

    def wait_for(self, text, seconds=60):
        for _ in range(int(seconds * 50)):
            if text in pathlib.Path(self.log.name).read_text():
                return pathlib.Path(self.log.name).read_text()
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise SystemExit(f"{self.process.args[0]}: did not start\n{pathlib.Path(self.log.name).read_text()}")

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()


class Redis:
    def __init__(self, directory):
        self.directory, self.port = directory, free_port()
        self.start()

    def start(self):
        self.server = Process(["redis-server", "--port", self.port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                               "--dir", self.directory], self.directory / "redis.log")
        return self

    def command(self, *words):
        return subprocess.run(["redis-cli", "-p", str(self.port), *words], check=True, capture_output=True, text=True).stdout.strip()

    def answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def wait(self):
        while not self.answers():
            time.sleep(0.001)


class Api:
    def __init__(self, redis, directory, settings):
        self.server = Process(["dotnet", API, "--Api:GrpcPort=0", "--Api:HttpPort=0", f"--Redis:ConnectionString=127.0.0.1:{redis.port}",
                               *(f"--{s}" for s in settings)], directory / "api.log", cwd=directory)
        line = next(l for l in self.server.wait_for("Nearline.Api listening").splitlines() if "Nearline.Api listening" in l)
        addresses = dict(word.split("=http://") for word in line.split() if "=http://" in word)
        self.port, self.http = int(addresses["grpc"].split(":")[1]), addresses["http"]
        self.pid = self.server.pid
        while self.status("/healthz/ready") != 200:
            time.sleep(0.05)

    def status(self, path):
        try:
            return urllib.request.urlopen(f"http://{self.http}{path}").status
        except OSError as e:
            return getattr(e, "code", 0)

    def metric(self, name, label=""):
        text = urllib.request.urlopen(f"http://{self.http}/metrics").read().decode()
        return sum(float(line.split("}")[-1].split()[0]) if "}" in line else float(line.split()[1]) for line in text.splitlines()
                   if line.split("{")[0].split(" ")[0] == name and label in line)


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


class Sides:
    """The servers, each with a load generator, and what they use."""

    def __init__(self, options, directory):
        self.options, self.directory = options, directory
        self.redis = Redis(directory)
        self.redis.wait()
        filled = subprocess.run(["dotnet", OURS, "api", "--redis", f"127.0.0.1:{self.redis.port}", "--out", directory, "--users", str(options.users),
                                 "--items", str(options.items)], check=True, capture_output=True, text=True).stdout
        self.about = json.loads(filled.splitlines()[-1])
        print(f"{options.users} users; a set has {self.about['set_bytes']} bytes, a response {self.about['response_bytes']}", flush=True)
        self.peer = Process([BUILD / "peer", "127.0.0.1", self.redis.port, options.peer_threads], directory / "peer.log")
        greeting = json.loads(self.peer.wait_for("port").splitlines()[0])
        print(f"peer: gRPC {greeting['grpc']} for C++, {options.peer_threads} threads", flush=True)
        self.servers = {"peer": (self.peer.pid, greeting["port"])}
        self.apis = {}
        for cache in options.cache:
            settings = [*options.set, *(["Api:CacheTtl=00:00:00"] if cache == "off" else [])]
            self.apis[cache] = Api(self.redis, directory, settings)
            self.servers[cache] = (self.apis[cache].pid, self.apis[cache].port)
        self.loads = {name: Side([BUILD / "load", port, directory, options.connections], {}) for name, (_, port) in self.servers.items()}
        for name in self.servers:
            print(f"warming up {self.title(name)}", flush=True)
            self.ask(name, "closed", options.in_flight, options.warm if name != "peer" else 3)

    @staticmethod
    def title(name):
        return {"peer": "the peer", "off": "ours, every call reads Redis", "on": "ours, with its cache"}[name]

    def ask(self, name, command, amount, seconds, allowed=()):
        pids = {"server": self.servers[name][0], "redis": self.redis.server.pid, "load": self.loads[name].process.pid}
        before = {n: cpu_seconds(pid) for n, pid in pids.items()}
        answer = self.loads[name].ask(f"{command} {amount} {seconds}")
        answered = sum(answer[o] for o in ("good", "degraded", "shed", "unavailable", "deadline", "other", "wrong", "lost"))
        answer["cpu_us"] = {n: 1e6 * (cpu_seconds(pid) - before[n]) / max(1, answered) for n, pid in pids.items() if pathlib.Path(f"/proc/{pid}").exists()}
        bad = {o: answer[o] for o in ("degraded", "shed", "unavailable", "deadline", "other", "wrong", "lost") if answer[o] and o not in allowed}
        if bad:
            print(f"{self.title(name)}: not as it should be: {bad}", flush=True)
        if answer["wrong"] or answer["lost"] or answer["other"]:
            raise SystemExit(f"api: {answer['wrong']} wrong answers, {answer['other']} of other status, {answer['lost']} lost")
        return answer

    def close(self):
        for load in self.loads.values():
            load.close()
        for api in self.apis.values():
            api.server.close()
        self.peer.close()
        self.redis.server.close()


def redis_benchmark(redis, options):
    """GETs/s of one finished response by Redis's own closed loop, without any server in between."""
    user = "peer:u-000001:home"
    text = subprocess.run(["redis-benchmark", "-p", str(redis.port), "-c", str(options.in_flight), "-n", "200000", "--csv", "GET", user],
                          check=True, capture_output=True, text=True).stdout
    row = [v.strip('"') for v in text.splitlines()[-1].split(",")]
    return {"rate": float(row[1]), "p50": float(row[4]), "p99": float(row[6])}


def h2load(port, directory, options, seconds):
    """Requests/s by another closed loop, one user's request again and again."""
    frame = directory / "request.bin"
    raw = (directory / "requests.bin").read_bytes()
    frame.write_bytes(raw[4:4 + int.from_bytes(raw[:4], "little")])
    text = subprocess.run(["h2load", "-c", str(options.connections), "-m", str(options.in_flight // options.connections), "-D", str(int(seconds)), "-d", frame,
                           "-H", "content-type: application/grpc", "-H", "te: trailers",
                           f"http://127.0.0.1:{port}/nearline.candidates.v1.CandidateService/GetCandidates"], check=True, capture_output=True, text=True).stdout
    line = next(l for l in text.splitlines() if l.startswith("finished in"))
    return float(line.split(",")[1].split()[0])


def throughput(sides, options, case):
    rounds = {name: [] for name in sides.servers}
    for number in range(options.rounds):
        for name in sides.servers:
            answer = sides.ask(name, "closed", options.in_flight, options.seconds)
            rounds[name].append(answer)
            print(f"round {number + 1}, {sides.title(name)}: {answer['good'] / answer['seconds']:.0f} requests/s, p50 {answer['good_ms']['p50']:.2f} ms, "
                  f"p99 {answer['good_ms']['p99']:.2f}, CPU us a request: " + ", ".join(f"{n} {us:.1f}" for n, us in answer["cpu_us"].items()), flush=True)
    rates = {name: median_and_spread([a["good"] / a["seconds"] for a in all_]) for name, all_ in rounds.items()}
    cpu = {name: {n: round(statistics.median(a["cpu_us"][n] for a in all_), 1) for n in all_[0]["cpu_us"]} for name, all_ in rounds.items()}
    bare = redis_benchmark(sides.redis, options)
    print(f"redis-benchmark GET: {bare['rate']:.0f}/s, p50 {bare['p50']} ms, p99 {bare['p99']}", flush=True)
    others = {name: h2load(port, sides.directory, options, options.seconds) for name, (_, port) in sides.servers.items()}
    print("h2load: " + ", ".join(f"{sides.title(n)} {r:.0f}/s" for n, r in others.items()), flush=True)
    for name in options.cache:
        what = f"{case}, {options.in_flight} in flight, {sides.title(name)}"
        yield {"bench": "api", "case": what, "peer": "C++ gRPC server", "unit": "requests/s", "ours": round(rates[name][0]), "peer_value": round(rates["peer"][0]),
               "ratio": round(rates[name][0] / rates["peer"][0], 2), "spread": [round(rates[n][1], 2) for n in (name, "peer")],
               "cpu_us": cpu[name], "peer_cpu_us": cpu["peer"]}
        yield {"bench": "api", "case": what + ", by h2load", "peer": "C++ gRPC server", "unit": "requests/s", "ours": round(others[name]),
               "peer_value": round(others["peer"]), "ratio": round(others[name] / others["peer"], 2)}
        yield {"bench": "api", "case": what, "peer": "redis-benchmark GET of the response", "unit": "requests/s", "ours": round(rates[name][0]),
               "peer_value": round(bare["rate"]), "ratio": round(rates[name][0] / bare["rate"], 2)}


def latency(sides, options, case):
    for rate in options.rates:
        rounds = {name: [] for name in sides.servers}
        for number in range(options.rounds):
            for name in sides.servers:
                answer = sides.ask(name, "open", rate, options.seconds)
                rounds[name].append(answer["good_ms"])
                print(f"{rate}/s, round {number + 1}, {sides.title(name)}: " + ", ".join(f"{n} {answer['good_ms'][n]:.3f}" for n in ("p50", "p99", "p999", "max"))
                      + f" ms; generator at most {answer['late_ms']:.1f} ms late", flush=True)
        middle = {name: {at: statistics.median(r[at] for r in all_) for at in ("p50", "p90", "p99", "p999")} for name, all_ in rounds.items()}
        for name in options.cache:
            for at in ("p50", "p99", "p999"):
                yield {"bench": "api", "case": f"{case}, {rate:,} requests/s, {at}, {sides.title(name)}", "peer": "C++ gRPC server", "unit": "ms",
                       "ours": round(middle[name][at], 3), "peer_value": round(middle["peer"][at], 3),
                       "ratio": round(middle["peer"][at] / middle[name][at], 2), "rounds": options.rounds}


def allocation(sides, options, case):
    for name in options.cache:
        api = sides.apis[name]
        bytes_before, calls_before = api.metric("dotnet_gc_heap_total_allocated_bytes_total"), api.metric("rpc_server_call_duration_seconds_count")
        sides.ask(name, "open", options.rates[-1], options.seconds)
        time.sleep(1)
        allocated = api.metric("dotnet_gc_heap_total_allocated_bytes_total") - bytes_before
        calls = api.metric("rpc_server_call_duration_seconds_count") - calls_before
        print(f"{sides.title(name)}: {allocated / calls:.0f} bytes allocated a request", flush=True)
        yield {"bench": "api", "case": f"{case}, {options.rates[-1]:,} requests/s, allocated a request, {sides.title(name)}", "unit": "bytes",
               "ours": round(allocated / calls), "response_bytes": sides.about["response_bytes"], "set_bytes": sides.about["set_bytes"], "requests": round(calls)}


def overload(sides, options, case):
    name = options.cache[0]
    peaks = [sides.ask(name, "closed", n, options.seconds)["good"] / options.seconds for n in (options.in_flight, 2 * options.in_flight, options.in_flight)]
    peak = max(peaks)
    answers = [sides.ask(name, "open", round(3 * peak), options.seconds, ("shed", "degraded")) for _ in range(options.rounds)]
    for answer in answers:
        answer["goodput"] = answer["good"] / answer["seconds"]
        print(f"{3 * peak:.0f}/s: {answer['goodput']:.0f}/s of {peak:.0f} served, p99 {answer['good_ms']['p99']:.1f} ms; {answer['shed']} shed"
              + (f", p50 {answer['shed_ms']['p50']:.2f} ms, p99 {answer['shed_ms']['p99']:.2f}, max {answer['shed_ms']['max']:.1f}" if answer["shed"] else "")
              + f"; generator at most {answer['late_ms']:.1f} ms late; CPU us a request: " + ", ".join(f"{n} {us:.1f}" for n, us in answer["cpu_us"].items()), flush=True)
    answer = sorted(answers, key=lambda a: a["goodput"])[len(answers) // 2]
    yield {"bench": "api", "case": f"{case}, {3 * peak:,.0f} requests/s, 3 times the peak: goodput, {sides.title(name)}", "peer": "peak", "unit": "requests/s",
           "ours": round(answer["goodput"]), "peer_value": round(peak), "ratio": round(answer["goodput"] / peak, 2)}
    if answer["shed"]:
        yield {"bench": "api", "case": f"{case}, {3 * peak:,.0f} requests/s, 3 times the peak: until a call is refused", "unit": "ms",
               **{at: round(answer["shed_ms"][at], 2) for at in ("p50", "p90", "p99", "max")}, "shed": answer["shed"]}


def trouble(sides, options, case):
    """Redis killed and started again under load, its data restored from a snapshot."""
    name, rate = options.cache[0], options.rates[0]
    load, redis = sides.loads[name], sides.redis
    redis.command("SAVE")
    load.process.stdin.write(f"timeline {rate} 12\n")
    load.process.stdin.flush()
    time.sleep(3)
    redis.server.process.kill()
    redis.server.process.wait()
    killed = time.monotonic() * 1000
    time.sleep(3)
    redis.start()
    redis.wait()
    returned = time.monotonic() * 1000
    answer = load._answer()
    names = ["good", "degraded", "shed", "unavailable", "deadline", "other", "wrong", "lost"]
    at = lambda i: answer["begin"] + i * answer["bucket"]
    first_good = next(at(i) for i, counts in enumerate(answer["timeline"]) if at(i) >= returned and counts[0])
    all_good = max((at(i + 1) for i, counts in enumerate(answer["timeline"]) if sum(counts[1:])), default=returned)
    print(f"Redis away for {returned - killed:.0f} ms: " + ", ".join(f"{n} {answer[n]}" for n in names)
          + f"; first good answer {first_good - returned:.0f} ms after it answers again, all good after {all_good - returned:.0f} ms", flush=True)
    if answer["wrong"] or answer["other"] or answer["lost"]:
        raise SystemExit("api: wrong answers while Redis was away")
    yield {"bench": "api", "case": f"{case}, {rate:,} requests/s, Redis away for {(returned - killed) / 1000:.1f} s: until the first good answer after it is back",
           "unit": "ms", "ours": round(first_good - returned), "all_good_after": round(all_good - returned), **{n: answer[n] for n in names},
           "good_p99": round(answer["good_ms"]["p99"], 1), "degraded_p99": round(answer.get("degraded_ms", {"p99": 0})["p99"], 1)}


def earlier(part):
    """What the file of results has of a part that is not measured this time."""
    results = ROOT / "bench/results/api.json"
    return [line for line in json.loads(results.read_text())["lines"] if line.get("part") == part] if results.exists() else []


def main():
    options = arguments()
    install()
    compile_all()
    case = f"{options.items} candidates"
    with tempfile.TemporaryDirectory(prefix="nearline-bench-api-") as directory:
        sides = Sides(options, pathlib.Path(directory))
        try:
            lines = []
            for part in (throughput, latency, allocation, overload, trouble):
                lines += [{**line, "part": part.__name__} for line in part(sides, options, case)] if part.__name__ in options.parts else earlier(part.__name__)
        finally:
            sides.close()
    write("api", lines, response_bytes=sides.about["response_bytes"], set_bytes=sides.about["set_bytes"])


main()
