/**
 * The process that is killed: a whole control plane on the SQLite journal of a folder, under load from all three
 * dialects at once. Every write is printed before it is asked for and again when it was acknowledged; the lines are
 * written synchronously, so whatever was said before the kill can be read after it.
 */
import { writeSync } from "node:fs";
import { join } from "node:path";
import { ControlPlane } from "../../src/app/control-plane.ts";
import { personalities } from "../../src/app/personalities.ts";
import { type ConfigMap, configMaps } from "../../src/model/config-map.ts";
import { nodes } from "../../src/model/node.ts";
import { isLive, type Pod, pods } from "../../src/model/pod.ts";
import { type ReplicationController, replicationControllers } from "../../src/model/replication-controller.ts";
import { type App, apps } from "../../src/personalities/marathon/kinds.ts";
import { SystemClock } from "../../src/seams/clock.ts";
import { silentLog } from "../../src/seams/log.ts";
import { SeededRandom, SystemRandom } from "../../src/seams/random.ts";
import { SqliteJournal } from "../../src/store/journals/sqlite.ts";
import type { Store } from "../../src/store/store.ts";
import { node } from "../cli/objects.ts";
import { echoAccess } from "../cli/server.ts";
import { type Fault, faulty } from "./faults.ts";
import type { Line } from "./ledger.ts";

const SETTLE_MS = 20_000;
const [folder = "", seed = "", fault = "none"] = process.argv.slice(2);
const random = new SeededRandom(seed);

function say(line: Line): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

async function open(): Promise<ControlPlane> {
  const journal = faulty(await SqliteJournal.open(join(folder, "store.db")), fault as Fault);
  const plane = await ControlPlane.open({
    ...{ journal, personalities, clock: new SystemClock(), random: new SystemRandom(), log: silentLog },
    ...{ strategy: "spread", address: "127.0.0.1:7443", hostname: "h", version: "0.0.0", nodeAccess: echoAccess },
  });
  await plane.store.update((tx) => {
    if (!tx.get(nodes, "n1")) tx.create(nodes, roomyNode());
  });
  plane.start();
  return plane;
}

function roomyNode() {
  const given = node("n1");
  const room = { cpu: "64", memory: "256Gi", pods: "20000", "ephemeral-storage": "100Gi" };
  const [docker, unit] = [{ ready: true }, { ready: true }];
  return {
    ...given,
    status: { ...given.status, capacity: room, allocatable: room, drivers: { docker, unit, process: docker } },
  };
}

/** The agent's part: what is bound runs, what is asked to go is gone. */
async function pretend(store: Store): Promise<void> {
  const all = store.list(pods).map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
  const since = store.revision;
  await store.update((tx) => {
    for (const key of all) tend(tx.get(pods, key), key, tx);
  });
  for await (const changes of store.watch({ kinds: [pods], since })) {
    await store.update((tx) => {
      for (const { key } of changes) tend(tx.get(pods, key), key, tx);
    });
  }
}

function tend(pod: Pod | undefined, key: string, tx: Parameters<Parameters<Store["update"]>[0]>[0]): void {
  if (!pod) return;
  if (pod.metadata.deletionTimestamp !== undefined) tx.remove(pods, key);
  else if (pod.spec.nodeName !== undefined && pod.status.phase === "Pending") {
    const conditions = [...(pod.status.conditions ?? []), { type: "Ready", status: "True" as const }];
    tx.update(pods, { ...pod, status: { ...pod.status, phase: "Running", conditions } });
  }
}

