import { Worker } from "node:worker_threads";
import type { FromThread, ThreadData } from "./thread-messages.ts";

/** The heartbeats' thread (thread-main.ts), small, and no reason for the process to go on. */
export function startThread(workerData: ThreadData, said: (message: FromThread, worker: Worker) => void): Worker {
  const worker = new Worker(new URL("./thread-main.ts", import.meta.url), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 1 },
  });
  worker.unref();
  worker.on("message", (message: FromThread) => said(message, worker));
  // A bug there: a node that cannot say that it lives must not go on as if it could.
  worker.on("error", (error) => {
    throw error;
  });
  return worker;
}
