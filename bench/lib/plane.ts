/** A control plane as `styr up` puts it together, on the default journal in a folder of its own, with nodes that nobody runs. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ControlPlane } from "../../src/app/control-plane.ts";
import { personalities } from "../../src/app/personalities.ts";
import { clientVersion } from "../../src/cli/client-version.ts";
import type { Draft } from "../../src/model/meta.ts";
import { type Node, nodes } from "../../src/model/node.ts";
import type { NodeAccess } from "../../src/model/streams.ts";
import { testNode } from "../../src/scheduling/test-objects.ts";
import { SystemClock } from "../../src/seams/clock.ts";
import { silentLog } from "../../src/seams/log.ts";
import { SystemRandom } from "../../src/seams/random.ts";
import { SqliteJournal } from "../../src/store/journals/sqlite.ts";

export interface BenchPlane {
  readonly plane: ControlPlane;
  close(): Promise<void>;
}

/** Nothing runs, so there is nothing to look into. */
const noAccess: NodeAccess = {
  logs: () => Promise.reject(new Error("no pod of this benchmark runs")),
  exec: () => Promise.reject(new Error("no pod of this benchmark runs")),
  usage: () => Promise.resolve([]),
} as unknown as NodeAccess;

export async function openPlane(nodeCount: number): Promise<BenchPlane> {
  const folder = mkdtempSync(join(tmpdir(), "styr-bench-"));
  const plane = await ControlPlane.open({
    journal: await SqliteJournal.open(join(folder, "store.db")),
    clock: new SystemClock(),
    random: new SystemRandom(),
    log: silentLog,
    personalities,
    strategy: "spread",
    address: "127.0.0.1:7443",
    hostname: "bench",
    version: clientVersion(),
    nodeAccess: noAccess,
  });
  await plane.store.update((tx) => {
    for (let at = 0; at < nodeCount; at++) tx.create<Node>(nodes, nodeDraft(at));
  });
  plane.start();
  const beating = setInterval(() => beatAll(plane, nodeCount, sequence++), 1000);
  let sequence = 0;
  return {
    plane,
    async close() {
      clearInterval(beating);
      await plane.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Nobody runs these nodes, but they live. */
function beatAll({ lifecycle }: ControlPlane, nodeCount: number, sequence: number): void {
  for (let at = 0; at < nodeCount; at++) {
    lifecycle.beat({ node: nameOf(at), bootId: "boot", session: "session", sequence, health: "ok" });
  }
}

const nameOf = (at: number) => `n${String(at).padStart(4, "0")}`;

function nodeDraft(at: number): Draft<Node> {
  const node = testNode({ name: nameOf(at), cpu: "32", memory: "128Gi" });
  const { uid: _u, resourceVersion: _r, generation: _g, creationTimestamp: _c, ...metadata } = node.metadata;
  return { ...node, metadata };
}
