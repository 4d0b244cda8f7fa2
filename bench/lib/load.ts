/** The clients of http.ts, in a thread of their own: kept-alive connections, each with one request under way. */

import { setTimeout as delay } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { Client } from "undici";

const RETRY_MS = 100;
const MOST_RETRIES = 100;

export interface LoadOrder {
  readonly origin: string;
  /** A unix socket to go through instead of a port. */
  readonly socketPath?: string;
  readonly connections: number;
  readonly requests: number;
  readonly path: string;
  /** A JSON body with `@` where the request's number goes. */
  readonly body: string;
}

export interface LoadResult {
  readonly accepted: number;
  readonly firstRefusal: string | undefined;
  /** Milliseconds, one per request, sorted. */
  readonly latencies: readonly number[];
}

async function run({ origin, socketPath, connections, requests, path, body }: LoadOrder): Promise<LoadResult> {
  const [before = "", after = ""] = body.split("@");
  const latencies: number[] = [];
  let [next, accepted] = [0, 0];
  let firstRefusal: string | undefined;
  const work = async () => {
    const client = new Client(origin, socketPath === undefined ? {} : { socketPath });
    const headers = { "content-type": "application/json" };
    while (next < requests) {
      const at = next++;
      const begun = performance.now();
      const post = async () => {
        const answer = await client.request({ method: "POST", path, headers, body: `${before}${at}${after}` });
        return { status: answer.statusCode, text: await answer.body.text() };
      };
      let { status, text } = await post();
      // Between two leaders: a client asks again.
      for (let more = 0; status === 503 && more < MOST_RETRIES; more++) {
        await delay(RETRY_MS);
        ({ status, text } = await post());
      }
      latencies.push(performance.now() - begun);
      if (status === 201 || (status === 409 && text.includes("AlreadyExists"))) accepted++;
      else firstRefusal ??= `${status} ${text}`;
    }
    await client.close();
  };
  await Promise.all(Array.from({ length: connections }, work));
  return { accepted, firstRefusal, latencies: latencies.toSorted((a, b) => a - b) };
}

parentPort?.postMessage(await run(workerData as LoadOrder));
