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

/** `show stat` of HAProxy 2.6: a line per frontend and backend, with a header (management guide, 9.1). */
export function parseStats(text: string, backends: ReadonlyMap<string, Backend>): readonly BackendStats[] {
  const [header = "", ...lines] = text.split("\n");
  const names = header.replace(/^# /, "").split(",");
  return lines.flatMap((line) => {
    const cells = line.split(",");
    const of = (name: string) => cells[names.indexOf(name)] ?? "";
    const isWhole = of("svname") === "FRONTEND" || of("svname") === "BACKEND";
    const source = of("svname") === "FRONTEND" ? "all" : backends.get(of("pxname"))?.source;
    return isWhole && source !== undefined ? [statsOf(of, source)] : [];
  });
}

function statsOf(of: (name: string) => string, source: string): BackendStats {
  const count = (name: string) => Number(of(name) || 0);
  const answers = Object.fromEntries([1, 2, 3, 4, 5].map((digit) => [`${digit}xx`, count(`hrsp_${digit}xx`)]));
  return {
    ...{ name: of("pxname"), source, answers, requests: count("req_tot") || count("stot") },
    ...{ retries: count("wretr"), redispatches: count("wredis"), connectErrors: count("econ") },
    ...{ bytesIn: count("bin"), bytesOut: count("bout"), serversOn: count("act") },
    ...{ connectMs: count("ctime"), responseMs: count("rtime"), totalMs: count("ttime") },
  };
}
