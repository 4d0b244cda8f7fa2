/** What the simulator's speed is measured with: an hour of a cluster in which nothing happens but heartbeats and probes. */
import { isReady, pods } from "../model/pod.ts";
import { type Scenario, SimFailure, type SimRequest, type World } from "./contract.ts";

const GIB = 2 ** 30;
const NODES = 50;
const PODS = 500;
const HOUR_MS = 3_600_000;

export const hour: Scenario = {
  name: "hour",
  about: `An hour of ${NODES} nodes and ${PODS} pods with probes, for the simulator's own speed.`,
  size: () => ({
    nodes: Array.from({ length: NODES }, (_, at) => ({
      name: `n${String(at + 1).padStart(2, "0")}`,
      zone: `z${(at % 3) + 1}`,
      cpuMillis: 8_000,
      memoryBytes: 16 * GIB,
    })),
  }),
  async run(world) {
    for (const request of load()) await accepted(world, request);
    const areReady = () => world.server.store?.list(pods).filter(isReady).length === PODS;
    if (!(await world.runUntil(areReady, 60_000, 500))) throw new SimFailure("hour", `${PODS} pods are not ready`);
    world.note("all pods are ready");
    await world.run(HOUR_MS - world.clock.monotonic());
    if (!areReady()) throw new SimFailure("hour", "something happened in an hour in which nothing was to happen");
  },
};

async function accepted(world: World, request: SimRequest): Promise<void> {
  const { status, text } = await world.request(request);
  if (status < 200 || status > 299) throw new SimFailure("hour", `${request.path}: ${status} ${text}`);
}

/** 6 controllers of 50, 10 apps of 15, 50 units. */
function load(): readonly SimRequest[] {
  const numbers = (count: number) => Array.from({ length: count }, (_, at) => at + 1);
  return [
    ...numbers(6).map((at) => controllerOf(`web-${at}`, 50)),
    ...numbers(10).map((at) => appOf(`/shop/app-${at}`, 15)),
    ...numbers(50).map((at) => unitOf(`job-${at}.service`)),
  ];
}

function controllerOf(name: string, replicas: number): SimRequest {
  const probe = { httpGet: { path: "/", port: 80 }, periodSeconds: 10 };
  const container = { name, image: "fake/run", readinessProbe: probe, livenessProbe: probe };
  const template = { metadata: { labels: { app: name } }, spec: { containers: [container] } };
  const body = {
    apiVersion: "v1",
    kind: "ReplicationController",
    metadata: { name },
    spec: { replicas, selector: { app: name }, template },
  };
  return { method: "POST", path: "/api/v1/namespaces/default/replicationcontrollers", body };
}

function appOf(id: string, instances: number): SimRequest {
  const container = { type: "DOCKER", docker: { image: "fake/run", network: "BRIDGE", portMappings: [{}] } };
  const healthChecks = [{ protocol: "HTTP", path: "/", portIndex: 0, intervalSeconds: 10, gracePeriodSeconds: 30 }];
  return { method: "POST", path: "/v2/apps", body: { id, instances, cpus: 0.1, mem: 64, container, healthChecks } };
}

function unitOf(name: string): SimRequest {
  const options = [{ section: "Service", name: "ExecStart", value: "/usr/bin/worker" }];
  return { method: "PUT", path: `/fleet/v1/units/${name}`, body: { name, desiredState: "launched", options } };
}
