/** Workloads that scenarios ask for. */
import type { SimRequest } from "../contract.ts";
import { controllerOf, post } from "../draw/kubernetes-workload.ts";

export interface Wishes {
  readonly image?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly cpu?: string;
  readonly spec?: Readonly<Record<string, unknown>>;
}

/** A ReplicationController of one container. */
export function replicated(name: string, replicas: number, wishes: Wishes = {}): SimRequest {
  const { image = "fake/run", annotations = {}, cpu = "50m", spec = {} } = wishes;
  const template = {
    metadata: { labels: { app: name }, annotations },
    spec: {
      containers: [{ name: "main", image, resources: { requests: { cpu, memory: "32Mi" } } }],
      terminationGracePeriodSeconds: 2,
      ...spec,
    },
  };
  return post("replicationcontrollers", controllerOf(name, replicas, template));
}

export function exclusive(name: string, wishes: Wishes = {}): SimRequest {
  return replicated(name, 1, { ...wishes, annotations: { ...wishes.annotations, "styrmann.dev/exclusive": "true" } });
}

/** A Marathon app of one container. */
export function app(name: string, instances: number, fields: Readonly<Record<string, unknown>> = {}): SimRequest {
  const container = { type: "DOCKER", docker: { image: "fake/run" } };
  const body = { id: `/${name}`, instances, cpus: 0.05, mem: 32, container, networks: [{ mode: "host" }], ...fields };
  return { method: "POST", path: "/v2/apps", body: { portDefinitions: [], ...body } };
}
