/** Small writes at a steady pace through one server after another, as clients behind a balancer make them, and which of them were acknowledged. */
import { setTimeout as delay } from "node:timers/promises";
import type { LabClient } from "./client.ts";
import type { Host } from "./host.ts";

export const CONFIG_MAPS = "/api/v1/namespaces/default/configmaps";

export interface WritesReport {
  readonly acknowledged: readonly string[];
  /** What the others were answered, with the time since the start. */
  readonly refusals: readonly string[];
  /** The longest time between two acknowledged ones. */
  readonly longestGapMs: number;
}

export interface WritesOptions {
  readonly client: LabClient;
  readonly servers: readonly Host[];
  /** Begins the names of what is written. */
  readonly name: string;
  readonly everyMs?: number;
  /** Of each. */
  readonly bytes?: number;
}

export class Writes {
  readonly #options: WritesOptions;
  readonly #startedMs = performance.now();
  readonly #acknowledged: string[] = [];
  readonly #refusals: string[] = [];
  readonly #underWay = new Set<Promise<void>>();
  readonly #pacing: Promise<void>;
  #isOver = false;
  #lastMs = performance.now();
  #longestGapMs = 0;

  constructor(options: WritesOptions) {
    this.#options = options;
    this.#pacing = this.#pace();
  }

  async stop(): Promise<WritesReport> {
    this.#isOver = true;
    await this.#pacing;
    await Promise.all(this.#underWay);
    const longestGapMs = Math.max(this.#longestGapMs, performance.now() - this.#lastMs);
    return { acknowledged: this.#acknowledged, refusals: this.#refusals, longestGapMs };
  }

  async #pace(): Promise<void> {
    const { servers, everyMs = 100 } = this.#options;
    for (let n = 0; !this.#isOver; n++) {
      const server = servers[n % servers.length];
      if (!server) throw new Error("nowhere to write");
      const one: Promise<void> = this.#one(server, n).finally(() => this.#underWay.delete(one));
      this.#underWay.add(one);
      await delay(everyMs);
    }
  }

  async #one(server: Host, n: number): Promise<void> {
    const { client, name, bytes = 1 } = this.#options;
    const data = { text: "x".repeat(bytes) };
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: `${name}-${n}` }, data };
    try {
      const { status, text } = await client.ask(server, CONFIG_MAPS, { method: "POST", body });
      if (status !== 201) throw new Error(`${status} ${text.slice(0, 300)}`);
      const now = performance.now();
      this.#longestGapMs = Math.max(this.#longestGapMs, now - this.#lastMs);
      this.#lastMs = now;
      this.#acknowledged.push(body.metadata.name);
    } catch (error) {
      const at = ((performance.now() - this.#startedMs) / 1000).toFixed(1);
      this.#refusals.push(`${at} s: ${server.name}: ${(error as Error).message}`);
    }
  }
}

/** Of these names, those that a server does not have. */
export async function missingAt(client: LabClient, server: Host, names: readonly string[]): Promise<readonly string[]> {
  const { items } = await client.must<{ items: { metadata: { name: string } }[] }>(server, CONFIG_MAPS);
  const there = new Set(items.map(({ metadata }) => metadata.name));
  return names.filter((name) => !there.has(name));
}

export async function removeAll(client: LabClient, server: Host, names: readonly string[]): Promise<void> {
  for (const name of names) await client.must(server, `${CONFIG_MAPS}/${name}`, { method: "DELETE" });
}
