/** Workloads that scenarios ask for. */
import type { SimRequest } from "../contract.ts";
import { controllerOf, post } from "../draw/kubernetes-workload.ts";

export interface Wishes {
  readonly image?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly cpu?: string;
  readonly spec?: Readonly<Record<string, unknown>>;
  /** Of its container. */
  readonly container?: Readonly<Record<string, unknown>>;
}

/** A ReplicationController of one container. */
export function replicated(name: string, replicas: number, wishes: Wishes = {}): SimRequest {
  const { image = "fake/run", annotations = {}, cpu = "50m", spec = {}, container = {} } = wishes;
  const template = {
    metadata: { labels: { app: name }, annotations },
    spec: {
      containers: [{ name: "main", image, resources: { requests: { cpu, memory: "32Mi" } }, ...container }],
      terminationGracePeriodSeconds: 2,
      ...spec,
    },
  };
  return post("replicationcontrollers", controllerOf(name, replicas, template));
}

export function exclusive(name: string, wishes: Wishes = {}): SimRequest {
  return replicated(name, 1, { ...wishes, annotations: { ...wishes.annotations, "styrmann.dev/exclusive": "true" } });
}

/** Its engine is asked every second, by each kind of probe; one failure is enough. */
export function probed(name: string, replicas: number): SimRequest {
  const probe = { exec: { command: ["true"] }, periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 1 };
  return replicated(name, replicas, { container: { livenessProbe: probe, readinessProbe: probe } });
}

/** As `probed`, with Marathon's check. */
export function checked(name: string, instances: number): SimRequest {
  const check = { protocol: "COMMAND", command: { value: "true" }, gracePeriodSeconds: 0, maxConsecutiveFailures: 1 };
  return app(name, instances, { healthChecks: [{ ...check, intervalSeconds: 1, timeoutSeconds: 1 }] });
}

/** A Marathon app of one container. */
export function app(name: string, instances: number, fields: Readonly<Record<string, unknown>> = {}): SimRequest {
  const container = { type: "DOCKER", docker: { image: "fake/run" } };
  const body = { id: `/${name}`, instances, cpus: 0.05, mem: 32, container, networks: [{ mode: "host" }], ...fields };
  return { method: "POST", path: "/v2/apps", body: { portDefinitions: [], ...body } };
}
