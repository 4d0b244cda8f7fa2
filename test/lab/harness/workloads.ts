/** What the scenarios run: replication controllers of small containers, as Kubernetes objects. */

export interface ReplicasOptions {
  readonly replicas: number;
  readonly args?: readonly string[];
  /** Serves HTTP on this port of the host; leaves its endpoints 2 s before it ends, as a server behind a balancer does. */
  readonly hostPort?: number;
  readonly nodeSelector?: Readonly<Record<string, string>>;
}

/** Sleeps for ever, and ends at once when it is asked to. */
const SLEEP = ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done"];

export function replicas(name: string, { replicas, args, hostPort, nodeSelector }: ReplicasOptions): string {
  const serving = {
    command: ["httpd", "-f", "-p", "80", "-h", "/www"],
    ports: [{ containerPort: 80, hostPort }],
    readinessProbe: { httpGet: { path: "/", port: 80 }, periodSeconds: 1, timeoutSeconds: 3 },
    lifecycle: { preStop: { exec: { command: ["sleep", "2"] } } },
  };
  const container = {
    name: "main",
    image: hostPort === undefined ? "busybox:1" : "coolvds/nginx-custom:1.6",
    resources: { requests: { cpu: "5m", memory: "4Mi" } },
    ...(hostPort === undefined ? { command: args ?? SLEEP } : serving),
  };
  const grace = hostPort === undefined ? 1 : 10;
  return JSON.stringify({
    apiVersion: "v1",
    kind: "ReplicationController",
    metadata: { name },
    spec: {
      replicas,
      selector: { app: name },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          terminationGracePeriodSeconds: grace,
          containers: [container],
          ...(nodeSelector ? { nodeSelector } : {}),
        },
      },
    },
  });
}

export interface WhoOptions {
  readonly replicas: number;
  readonly node?: string;
  readonly image?: string;
  /** Of the Service that it is behind; default its own name. */
  readonly service?: string;
}

/** A replication controller of `lab/who`: says its name and who asks. */
export function who(name: string, { replicas, node, image = "lab/who:1", service = name }: WhoOptions): string {
  const readinessProbe = { httpGet: { path: "/", port: 80 }, periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 1 };
  const resources = { requests: { cpu: "5m", memory: "8Mi" } };
  const ports = [{ name: "http", containerPort: 80 }];
  return JSON.stringify({
    apiVersion: "v1",
    kind: "ReplicationController",
    metadata: { name },
    spec: {
      replicas,
      selector: { app: name },
      template: {
        metadata: { labels: { app: name, service } },
        spec: {
          terminationGracePeriodSeconds: 2,
          containers: [{ name: "main", image, ports, resources, readinessProbe }],
          ...(node === undefined ? {} : { nodeSelector: { "kubernetes.io/hostname": node } }),
        },
      },
    },
  });
}

/** For those of `who` that say that it is theirs. */
export function service(name: string, spec: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name },
    spec: { selector: { service: name }, ports: [{ name: "http", port: 80, targetPort: "http" }], ...spec },
  });
}

/** A Marathon app of the same, with a port on every node. */
export function whoApp(id: string, servicePort: number, instances: number, image = "lab/who:1"): string {
  const portMappings = [{ containerPort: 80, hostPort: 0, servicePort, name: "http" }];
  const check = { protocol: "HTTP", path: "/", portIndex: 0, intervalSeconds: 1, timeoutSeconds: 1 };
  return JSON.stringify({
    id,
    ...{ instances, cpus: 0.01, mem: 16 },
    container: { type: "DOCKER", docker: { image, network: "BRIDGE", portMappings } },
    healthChecks: [{ ...check, gracePeriodSeconds: 30, maxConsecutiveFailures: 3 }],
    upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 0.5 },
    taskKillGracePeriodSeconds: 2,
  });
}
