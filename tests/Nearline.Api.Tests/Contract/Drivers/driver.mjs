// Makes calls by grpc-js: a line of JSON in is a call, lines out are its messages and its end.
//
//     node driver.mjs PACKAGES ADDRESS [TLS]     PACKAGES: a package.json beside which grpc-js is installed
//
// The lines are those of driver.py.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [packages, address, tls] = process.argv.slice(2);
const grpc = createRequire(packages)("@grpc/grpc-js");

const tell = (line) => console.log(JSON.stringify(line));
const same = (bytes) => bytes;
const read = (file) => (file ? readFileSync(file) : null);

function credentials() {
  if (!tls) {
    return grpc.credentials.createInsecure();
  }
  const files = JSON.parse(tls);
  return grpc.credentials.createSsl(read(files.ca), read(files.key), read(files.cert));
}

const plain = new grpc.Client(address, credentials());
const gzipped = new grpc.Client(address, credentials(), { "grpc.default_compression_algorithm": grpc.compressionAlgorithms.gzip });

function run(asked) {
  const client = asked.gzip ? gzipped : plain;
  const start = performance.now();
  const metadata = new grpc.Metadata();
  for (const [key, value] of Object.entries(asked.metadata ?? {})) {
    metadata.set(key, value);
  }
  const options = asked.timeout_ms ? { deadline: Date.now() + asked.timeout_ms } : {};
  const request = Buffer.from(asked.request, "base64");
  const message = (bytes) => tell({ id: asked.id, message: bytes.toString("base64") });
  const end = (status) => {
    const trailers = {};
    for (const [key, value] of Object.entries(status.metadata?.getMap() ?? {})) {
      if (typeof value === "string") {
        trailers[key] = value;
      }
    }
    tell({ id: asked.id, code: status.code, details: status.details, trailers, elapsed_ms: performance.now() - start });
  };
  const path = `/${asked.method}`;
  if (!asked.stream) {
    const call = client.makeUnaryRequest(path, same, same, request, metadata, options, (error, response) => {
      if (!error) {
        message(response);
      }
    });
    call.on("status", end);
    return;
  }

  let count = 0;
  const call = client.makeServerStreamRequest(path, same, same, request, metadata, options);
  call.on("data", (bytes) => {
    message(bytes);
    if (++count === asked.take) {
      call.cancel();
    }
  });
  call.on("error", () => {});
  call.on("status", end);
}

createInterface({ input: process.stdin })
  .on("line", (line) => run(JSON.parse(line)))
  .on("close", () => process.exit(0));
