import type { ChildContainer } from "./pod.ts";

export interface Place {
  readonly address: string;
  readonly port: number;
}

/**
 * Where a container answers that a unit started itself: at its own address where it is on the pod network, else at its host, where it is
 * published there. On the pod network it need not say which ports it has. `wanted`: as its users write it.
 */
export function childPlace(
  children: readonly ChildContainer[],
  host: string | undefined,
  wanted: number | undefined,
): Place | undefined {
  const running = children.filter(({ state }) => state === "running");
  const published = running.flatMap(({ address, ports = [] }) => ports.map((port) => ({ ...port, address })));
  const [first] = published
    .filter(({ protocol }) => protocol === "tcp")
    .filter((each) => wanted === undefined || each.containerPort === wanted || each.hostPort === wanted)
    .sort((a, b) => a.containerPort - b.containerPort || a.hostPort - b.hostPort);
  if (first?.address !== undefined) return { address: first.address, port: first.containerPort };
  if (first !== undefined) return host ? { address: host, port: first.hostPort } : undefined;
  const own = running.find(({ address }) => address !== undefined)?.address;
  return own === undefined || wanted === undefined ? undefined : { address: own, port: wanted };
}
