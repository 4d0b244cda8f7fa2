import type { Random } from "../../seams/random.ts";
import type { SimRequest } from "../contract.ts";
import { between, chance, pick, weighted } from "./dice.ts";
import { PROGRAMS, type Workload } from "./workload.ts";

const NAMESPACE = "/api/v1/namespaces/default";
const MERGE = { "Content-Type": "application/merge-patch+json" };
const EXCLUSIVE = { "styrmann.dev/exclusive": "true" };

type Fields = Readonly<Record<string, unknown>>;

/** A ReplicationController, at times with a Service, or a Pod of its own. */
export function drawKubernetes(random: Random, name: string, copies: number): Workload {
  return chance(random, 0.2) ? drawPod(random, name) : drawController(random, name, copies);
}

export function drawController(random: Random, name: string, copies: number): Workload {
  const isExclusive = chance(random, 0.2);
  const replicas = isExclusive ? 1 : copies;
  const path = `${NAMESPACE}/replicationcontrollers/${name}`;
  const template = {
    metadata: { labels: { app: name }, annotations: drawAnnotations(random, isExclusive) },
    spec: drawPodSpec(random, name),
  };
  const service = chance(random, 0.3) ? [post("services", serviceOf(name))] : [];
  return {
    dialect: "kubernetes",
    name,
    isExclusive,
    create: [post("replicationcontrollers", controllerOf(name, replicas, template)), ...service],
    ...(isExclusive ? {} : { scale: (wanted) => patch(path, { spec: { replicas: wanted } }) }),
    // A ReplicationController makes new pods from it; those that run stay as they are.
    update: (nth) => patch(path, { spec: { template: { metadata: { annotations: { version: `v${nth}` } } } } }),
    remove: [
      { method: "DELETE", path, body: { propagationPolicy: "Background" } },
      ...service.map(() => ({ method: "DELETE", path: `${NAMESPACE}/services/${name}` })),
    ],
  };
}

/** Also what scenarios use, with their own spec. */
export function controllerOf(name: string, replicas: number, template: Fields): Fields {
  return {
    apiVersion: "v1",
    kind: "ReplicationController",
    metadata: { name },
    spec: { replicas, selector: { app: name }, template },
  };
}

export function post(resource: string, body: Fields): SimRequest {
  return { method: "POST", path: `${NAMESPACE}/${resource}`, body };
}

function patch(path: string, body: Fields): SimRequest {
  return { method: "PATCH", path, body, headers: MERGE };
}

function drawPod(random: Random, name: string): Workload {
  const isExclusive = chance(random, 0.2);
  const restartPolicy = pick(random, ["Always", "OnFailure", "Never"]);
  const metadata = { name, labels: { app: name }, annotations: drawAnnotations(random, isExclusive) };
  const spec = { ...drawPodSpec(random, name), restartPolicy };
  return {
    dialect: "kubernetes",
    name,
    isExclusive,
    create: [post("pods", { apiVersion: "v1", kind: "Pod", metadata, spec })],
    remove: [{ method: "DELETE", path: `${NAMESPACE}/pods/${name}` }],
  };
}

function serviceOf(name: string): Fields {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name },
    spec: { selector: { app: name }, ports: [{ port: 80 }] },
  };
}

function drawAnnotations(random: Random, isExclusive: boolean): Readonly<Record<string, string>> {
  const rule = weighted<Readonly<Record<string, string>>>(random, [
    [80, {}],
    [8, { "styrmann.dev/when-unreachable": "keep" }],
    [6, { "styrmann.dev/when-unreachable": "replace" }],
    [6, { "styrmann.dev/when-unreachable": "20s" }],
  ]);
  return isExclusive ? { ...rule, ...EXCLUSIVE } : rule;
}

function drawPodSpec(random: Random, name: string): Fields {
  return {
    containers: [drawContainer(random)],
    terminationGracePeriodSeconds: pick(random, [0, 2, 10, 30]),
    ...drawPlacement(random, name),
    ...(chance(random, 0.1) ? { tolerations: [drawToleration(random)] } : {}),
  };
}

function drawContainer(random: Random): Fields {
  const requests = { cpu: `${between(random, 1, 10) * 25}m`, memory: `${between(random, 1, 8) * 32}Mi` };
  const hasPort = chance(random, 0.3);
  const hostPort = chance(random, 0.2) ? { hostPort: between(random, 8_000, 8_005) } : {};
  return {
    name: "main",
    image: weighted(random, PROGRAMS),
    resources: { requests },
    ...(hasPort ? { ports: [{ containerPort: 80, ...hostPort }] } : {}),
    ...(hasPort && chance(random, 0.5) ? { readinessProbe: { tcpSocket: { port: 80 }, periodSeconds: 10 } } : {}),
  };
}

function drawToleration(random: Random): Fields {
  const key = "node.kubernetes.io/unreachable";
  const seconds = pick(random, [undefined, 5, 60]);
  return {
    key,
    operator: "Exists",
    effect: "NoExecute",
    ...(seconds === undefined ? {} : { tolerationSeconds: seconds }),
  };
}

const ZONE = "topology.kubernetes.io/zone";
const HOST = "kubernetes.io/hostname";

function drawPlacement(random: Random, name: string): Fields {
  const labelSelector = { matchLabels: { app: name } };
  const spread = (topologyKey: string, whenUnsatisfiable: string) => ({
    topologySpreadConstraints: [{ maxSkew: 1, topologyKey, whenUnsatisfiable, labelSelector }],
  });
  const term = { labelSelector, topologyKey: HOST };
  const zones = { key: ZONE, operator: "In", values: ["zone-a", "zone-b"] };
  return weighted<Fields>(random, [
    [60, {}],
    [6, { nodeSelector: { [ZONE]: "zone-a" } }],
    [8, spread(HOST, "DoNotSchedule")],
    [6, spread(ZONE, "ScheduleAnyway")],
    [8, { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } }],
    [
      6,
      {
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [zones] }] },
          },
        },
      },
    ],
  ]);
}
