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
