import type { Backend } from "./backend.ts";

export interface BackendStats {
  readonly name: string;
  /** Whose route it is. */
  readonly source: string;
  readonly requests: number;
  /** By the first digit of the status, 1 to 5. */
  readonly answers: Readonly<Record<string, number>>;
  readonly retries: number;
  readonly redispatches: number;
  readonly connectErrors: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Averages of the last 1024 requests, in milliseconds. */
  readonly connectMs: number;
  readonly responseMs: number;
  readonly totalMs: number;
  readonly serversOn: number;
}

export interface ServerCounts {
  /** Of its slot. */
  readonly name: string;
  readonly backend: string;
  /** `address:port`. */
  readonly place: string;
  /** Connects that came to nothing, however the request went on. */
  readonly failed: number;
  readonly answered: number;
}

type Cells = (name: string) => string;

/** `show stat` of HAProxy 2.6: a line per frontend and backend, with a header (management guide, 9.1). */
export function parseStats(text: string, backends: ReadonlyMap<string, Backend>): readonly BackendStats[] {
  return linesOf(text).flatMap((of) => {
    const isWhole = of("svname") === "FRONTEND" || of("svname") === "BACKEND";
    const source = of("svname") === "FRONTEND" ? "all" : backends.get(of("pxname"))?.source;
    return isWhole && source !== undefined ? [statsOf(of, source)] : [];
  });
}

/** The same of servers, of one or several answers; where they are is said to administrators only. */
export function parseServers(text: string): readonly ServerCounts[] {
  return linesOf(text).flatMap((of) => {
    const [name, place] = [of("svname"), of("addr")];
    if (!/^s\d+$/.test(name) || place === "") return [];
    const failed = sum(of, ["econ", "wretr", "wredis"]);
    return [{ name, place, backend: of("pxname"), failed, answered: sum(of, ANSWERS) }];
  });
}

const DIGITS = [1, 2, 3, 4, 5];
const ANSWERS = DIGITS.map((digit) => `hrsp_${digit}xx`);

function sum(of: Cells, names: readonly string[]): number {
  return names.reduce((total, name) => total + Number(of(name) || 0), 0);
}

/** By names of columns; headers may come again. */
function linesOf(text: string): readonly Cells[] {
  const places = new Map<string, number>();
  return text.split("\n").flatMap((line) => {
    const cells = line.replace(/^# /, "").split(",");
    if (line.startsWith("# ")) for (const [at, name] of cells.entries()) places.set(name, at);
    return line.startsWith("# ") || cells.length < 2 ? [] : [(name: string) => cells[places.get(name) ?? -1] ?? ""];
  });
}

function statsOf(of: Cells, source: string): BackendStats {
  const count = (name: string) => Number(of(name) || 0);
  const answers = Object.fromEntries(DIGITS.map((digit) => [`${digit}xx`, count(`hrsp_${digit}xx`)]));
  return {
    ...{ name: of("pxname"), source, answers, requests: count("req_tot") || count("stot") },
    ...{ retries: count("wretr"), redispatches: count("wredis"), connectErrors: count("econ") },
    ...{ bytesIn: count("bin"), bytesOut: count("bout"), serversOn: count("act") },
    ...{ connectMs: count("ctime"), responseMs: count("rtime"), totalMs: count("ttime") },
  };
}
