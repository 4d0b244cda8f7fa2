/**
 * How full the host's table of connections is (nf_conntrack): every connection through a Service, a node port or the way in has a line in it, also
 * for two minutes after its end, and the kernel drops what begins one while there is no room. Its maximum goes by the host's memory.
 */
import { readFile } from "node:fs/promises";

export interface Connections {
  readonly count: number;
  readonly max: number;
}

/** Undefined: this kernel counts none, or does not say. */
export type AskConnections = () => Promise<Connections | undefined>;

const FOLDER = "/proc/sys/net/netfilter";
const [WARN_SHARE, FULL_SHARE] = [0.9, 0.99];

/** Of the agent's own network namespace. */
export async function hostConnections(folder = FOLDER): Promise<Connections | undefined> {
  try {
    const [count, max] = await Promise.all(
      ["count", "max"].map((name) => readNumber(`${folder}/nf_conntrack_${name}`)),
    );
    return count === undefined || !max ? undefined : { count, max };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function readNumber(path: string): Promise<number | undefined> {
  const value = Number((await readFile(path, "utf8")).trim());
  return Number.isFinite(value) ? value : undefined;
}

/** Or as good as: where some end and others begin, it is never to the last line. */
export function isFull({ count, max }: Connections): boolean {
  return count >= max * FULL_SHARE;
}

/** Undefined: there is room. */
export function fullnessWords(
  connections: Connections,
): { readonly words: string; readonly advice: string } | undefined {
  const { count, max } = connections;
  if (count < max * WARN_SHARE) return undefined;
  const of = `(${count.toLocaleString("en")} of ${max.toLocaleString("en")})`;
  const dropped = "what begins new ones is dropped";
  const words = isFull(connections) ? `full ${of}: ${dropped}` : `almost full ${of}: when it is, ${dropped}`;
  const more = `sysctl -w net.netfilter.nf_conntrack_max=${max * 2} (and in /etc/sysctl.d)`;
  return { words: `the host's table of connections is ${words}`, advice: `${more}; conntrack -L says whose they are` };
}

/** Probes that failed meanwhile say nothing of a way: an answer is waited for so long, and some of them count together. */
const BLIND_MS = 10_000;

/** What was seen of it last. */
export class ConnectionRoom {
  readonly #ask: AskConnections;
  #seen: Connections | undefined;
  #fullAtMs = Number.NEGATIVE_INFINITY;

  constructor(ask: AskConnections) {
    this.#ask = ask;
  }

  async look(nowMs: number): Promise<void> {
    this.#seen = await this.#ask();
    if (this.#seen && isFull(this.#seen)) this.#fullAtMs = nowMs;
  }

  get words(): string | undefined {
    const said = this.#seen && fullnessWords(this.#seen);
    return said && `${said.words}; ${said.advice}`;
  }

  get isFull(): boolean {
    return this.#seen !== undefined && isFull(this.#seen);
  }

  /** Connections fail, or failed just now, whatever way they take. */
  isBlind(nowMs: number): boolean {
    return nowMs - this.#fullAtMs < BLIND_MS;
  }

  get facts(): Readonly<Record<string, number>> {
    return this.#seen === undefined ? {} : { connections: this.#seen.count, "most connections": this.#seen.max };
  }
}
