import type { Constraint } from "../model/constraint.ts";
import type { DriverReport, Node, Taint } from "../model/node.ts";
import type { ContainerPort, Pod, PodSpec } from "../model/pod.ts";
import { ANNOTATION, NODE_LABEL } from "../model/well-known.ts";

/** Objects for tests and benchmarks of placement; everything that is not named has the least surprising value. */
export interface TestNode {
  readonly name: string;
  readonly cpu?: string;
  readonly memory?: string;
  readonly pods?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly Taint[];
  readonly ready?: boolean;
  readonly cordoned?: boolean;
  /** What its health word says. */
  readonly unwell?: string | undefined;
  readonly docker?: boolean;
  readonly drivers?: Readonly<Record<string, DriverReport>>;
  readonly dynamicPorts?: readonly [number, number];
}

export function testNode(want: TestNode): Node {
  const { name, cpu = "4", memory = "8Gi", pods = "110", ready = true, docker = true } = want;
  const amounts = { cpu, memory, pods };
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      uid: `uid-${name}`,
      resourceVersion: "1",
      generation: 1,
      creationTimestamp: "2026-01-01T00:00:00Z",
      labels: { [NODE_LABEL.hostname]: name, ...want.labels },
    },
    spec: { ...(want.cordoned ? { unschedulable: true } : {}), taints: want.taints ?? [] },
    status: {
      capacity: amounts,
      allocatable: amounts,
      conditions: [
        { type: "Ready", status: ready ? "True" : "False" },
        ...(want.unwell === undefined ? [] : [{ type: "Healthy", status: "False" as const, reason: want.unwell }]),
      ],
      addresses: [],
      nodeInfo: {
        machineID: `machine-${name}`,
        bootID: "",
        kernelVersion: "",
        osImage: "",
        architecture: "amd64",
        operatingSystem: "linux",
        containerRuntimeVersion: "",
        kubeletVersion: "",
      },
      drivers: want.drivers ?? {
        docker: docker ? { ready: true } : { ready: false, reason: "no Docker Engine answers at /run/docker.sock" },
        process: { ready: true },
      },
      dynamicPorts: want.dynamicPorts ?? [31000, 32000],
    },
  };
}

export interface TestPod {
  readonly name?: string;
  readonly app?: string | undefined;
  readonly cpu?: string | undefined;
  readonly memory?: string | undefined;
  readonly hostPort?: number | undefined;
  readonly ports?: readonly ContainerPort[];
  readonly constraints?: readonly Constraint[];
  /** Everything, or that its node is cordoned. */
  readonly tolerates?: boolean | "cordon";
  readonly owner?: string | undefined;
  readonly spec?: Partial<PodSpec>;
}

export function testPod(want: TestPod): Pod {
  const { name = "p", app, cpu, memory, hostPort, owner } = want;
  const ports = want.ports ?? (hostPort === undefined ? [] : [{ containerPort: 80, hostPort }]);
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: "default",
      uid: `uid-${name}`,
      resourceVersion: "1",
      generation: 1,
      creationTimestamp: "2026-01-01T00:00:00Z",
      ...(app === undefined ? {} : { labels: { app }, annotations: { [ANNOTATION.workload]: app } }),
      ...(owner === undefined
        ? {}
        : {
            ownerReferences: [
              { apiVersion: "v1", kind: "ReplicationController", name: owner, uid: owner, controller: true },
            ],
          }),
    },
    spec: {
      containers: [
        {
          name: "main",
          image: "busybox",
          ports,
          resources: { requests: { ...(cpu ? { cpu } : {}), ...(memory ? { memory } : {}) } },
        },
      ],
      ...(want.constraints ? { constraints: want.constraints } : {}),
      ...(want.tolerates ? { tolerations: [TOLERATIONS[want.tolerates === true ? "all" : "cordon"]] } : {}),
      ...want.spec,
    },
    status: { phase: "Pending" },
  };
}

const TOLERATIONS = {
  all: { operator: "Exists" },
  cordon: { key: "node.kubernetes.io/unschedulable", operator: "Exists", effect: "NoSchedule" },
} as const;
