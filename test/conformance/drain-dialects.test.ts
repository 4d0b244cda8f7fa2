/** A drain of what each dialect runs, on the real personalities, scheduler and controllers. */
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { disruptionOf } from "../../src/model/disruption.ts";
import { isLive, isReady, type Pod, pods } from "../../src/model/pod.ts";
import { ANNOTATION } from "../../src/model/well-known.ts";
import { fleet } from "../../src/personalities/fleet/index.ts";
import { marathon } from "../../src/personalities/marathon/index.ts";
import { MovingCluster } from "../harness/moving-cluster.ts";

const ready = { ready: true };
const drivers = { docker: ready, process: ready, unit: ready };
const NODES = ["n1", "n2", "n3"].map((name) => ({ name, drivers }));
const clusters: MovingCluster[] = [];

async function open(): Promise<MovingCluster> {
  const cluster = await MovingCluster.open({ nodes: NODES, personalities: [fleet, marathon] });
  clusters.push(cluster);
  return cluster;
}

afterEach(async () => {
  for (const cluster of clusters.splice(0)) await cluster.close();
});

const app = (id: string, more: object = {}) => ({ id, cmd: "sleep 1000", cpus: 0.1, mem: 32, instances: 1, ...more });

async function unit(cluster: MovingCluster, name: string, ...fields: readonly string[]): Promise<void> {
  const options = [["Service", "ExecStart", "/bin/sleep 1000"], ...fields.map((field) => field.split(" "))];
  const body = {
    desiredState: "launched",
    options: options.map(([section, key, value]) => ({ section, name: key, value })),
  };
  await cluster.ask("PUT", `/fleet/v1/units/${name}`, body);
}

const copies = ({ store }: MovingCluster, name: string) =>
  store.list(pods).filter(({ metadata }) => metadata.annotations?.[ANNOTATION.workload] === name);
const running = (cluster: MovingCluster, name: string) =>
  copies(cluster, name).filter((pod) => isReady(pod) && isLive(pod));
const nodeOf = ([pod]: readonly Pod[]) => pod?.spec.nodeName ?? "";

/** Drains and gives the fewest and the most copies that were there at any moment. */
async function drained(cluster: MovingCluster, node: string, name: string) {
  let [fewest, most] = [Number.POSITIVE_INFINITY, 0];
  await cluster.drain(node);
  await cluster.until(`${node} is drained`, () => {
    fewest = Math.min(fewest, running(cluster, name).length);
    most = Math.max(most, copies(cluster, name).length);
    return cluster.phaseOf(node) === "drained";
  });
  await cluster.advance(5_000);
  return { fewest, most };
}

describe("drain:", () => {
  test("Marathon: an app keeps as many healthy instances as it had", async () => {
    const cluster = await open();
    await cluster.ask("POST", "/v2/apps", app("web", { instances: 6 }));
    const { fewest } = await drained(cluster, "n1", "/web");
    assert.equal(fewest, 6);
    assert.equal(running(cluster, "/web").length, 6);
    assert.equal(copies(cluster, "/web").length, 6);
    assert.deepEqual(cluster.on("n1"), []);
  });

  test("Marathon: who may spare instances has as many moved at once", async () => {
    const cluster = await open();
    const upgradeStrategy = { minimumHealthCapacity: 0.5, maximumOverCapacity: 1 };
    await cluster.ask("POST", "/v2/apps", app("web", { instances: 9, upgradeStrategy }));
    await cluster.drain("n1");
    await cluster.advance(300);
    const marked = copies(cluster, "/web").filter((pod) => disruptionOf(pod)?.reason === "Drain");
    assert.equal(marked.length, 3);
  });

  test("Marathon: a single-instance app stops before its successor starts", async () => {
    const cluster = await open();
    await cluster.ask("POST", "/v2/apps", app("one", { labels: { MARATHON_SINGLE_INSTANCE_APP: "true" } }));
    const { most } = await drained(cluster, nodeOf(copies(cluster, "/one")), "/one");
    assert.equal(most, 1);
    assert.equal(running(cluster, "/one").length, 1);
  });

  test("fleet: a unit is started elsewhere before it stops", async () => {
    const cluster = await open();
    await unit(cluster, "web.service");
    const { fewest } = await drained(cluster, nodeOf(copies(cluster, "web.service")), "web.service");
    assert.equal(fewest, 1);
    assert.equal(copies(cluster, "web.service").length, 1);
  });

  test("fleet: an exclusive unit is started elsewhere after it has stopped", async () => {
    const cluster = await open();
    await unit(cluster, "db.service", "X-Styrmann Exclusive true");
    const { most } = await drained(cluster, nodeOf(copies(cluster, "db.service")), "db.service");
    assert.equal(most, 1);
    assert.equal(running(cluster, "db.service").length, 1);
  });

  test("fleet: a global unit stays and is named; a unit beside another goes where that went", async () => {
    const cluster = await open();
    await unit(cluster, "all.service", "X-Fleet Global true");
    await unit(cluster, "main.service");
    const node = nodeOf(copies(cluster, "main.service"));
    await unit(cluster, "side.service", "X-Fleet MachineOf main.service");
    assert.equal(nodeOf(copies(cluster, "side.service")), node);
    await drained(cluster, node, "main.service");
    assert.deepEqual(
      cluster.rowsOf(node).filter((row) => row.startsWith("all.service")),
      ["all.service stays: it is a global unit, which runs on every machine"],
    );
    assert.equal(nodeOf(running(cluster, "side.service")), nodeOf(running(cluster, "main.service")));
    assert.equal(copies(cluster, "all.service").length, 3);
    assert.deepEqual(
      cluster.on(node).map(({ metadata }) => metadata.annotations?.[ANNOTATION.workload]),
      ["all.service"],
    );
  });
});
