/** A control plane is restored from a backup that is older than what is in force: nothing of it is taken away before somebody says so. */
import assert from "node:assert/strict";
import { placesOf } from "../../harness/pod-place.ts";
import { STYR } from "../../harness/styr.ts";
import { until } from "../../harness/wait.ts";
import { service, who } from "../../harness/workloads.ts";
import type { Scene } from "../scenario.ts";
import { ask, copies, copyOn } from "./begin.ts";

type Cluster = Scene["cluster"];

const BACKUP = "/var/lib/before.gz";
const STATE = "/var/lib/styrmann";
const LATE = "late.example";
const PATIENT = { withinMs: 60_000, everyMs: 500 } as const;
const TIMES = 3;

export async function restoredTakesNothing({ cluster }: Scene): Promise<void> {
  const [from, closed] = await copies(cluster);
  const [wayIn] = cluster.agents;
  assert.ok(from && closed && wayIn);
  await cluster.command("backup", BACKUP);
  await cluster.apply(
    ["", who("late", { replicas: 1, node: from.host.name }), service("late"), closing(closed.host.name)].join(
      "\n---\n",
    ),
  );
  await placesOf(cluster, "late", 1);
  await cluster.command("expose", "late", "--host", LATE);
  const look = async () => ({
    late: /^late-\S+ /.test(await ask(from, "http://late/")),
    closed: !/^web-/.test(await ask(from, `http://${closed.address}/`)),
    route: (
      await wayIn.run(["curl", "-sS", "-m", "3", "-H", `Host: ${LATE}`, `http://${wayIn.address}/`])
    ).stdout.startsWith("late-"),
  });
  const all = (is: boolean) => JSON.stringify({ late: is, closed: is, route: is });
  const becomes = (what: string, is: boolean) =>
    until(what, async () => JSON.stringify(await look()) === all(is), {
      ...PATIENT,
      seen: async () => `${JSON.stringify(await look())}\n${await cluster.words("network", "status")}`,
    });
  await becomes("what was made since the backup is in force", true);
  await restore(cluster);
  const status = () => cluster.words("restore", "status");
  const isNamed = async () => {
    const said = await status();
    return NAMED.every((words) => words.test(said));
  };
  await until("it is named", isNamed, { ...PATIENT, seen: status });
  for (const again of [undefined, cluster.server, closed.host, from.host]) {
    if (again) await cluster.restart(again);
    await cluster.untilReady(cluster.agents);
    for (let turn = 0; turn < TIMES; turn++)
      assert.equal(JSON.stringify(await look()), all(true), `${again?.name}: ${await status()}`);
  }
  await cluster.command("restore", "confirm", "--stop-unknown");
  await becomes("it is gone", false);
}

const NAMED = [
  /in force on nodes/,
  /Service default\/late$/m,
  /NetworkPolicy default\/late-policy$/m,
  /route late\.example\//,
];

async function restore(cluster: Cluster): Promise<void> {
  const { server } = cluster;
  await server.signal(STYR, "SIGTERM");
  await server.must(["rm", "-f", ...["", "-wal", "-shm"].map((end) => `${STATE}/store.db${end}`)]);
  await cluster.command("restore", BACKUP);
  await cluster.startServer(server);
  await cluster.untilReady(cluster.agents);
}

function closing(hostName: string): string {
  const podSelector = { matchLabels: { app: copyOn(hostName) } };
  return JSON.stringify({
    ...{ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name: "late-policy" } },
    spec: { podSelector, policyTypes: ["Ingress"], ingress: [] },
  });
}
