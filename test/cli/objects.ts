import type { Event } from "../../src/model/event.ts";
import { type Draft, ownedBy, type StoredObject } from "../../src/model/meta.ts";
import type { Node } from "../../src/model/node.ts";
import type { ContainerStatus, Pod, PodStatus } from "../../src/model/pod.ts";
import type { ReplicationController } from "../../src/model/replication-controller.ts";
import { ANNOTATION } from "../../src/model/well-known.ts";

export function node(name: string, ready = true): Draft<Node> {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, labels: { zone: "a" } },
    spec: {},
    status: {
      capacity: { cpu: "2", memory: "4Gi" },
      allocatable: { cpu: "1900m", memory: "3Gi" },
      conditions: [{ type: "Ready", status: ready ? "True" : "False", ...(ready ? {} : { message: "lease ran out" }) }],
      addresses: [{ type: "InternalIP", address: "10.0.0.5" }],
      nodeInfo: {
        machineID: `${name}-machine`,
        bootID: "boot",
        kernelVersion: "5",
        osImage: "Debian 12",
        architecture: "amd64",
        operatingSystem: "linux",
        containerRuntimeVersion: "docker://20.10",
        kubeletVersion: "0.1.0",
      },
      drivers: { docker: { ready: true }, unit: { ready: false, reason: "no cgroups here" } },
      dynamicPorts: [31000, 32000],
    },
  };
}

export function running(name: string, more: Partial<ContainerStatus> = {}): ContainerStatus {
  return {
    name,
    state: { running: { startedAt: "2024-05-01T10:00:00Z" } },
    ready: true,
    restartCount: 0,
    image: "nginx:1",
    imageID: "",
    ...more,
  };
}

export const READY: PodStatus = {
  phase: "Running",
  conditions: [{ type: "Ready", status: "True" }],
  podIP: "10.42.0.7",
  containerStatuses: [running("main")],
};

interface PodParts {
  readonly owner?: StoredObject;
  readonly dialect?: string;
  readonly workload?: string;
  readonly nodeName?: string;
  readonly status?: PodStatus;
  readonly spec?: Partial<Pod["spec"]>;
}

export function pod(name: string, { owner, dialect, workload, nodeName, status, spec }: PodParts = {}): Draft<Pod> {
  const annotations = {
    ...(dialect === undefined ? {} : { [ANNOTATION.dialect]: dialect }),
    ...(workload === undefined ? {} : { [ANNOTATION.workload]: workload }),
  };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "default", annotations, ...(owner ? { ownerReferences: [ownedBy(owner)] } : {}) },
    spec: {
      containers: [{ name: "main", image: "nginx:1", ports: [{ containerPort: 80 }] }],
      ...(nodeName === undefined ? {} : { nodeName }),
      ...spec,
    },
    status: status ?? { phase: "Pending" },
  };
}

export function controller(name: string, replicas: number): Draft<ReplicationController> {
  return {
    apiVersion: "v1",
    kind: "ReplicationController",
    metadata: { name, namespace: "default" },
    spec: {
      replicas,
      selector: { app: name },
      template: { spec: { containers: [{ name: "main", image: "nginx:1" }] } },
    },
    status: { replicas: 0 },
  };
}

export function event(about: StoredObject, reason: string, message: string): Draft<Event> {
  const { name, namespace = "default", uid } = about.metadata;
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: `${name}.${reason}`, namespace },
    involvedObject: { apiVersion: "v1", kind: about.kind, namespace, name, uid },
    type: "Warning",
    reason,
    message,
    source: { component: "agent", host: "n1" },
    firstTimestamp: "2024-05-01T10:00:00Z",
    lastTimestamp: "2024-05-01T10:00:05Z",
    count: 3,
  };
}
