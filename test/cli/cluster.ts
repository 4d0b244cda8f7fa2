/** A whole control plane behind a unix socket, and a node that says of every pod bound to it that it runs. */
import { ControlPlane } from "../../src/app/control-plane.ts";
import { personalities } from "../../src/app/personalities.ts";
import { clientVersion } from "../../src/cli/client-version.ts";
import { keyOf } from "../../src/model/meta.ts";
import { nodes } from "../../src/model/node.ts";
import { type Pod, type PodStatus, pods } from "../../src/model/pod.ts";
import { SystemClock } from "../../src/seams/clock.ts";
import { silentLog } from "../../src/seams/log.ts";
import { SystemRandom } from "../../src/seams/random.ts";
import { MemoryJournal } from "../../src/store/journals/memory.ts";
import type { Store } from "../../src/store/store.ts";
import { node, running } from "./objects.ts";
import { echoAccess, serve, type TestServer } from "./server.ts";

export interface TestCluster extends TestServer {
  readonly plane: ControlPlane;
}

export async function startCluster(statusOf: (pod: Pod) => PodStatus = isRunning): Promise<TestCluster> {
  const plane = await ControlPlane.open({
    journal: new MemoryJournal(),
    clock: new SystemClock(),
    random: new SystemRandom(),
    log: silentLog,
    personalities,
    strategy: "spread",
    address: "127.0.0.1:7443",
    hostname: "host-of-the-test",
    version: clientVersion(),
    nodeAccess: echoAccess,
  });
  plane.start();
  await plane.store.update((tx) => void tx.create(nodes, everythingNode()));
  const cancel = new AbortController();
  const beating = beat(plane, everythingNode());
  const pretending = pretend(plane.store, statusOf, cancel.signal);
  const server = await serve(plane.store, plane.mounted);
  return {
    ...server,
    plane,
    async close() {
      await server.close();
      clearInterval(beating);
      cancel.abort();
      await pretending;
      await plane.stop();
    },
  };
}

/** A node that is not heard is lost. */
function beat(plane: ControlPlane, { metadata, status }: ReturnType<typeof everythingNode>): NodeJS.Timeout {
  const said = { node: metadata.name, bootId: status.nodeInfo.bootID, session: "pretended", health: "ok" } as const;
  let sequence = 0;
  return setInterval(() => void plane.lifecycle.beat({ ...said, sequence: ++sequence }), 500);
}

function everythingNode() {
  const given = node("n1");
  const ready = { ready: true };
  const room = { cpu: "64", memory: "256Gi", pods: "20000", "ephemeral-storage": "100Gi" };
  const status = {
    ...given.status,
    capacity: room,
    allocatable: room,
    drivers: { docker: ready, process: ready, unit: ready },
  };
  return { ...given, status };
}

function isRunning(pod: Pod): PodStatus {
  const now = new Date().toISOString().replace(/\.\d+/, "");
  return {
    phase: "Running",
    conditions: [
      { type: "PodScheduled", status: "True" },
      { type: "Ready", status: "True" },
    ],
    hostIP: "10.0.0.5",
    podIP: "10.42.0.7",
    containerStatuses: pod.spec.containers.map(({ name }) => running(name, { state: { running: { startedAt: now } } })),
  };
}

async function pretend(store: Store, statusOf: (pod: Pod) => PodStatus, signal: AbortSignal): Promise<void> {
  const done = new Set<string>();
  for await (const _ of store.watch({ kinds: [pods], since: 0, signal })) {
    await store.update((tx) => {
      for (const pod of tx.list(pods)) {
        if (pod.metadata.deletionTimestamp !== undefined) tx.remove(pods, keyOf(pod));
        else if (pod.spec.nodeName !== undefined && !done.has(pod.metadata.uid)) {
          done.add(pod.metadata.uid);
          tx.update(pods, { ...pod, status: statusOf(pod) });
        }
      }
    });
  }
}
