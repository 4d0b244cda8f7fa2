/**
 * Many agents in one process: each has the real RemoteControl and heartbeats over TLS WebSockets of its own, and no node
 * behind it: what is assigned is reported as running. Started by agents.ts; says `ready` once all are registered.
 */
import { readFileSync } from "node:fs";
import type { Assignments } from "../../src/agent/control.ts";
import { OwnHeartbeats } from "../../src/agent/heartbeat/heartbeats.ts";
import { RemoteControl } from "../../src/agent/remote/remote-control.ts";
import { AGENT_PATH, AGENT_PROTOCOL } from "../../src/dispatcher/agent-api.ts";
import type { Draft } from "../../src/model/meta.ts";
import type { Node } from "../../src/model/node.ts";
import type { Pod, PodStatus } from "../../src/model/pod.ts";
import { type TlsMaterial, WebSocketDialer } from "../../src/network/link/web-socket-dialer.ts";
import { testNode } from "../../src/scheduling/test-objects.ts";
import { rfc3339, SystemClock } from "../../src/seams/clock.ts";
import { silentLog } from "../../src/seams/log.ts";
import { SystemRandom } from "../../src/seams/random.ts";

export interface CrowdOrder {
  readonly server: string;
  /** Its state directory: the certificate of a server may speak for any node. */
  readonly state: string;
  readonly first: number;
  readonly count: number;
  /** Whether pods are said to run; without, they stay as they were bound. */
  readonly reports: boolean;
}

/** Not all at once: handshakes of TLS are what a server pays most for. */
const AT_ONCE = 16;

const clock = new SystemClock();
const random = new SystemRandom();

async function main({ server, state, first, count, reports }: CrowdOrder): Promise<void> {
  const read = (name: string) => readFileSync(`${state}/pki/${name}`, "utf8");
  const material = { caPem: read("ca.crt"), certPem: read("peer.crt"), keyPem: read("peer.key") };
  let next = first;
  const work = async () => {
    while (next < first + count) await join(`n${String(next++).padStart(5, "0")}`, server, material, reports);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  console.log("ready");
  process.stdin.on("end", () => process.exit()).resume();
}

async function join(name: string, server: string, material: TlsMaterial, reports: boolean): Promise<void> {
  const path = `${AGENT_PATH}?node=${name}`;
  const dialer = new WebSocketDialer({ server, path, protocol: AGENT_PROTOCOL, clock, material: () => material });
  const control = new RemoteControl({ dialers: [dialer], clock, random, log: silentLog });
  const heartbeats = new OwnHeartbeats(control, clock);
  heartbeats.start({ node: name, bootId: "boot", session: random.uuid() }, ({ known }) => {
    if (!known) void register(control, name);
  });
  await register(control, name);
  if (!reports) return;
  const { signal } = new AbortController();
  control.watchPods(name, (assignments) => void report(control, assignments), signal);
}

async function register(control: RemoteControl, name: string): Promise<void> {
  await untilTaken(() => control.registerNode(draft(name)), name);
}

/** As an agent does: what was not answered is said again. */
async function untilTaken(say: () => Promise<void>, what: string): Promise<void> {
  for (;;) {
    try {
      await say();
      return;
    } catch (error) {
      console.error(`${what}: ${(error as Error).message}`);
      await clock.sleep(500);
    }
  }
}

async function report(control: RemoteControl, { pods }: Assignments): Promise<void> {
  const pending = pods.filter(({ status }) => status.phase === "Pending");
  if (pending.length === 0) return;
  const reports = pending.map((pod) => ({
    key: `${pod.metadata.namespace}/${pod.metadata.name}`,
    uid: pod.metadata.uid,
    status: running(pod),
  }));
  await untilTaken(() => control.report(reports, []), "a report");
}

function running({ spec, status }: Pod): PodStatus {
  const startedAt = rfc3339(clock.now());
  return {
    ...status,
    phase: "Running",
    podIP: "10.42.0.7",
    conditions: [...(status.conditions ?? []), { type: "Ready", status: "True", lastTransitionTime: startedAt }],
    containerStatuses: spec.containers.map(({ name, image = "" }) => ({
      ...{ name, image, imageID: "sha256:0", ready: true, restartCount: 0 },
      state: { running: { startedAt } },
    })),
  };
}

function draft(name: string): Draft<Node> {
  const node = testNode({ name, cpu: "32", memory: "128Gi" });
  const { uid: _u, resourceVersion: _r, generation: _g, creationTimestamp: _c, ...metadata } = node.metadata;
  return { ...node, metadata };
}

await main(JSON.parse(process.argv[2] ?? "{}") as CrowdOrder);
