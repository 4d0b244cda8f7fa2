/** One path between two containers, measured: how much goes through, and how many requests with kept and with new connections. */
import type { Host } from "../../test/lab/harness/host.ts";

/** A client's container on a host, and where it sends to. */
export interface Path {
  readonly name: string;
  readonly host: Host;
  readonly client: string;
  /** Address or name of the server, as the client writes it. */
  readonly to: string;
  /** Of HTTP. */
  readonly port: number;
  /** Of iperf3; absent: nothing but HTTP goes this way. */
  readonly streamPort?: number;
  /** Asked for by this name. */
  readonly hostHeader?: string;
}

export interface Figures {
  readonly gigabits?: number;
  readonly kept: Requests;
  readonly fresh: Requests;
}

export interface Requests {
  readonly perSecond: number;
  readonly medianUs: number;
}

/** Of each measurement. */
const SECONDS = 1;

export async function measure(path: Path, hosts: readonly Host[]): Promise<Figures> {
  const { gigabits, kept } = await measureKept(path);
  await forgetConnections(hosts);
  const fresh = await requests(path, ["-H", "Connection: close"]);
  return { ...(gigabits === undefined ? {} : { gigabits }), kept, fresh };
}

/** Without new connections: nothing of the way before is in the way of the next. */
export async function measureKept(path: Path): Promise<Omit<Figures, "fresh">> {
  const gigabits = path.streamPort === undefined ? undefined : await stream(path, path.streamPort);
  const kept = await requests(path, []);
  return { ...(gigabits === undefined ? {} : { gigabits }), kept };
}

/**
 * Two ways to one server end at the same address and port: what the way before left tracked (two minutes of 20,000 a second) would make the
 * kernel look for a free port for each connection of the next one that is translated.
 */
async function forgetConnections(hosts: readonly Host[]): Promise<void> {
  for (const host of hosts) await host.must(["conntrack", "-F"]);
}

async function stream({ host, client, to }: Path, port: number): Promise<number> {
  const words = ["iperf3", "-c", to, "-p", String(port), "-t", String(SECONDS), "-J"];
  const said = JSON.parse(await host.must(["docker", "exec", client, ...words])) as {
    end: { sum_received: { bits_per_second: number } };
  };
  return said.end.sum_received.bits_per_second / 1e9;
}

async function requests(path: Path, headers: readonly string[]): Promise<Requests> {
  const { host, client, to, port, hostHeader } = path;
  const named = hostHeader === undefined ? [] : ["-H", `Host: ${hostHeader}`];
  const words = ["wrk", "-t1", "-c16", `-d${SECONDS}s`, "--latency", ...named, ...headers, `http://${to}:${port}/`];
  const said = await host.must(["docker", "exec", client, ...words]);
  const perSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(said)?.[1]);
  const [, median, unit = ""] = /50%\s+([\d.]+)(us|ms|s)/.exec(said) ?? [];
  if (!(perSecond > 0) || median === undefined || /Non-2xx|Socket errors: connect [1-9]/.test(said))
    throw new Error(`${path.name}: wrk says\n${said}`);
  return { perSecond, medianUs: Number(median) * ({ us: 1, ms: 1e3, s: 1e6 }[unit] ?? 1) };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
