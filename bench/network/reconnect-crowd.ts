/** Many agents in one process, which read no more of a frame than what they have to answer: their server is what is measured. */
import { once } from "node:events";
import { AGENT_PATH } from "../../src/dispatcher/agent-api.ts";
import type { TlsMaterial } from "../../src/network/link/web-socket-dialer.ts";
import { heldDigests } from "../../src/network/plane/held-shelves.ts";
import { dialerTo } from "../../test/contract/link/tls-stage.ts";
import { largeNetwork, smallNetwork } from "./reconnect-entries.ts";

export interface CrowdOrder {
  readonly url: string;
  /** A server's, which may speak for any node. */
  readonly material: TlsMaterial;
  readonly agents: number;
  /** "again": with what an agent has that missed a little. */
  readonly asks: "plain" | "packed" | "again";
  readonly isLarge: boolean;
}

export interface CrowdReport {
  /** Of text, to all together. */
  readonly bytes: number;
  readonly tookMs: number;
}

/** Entries that an agent missed. */
const CHANGED = 20;
/** Handshakes under way at once. */
const AT_ONCE = 16;

async function main(): Promise<void> {
  const [order] = (await once(process, "message")) as [CrowdOrder];
  let [bytes, whole] = [0, 0];
  const over = Promise.withResolvers<void>();
  const asks: (() => void)[] = [];
  const call = JSON.stringify({ method: "network", stream: 1, ...(await more(order)) });
  const join = async (name: string) => {
    const hear = (text: string) => {
      const [, stream, sequence, part, revision] = /^\["[ez]",(\d+),(\d+),"(\w+)",(\d+)/.exec(text) ?? [];
      if (text.startsWith('["s"')) link.send(`["s","${name}"]`);
      if (stream === undefined) return;
      bytes += text.length;
      link.send(`["g","${name}",${stream},${sequence},0]`);
      if (part !== "all" && part !== "kept") return;
      link.send(`["a","${name}",${stream},${revision}]`);
      if (++whole === order.agents) over.resolve();
    };
    const dialer = dialerTo(order.url, order.material, { path: `${AGENT_PATH}?node=${name}` });
    const listener = { frame: hear, closed: (why: string) => over.reject(new Error(`${name}: ${why}`)) };
    const link = await dialer.dial(listener, new AbortController().signal);
    link.send(`["s","${name}"]`);
    asks.push(() => link.send(`["c","${name}",1,1,${call}]`));
  };
  let next = 0;
  const work = async () => {
    while (next < order.agents) await join(`node-${next++}`);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  process.send?.("ready");
  await once(process, "message");
  const beganMs = performance.now();
  for (const ask of asks) ask();
  await over.promise;
  process.send?.({ bytes, tookMs: performance.now() - beganMs } satisfies CrowdReport);
}

async function more({ asks, isLarge }: CrowdOrder): Promise<object> {
  if (asks === "plain") return {};
  if (asks === "packed") return { reads: "zstd" };
  const missed = isLarge ? largeNetwork(CHANGED) : smallNetwork(CHANGED);
  return { reads: "zstd", has: await heldDigests(missed, async () => {}) };
}

await main();
