/** The client of traffic.ts: asks at a steady pace until its stdin ends, then says in one line of JSON what became of it. Runs where it is started: on a host, or in a pod's network. */
import { Resolver } from "node:dns/promises";
import { Agent, request } from "node:http";
import { isIPv4 } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { TrafficAsked, TrafficFailure, TrafficReport } from "./traffic.ts";

const { url, everyMs = 20, timeoutMs = 2000, dns, keeps = false } = JSON.parse(process.argv[2] ?? "") as TrafficAsked;
const { hostname, port, pathname } = new URL(url);
const resolver = new Resolver({ timeout: timeoutMs, tries: 1 });
if (dns) resolver.setServers([dns]);
/** A timer that is so late says that this process had no turn, or stood still. */
const LATE_MS = 100;
const LOOK_MS = 300;
/** A first packet that nobody answers is sent again after a second (RFC 6298). */
const SECOND_PACKET_MS = 900;
/** One connection, and a failure when it ends. */
const kept = keeps ? new Agent({ keepAlive: true, maxSockets: 1 }) : undefined;

const started = performance.now();
const failures: TrafficFailure[] = [];
const answers: Record<string, number> = {};
const tookMs: number[] = [];
const secondTriesMs: number[] = [];
let [requests, lastMs, longestGapMs, isOver, sockets] = [0, started, 0, false, 0];

async function one(): Promise<void> {
  requests++;
  const from = performance.now();
  try {
    const address = isIPv4(hostname) ? hostname : (await resolver.resolve4(hostname))[0];
    if (address === undefined) throw new Error(`${hostname} has no address`);
    const text = await ask(address, () => {
      if (performance.now() - from > SECOND_PACKET_MS) secondTriesMs.push(Math.round(from - started));
    });
    const now = performance.now();
    tookMs.push(now - from);
    longestGapMs = Math.max(longestGapMs, now - lastMs);
    lastMs = now;
    answers[text] = (answers[text] ?? 0) + 1;
  } catch (error) {
    failures.push({ atMs: Math.round(from - started), words: wordsOf(error as Error) });
  }
}

function wordsOf({ name, message }: Error): string {
  return name === "AbortError" ? `no answer within ${timeoutMs} ms` : message;
}

/** Aborts when there was no answer in time. Who stood still meanwhile has not looked yet: what has come is read before it is judged. */
function patience(): { readonly signal: AbortSignal; readonly end: () => void } {
  const tooLate = new AbortController();
  let timer: NodeJS.Timeout;
  const wait = (ms: number) => {
    const dueMs = performance.now() + ms;
    timer = setTimeout(() => {
      if (performance.now() - dueMs > LATE_MS) wait(LOOK_MS);
      else tooLate.abort();
    }, ms);
  };
  wait(timeoutMs);
  return { signal: tooLate.signal, end: () => clearTimeout(timer) };
}

function ask(address: string, connected: () => void): Promise<string> {
  const { signal, end } = patience();
  const answered = new Promise<string>((resolve, reject) => {
    const options = { host: address, port, path: pathname, agent: kept ?? false, signal, headers: { host: hostname } };
    const sent = request(options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (data) => (text += data));
      response.on("error", reject);
      response.on("end", () =>
        response.statusCode === 200 ? resolve(text.trim()) : reject(new Error(`answered ${response.statusCode}`)),
      );
    });
    sent.on("socket", (socket) => {
      socket.once("connect", connected);
      if (kept && !sent.reusedSocket && ++sockets > 1) reject(new Error("the connection had ended"));
    });
    sent.on("error", reject);
    sent.end();
  });
  return answered.finally(end);
}

process.stdin.resume();
process.stdin.on("end", () => {
  isOver = true;
});
console.log("begun");
const underWay = new Set<Promise<void>>();
for (let at = performance.now(); !isOver; ) {
  const asked: Promise<void> = one().finally(() => underWay.delete(asked));
  underWay.add(asked);
  if (kept) await asked;
  at += everyMs;
  await delay(Math.max(0, at - performance.now()));
}
await Promise.all(underWay);
longestGapMs = Math.max(longestGapMs, performance.now() - lastMs);
tookMs.sort((a, b) => a - b);
const of = (part: number) => Math.round(10 * (tookMs[Math.floor(part * tookMs.length)] ?? 0)) / 10;
const report: TrafficReport = {
  requests,
  failures,
  secondTriesMs: secondTriesMs.toSorted((a, b) => a - b),
  answers,
  longestGapMs: Math.round(longestGapMs),
  medianMs: of(0.5),
  p99Ms: of(0.99),
};
console.log(JSON.stringify(report));
process.exit(0);
