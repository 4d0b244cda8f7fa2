/**
 * Names: questions a second and how long an answer takes, from a pod's network namespace, with 1,000 Services of 10 endpoints each; how
 * long telling takes, and what memory the server has. Client and server share this machine.
 */
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import type { NetworkEntry } from "../../src/model/network.ts";
import { openNamesHost } from "../../test/contract/names/names-host.ts";

const SERVICES = 1000;
const ENDPOINTS = 10;
const SECONDS = 4;

function entries(): readonly NetworkEntry[] {
  return Array.from({ length: SERVICES }, (_, n): readonly NetworkEntry[] => [
    {
      ...{ kind: "service", id: `default/s${n}`, namespace: "default", name: `s${n}` },
      addresses: n % 10 === 0 ? [] : [`10.96.${Math.floor(n / 250)}.${(n % 250) + 1}`],
      ports: [{ name: "http", protocol: "tcp", port: 80 }],
      ...{ externalTraffic: "cluster", internalTraffic: "cluster" },
    },
    slice(n, ENDPOINTS),
  ]).flat();
}

function slice(n: number, count: number): NetworkEntry {
  const address = (at: number) =>
    `10.42.${Math.floor((n * ENDPOINTS + at) / 250) % 250}.${((n * ENDPOINTS + at) % 250) + 2}`;
  return {
    ...{ kind: "endpoints", id: `default/s${n}-1`, service: `default/s${n}` },
    ports: [{ name: "http", protocol: "tcp", port: 8080 }],
    endpoints: Array.from({ length: count }, (_, at) => ({ address: address(at), state: "ready" })),
  };
}

const mib = (bytes: number) => `${(bytes / 1024 ** 2).toFixed(0)} MiB`;

/** What a process has had of the CPU: in programs and in the kernel (proc(5), in hundredths of a second). */
function cpuMicros(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

async function main(): Promise<void> {
  const host = await openNamesHost({ clientBurst: 10_000_000, clientPerSecond: 10_000_000 });
  try {
    const fact = (name: string) => Number(host.part.report().facts?.[name]);
    console.log(`${cpus().length} processors`);
    console.log(`server that knows nothing: ${mib(fact("memoryBytes"))}`);
    let startMs = performance.now();
    await host.tell(entries());
    console.log(
      `told of ${SERVICES} Services with ${ENDPOINTS} endpoints each: ${(performance.now() - startMs).toFixed(0)} ms, ${mib(fact("memoryBytes"))}, ${fact("names")} names`,
    );
    const took: number[] = [];
    for (let n = 0; n < 200; n++) {
      startMs = performance.now();
      await host.tell([slice(n, n % 2 === 0 ? ENDPOINTS - 1 : ENDPOINTS)]);
      took.push(performance.now() - startMs);
    }
    took.sort((a, b) => a - b);
    console.log(`one endpoint changes: ${took[100]?.toFixed(2)} ms (median of 200), ${took[198]?.toFixed(2)} ms (p99)`);
    const load = new URL("./names-load.ts", import.meta.url).pathname;
    const runs: readonly (readonly [what: string, window: number, names: readonly string[]])[] = [
      ["one at a time", 1, ["s1.default.svc.cluster.local"]],
      ["cluster addresses", 64, Array.from({ length: 500 }, (_, n) => `s${n + 1}.default.svc.cluster.local`)],
      ["headless, 10 addresses", 64, Array.from({ length: 100 }, (_, n) => `s${n * 10}.default.svc.cluster.local`)],
      ["what is not there", 64, Array.from({ length: 500 }, (_, n) => `gone${n}.default.svc.cluster.local`)],
      ["from outside, remembered", 64, Array.from({ length: 50 }, (_, n) => `h${n}.example.org`)],
    ];
    for (const [what, window, names] of runs) {
      const words = [
        "--disable-warning=ExperimentalWarning",
        load,
        host.gateway,
        String(SECONDS),
        String(window),
        ...names,
      ];
      const beforeMicros = cpuMicros(fact("pid"));
      const { output } = host.pod.run(process.execPath, words);
      const usedMicros = cpuMicros(fact("pid")) - beforeMicros;
      const { perSecond, p50Micros, p99Micros, lost } = JSON.parse(output) as Record<string, number>;
      const each = (usedMicros / ((perSecond ?? 0) * SECONDS)).toFixed(1);
      console.log(
        `${what}: ${perSecond} questions/s with ${window} at a time, median ${p50Micros} µs, p99 ${p99Micros} µs, ${lost} lost, ${each} µs of the server's CPU each`,
      );
    }
    await host.tellAll();
    console.log(`server after all: ${mib(fact("memoryBytes"))}`);
  } finally {
    await host.close();
  }
}

await main();
