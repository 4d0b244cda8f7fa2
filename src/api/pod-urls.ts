import type { Node } from "../model/node.ts";
import type { ContainerPort, Pod } from "../model/pod.ts";
import { isAnyAddress } from "../model/published-ports.ts";

/** Ports whose protocol is known not to be HTTP (IANA): a URL that says http would be wrong. */
const NOT_HTTP = new Set([22, 25, 53, 1883, 2181, 3306, 5432, 5672, 6379, 9042, 9092, 11211, 27017]);

/** Where the pod answers, best first: published ports on the node's address, else ports on the pod's own. */
export function podUrls(pod: Pod, node: Node | undefined): readonly string[] {
  const nodeAddress = addressOf(node) ?? pod.status.hostIP;
  const ports = pod.spec.containers.flatMap((container) => container.ports ?? []);
  const urls = ports.map((port) => portUrl(pod, port, nodeAddress));
  const children = (pod.status.containerStatuses ?? []).flatMap((status) => status.children ?? []);
  for (const { state, ports: published } of children) {
    if (state !== "running") continue;
    for (const { hostPort, containerPort, protocol } of published ?? []) {
      if (protocol === "tcp" && nodeAddress) urls.push(url(nodeAddress, hostPort, containerPort));
    }
  }
  return [...new Set(urls.filter((text) => text !== undefined))];
}

function portUrl(pod: Pod, port: ContainerPort, nodeAddress: string | undefined): string | undefined {
  if ((port.protocol ?? "TCP") !== "TCP") return undefined;
  const published = pod.spec.hostNetwork ? (port.hostPort ?? port.containerPort) : port.hostPort;
  const { hostIP = "" } = port;
  const place = isAnyAddress(hostIP) ? nodeAddress : hostIP;
  if (published && place) return url(place, published, port.containerPort, port.name);
  const address = pod.status.podIP;
  return address && port.containerPort > 0
    ? url(address, port.containerPort, port.containerPort, port.name)
    : undefined;
}

function url(address: string, port: number, servedPort: number, name?: string): string {
  const host = address.includes(":") ? `[${address}]` : address;
  if (NOT_HTTP.has(servedPort)) return `tcp://${host}:${port}`;
  if (servedPort === 443 || servedPort === 8443 || name === "https") return `https://${host}:${port}`;
  return port === 80 ? `http://${host}` : `http://${host}:${port}`;
}

export function addressOf(node: Node | undefined): string | undefined {
  return node?.status.addresses.find(({ type }) => type === "InternalIP")?.address;
}