/** Waits until everybody has as many pods as is wanted, and no more. */
async function settle(store: Store): Promise<void> {
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    const off = unsettled(store);
    if (off.length === 0) return say({ type: "settled" });
    if (performance.now() > deadline) return say({ type: "stuck", words: off.join("; ") });
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

function unsettled(store: Store): readonly string[] {
  const wanted = [
    ...store.list(replicationControllers).map((rc) => ({ owner: rc as Owner, count: rc.spec.replicas })),
    ...store.list(apps).map((app) => ({ owner: app as Owner, count: Number(app.spec.definition.instances ?? 1) })),
  ];
  return wanted.flatMap(({ owner: { kind, metadata }, count }) => {
    const live = store.by(pods, "owner", metadata.uid).filter(isLive).length;
    return live === count ? [] : [`${kind} ${metadata.name} has ${live} live pods and wants ${count}`];
  });
}

type Owner = ReplicationController | App;

async function load(plane: ControlPlane): Promise<void> {
  const { store } = plane;
  const send = async (method: string, path: string, body: unknown, type = "application/json"): Promise<number> => {
    const request = new Request(`http://styr${path}`, {
      method,
      headers: { "content-type": type },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const actor = { name: "root", roles: ["admin"] as const };
    const answer = await plane.mounted.handle(request, { actor, remoteAddress: "local", origin: "http://styr" });
    await answer.text();
    return answer.status;
  };
  let count = 0;
  const token = () => `${seed}-${count++}`;
  /** One write: said, asked for, and said again when it was acknowledged. */
  const write = async (key: string, value: string | null, ask: () => Promise<number>): Promise<void> => {
    say({ type: "try", key, value });
    const status = await ask();
    say(status < 300 ? { type: "done", key } : { type: "refused", key, status });
  };
  const forever = async (one: () => Promise<void>): Promise<never> => {
    for (;;) {
      await one();
      await new Promise((resolve) => setTimeout(resolve, random.int(3)));
    }
  };

  const podPath = "/api/v1/namespaces/default/pods";
  const pod = (name: string) => async () => {
    const mark = token();
    const metadata = { name, annotations: { token: mark } };
    const there = store.get(pods, `default/${name}`);
    // On its way out: what is written now goes with it.
    if (there?.metadata.deletionTimestamp !== undefined) return;
    if (!there) {
      const spec = { containers: [{ name: "main", image: "busybox:1" }] };
      return write(`pod ${name}`, mark, () => send("POST", podPath, { metadata, spec }));
    }
    if (random.int(3) === 0) {
      const now = { gracePeriodSeconds: random.int(2) * 30 };
      return write(`pod ${name}`, null, () => send("DELETE", `${podPath}/${name}`, now));
    }
    const type = "application/merge-patch+json";
    return write(`pod ${name}`, mark, () => send("PATCH", `${podPath}/${name}`, { metadata }, type));
  };

  const rcPath = "/api/v1/namespaces/default/replicationcontrollers";
  const rc = (name: string) => async () => {
    const [mark, replicas] = [token(), random.int(9)];
    const metadata = { name, annotations: { token: mark } };
    const template = {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: "main", image: "busybox:1" }] },
    };
    const spec = { replicas, selector: { app: name }, template };
    const type = "application/merge-patch+json";
    const ask = store.get(replicationControllers, `default/${name}`)
      ? () => send("PATCH", `${rcPath}/${name}`, { metadata, spec: { replicas } }, type)
      : () => send("POST", rcPath, { metadata, spec });
    return write(`rc ${name}`, `${mark} ${replicas}`, ask);
  };

  const app = (id: string) => async () => {
    const instances = random.int(7);
    const body = { cmd: "sleep 1000", cpus: 0.01, mem: 16, instances };
    return write(`app ${id}`, String(instances), () => send("PUT", `/v2/apps${id}?force=true`, body));
  };

  const unit = (name: string) => async () => {
    const [mark, desiredState] = [token(), ["launched", "loaded", "inactive"][random.int(3)] ?? ""];
    const options = [
      { section: "Unit", name: "Description", value: mark },
      { section: "Service", name: "ExecStart", value: "/bin/sleep 1000" },
    ];
    if (random.int(4) === 0)
      return write(`unit ${name}`, null, () => send("DELETE", `/fleet/v1/units/${name}`, undefined));
    return write(`unit ${name}`, `${mark} ${desiredState}`, () =>
      send("PUT", `/fleet/v1/units/${name}`, { desiredState, options }),
    );
  };

  /** Two objects written in one transaction. */
  const pair = (name: string) => async () => {
    const mark = token();
    return write(`pair ${name}`, mark, async () => {
      await store.update((tx) => {
        for (const half of ["left", "right"]) {
          const key = `default/${name}-${half}`;
          const before = tx.get(configMaps, key);
          if (before) tx.update(configMaps, { ...before, data: { token: mark } });
          else
            tx.create<ConfigMap>(configMaps, {
              ...{ apiVersion: "v1", kind: "ConfigMap", data: { token: mark } },
              metadata: { name: `${name}-${half}`, namespace: "default" },
            });
        }
      });
      return 200;
    });
  };

  await Promise.all([
    ...["p0", "p1", "p2", "p3", "p4", "p5"].map((name) => forever(pod(name))),
    ...["rc0", "rc1"].map((name) => forever(rc(name))),
    ...["/app0", "/app1"].map((id) => forever(app(id))),
    ...["u0.service", "u1.service"].map((name) => forever(unit(name))),
    ...["pair0", "pair1"].map((name) => forever(pair(name))),
  ]);
}

const plane = await open();
void pretend(plane.store);
await settle(plane.store);
await load(plane);
