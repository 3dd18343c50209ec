#!/usr/bin/env node
// Asks Nearline for a user's candidates, or watches them.
//
//     node examples/node/client.js [options] ADDRESS USER SCENARIO [LIMIT]
//
//     --watch COUNT   print the set now and each time it is renewed, COUNT times
//     --ca FILE       TLS; PEM, the authority of the api's certificate
//     --cert FILE, --client-key FILE   PEM, for mutual TLS
//
// The key, if the api wants one, is in NEARLINE_API_KEY. Prints a line of JSON a set.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import grpc from "@grpc/grpc-js";
import protoLoader from "@grpc/proto-loader";

const protos = fileURLToPath(new URL("../../protos", import.meta.url));
const deadlineMs = 100; // retries included; twice what the api waits for Redis before it answers from memory

// After UNAVAILABLE a call is sent again, three times in all, and not at all while too many calls fail.
const serviceConfig = {
  methodConfig: [{
    name: [{ service: "nearline.candidates.v1.CandidateService" }],
    retryPolicy: {
      maxAttempts: 3, initialBackoff: "0.005s", maxBackoff: "0.05s", backoffMultiplier: 2,
      retryableStatusCodes: ["UNAVAILABLE"],
    },
  }],
  retryThrottling: { maxTokens: 10, tokenRatio: 0.1 },
};

/** One client for the whole process: it multiplexes its calls. */
export function connect(address, { ca, cert, key, apiKey } = {}) {
  const definition = protoLoader.loadSync("nearline/candidates/v1/candidates.proto", {
    includeDirs: [protos], keepCase: true, longs: Number, enums: String, defaults: true,
  });
  const { CandidateService } = grpc.loadPackageDefinition(definition).nearline.candidates.v1;
  const read = (file) => (file ? readFileSync(file) : null);
  const credentials = ca
    ? grpc.credentials.createSsl(read(ca), read(key), read(cert))
    : grpc.credentials.createInsecure();
  const client = new CandidateService(address, credentials, {
    "grpc.service_config": JSON.stringify(serviceConfig),
    "grpc.keepalive_time_ms": 30_000,
  });
  const metadata = () => {
    const made = new grpc.Metadata();
    if (apiKey) {
      made.set("authorization", `Bearer ${apiKey}`);
    }
    return made;
  };

  return {
    /** The user's candidates; rejects with an error that has gRPC's `code` and `details`. */
    getCandidates: (request, timeoutMs = deadlineMs) => new Promise((resolve, reject) => {
      let answer;
      const call = client.getCandidates(request, metadata(), { deadline: Date.now() + timeoutMs }, (error, response) => {
        if (error) {
          reject(error);
        } else {
          answer = response;
        }
      });
      // The trailers come with the status: only then is it known whether Redis was away.
      call.on("status", (status) => {
        if (status.code === grpc.status.OK) {
          resolve({ ...answer, degraded: status.metadata.get("nl-degraded").length > 0 });
        }
      });
    }),

    /** A readable stream of the user's sets; `cancel()` ends it. */
    watchCandidates: (request) => client.watchCandidates({ request }, metadata()),

    close: () => client.close(),
  };
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      watch: { type: "string" }, ca: { type: "string" }, cert: { type: "string" }, "client-key": { type: "string" },
    },
  });
  const [address, user, scenario, limit] = positionals;
  if (!scenario) {
    console.error("usage: client.js [--watch COUNT] [--ca FILE] [--cert FILE --client-key FILE] ADDRESS USER SCENARIO [LIMIT]");
    return 2;
  }

  const nearline = connect(address, {
    ca: values.ca, cert: values.cert, key: values["client-key"], apiKey: process.env.NEARLINE_API_KEY,
  });
  const request = { user_id: user, scenario, limit: Number(limit ?? 0) };
  try {
    if (values.watch) {
      let left = Number(values.watch);
      const stream = nearline.watchCandidates(request);
      for await (const message of stream) {
        console.log(JSON.stringify(message.response));
        if (--left === 0) {
          stream.on("error", () => {}); // CANCELLED, as asked for
          stream.cancel();
          break;
        }
      }
    } else {
      // The first call of a process makes the connection too: it may take longer than the calls to come.
      console.log(JSON.stringify(await nearline.getCandidates(request, 5_000)));
    }
    return 0;
  } catch (error) {
    console.error(`${grpc.status[error.code]}: ${error.details}`);
    return 1;
  } finally {
    nearline.close();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = await main();
}
