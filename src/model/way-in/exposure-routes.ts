/** What `styr expose` wrote, as a route and as endpoints. Pure. */
import { createHash } from "node:crypto";
import { childPlace, type Place } from "../child-place.ts";
import { dialectOf, KUBERNETES } from "../dialect.ts";
import { endpointState } from "../endpoint-state.ts";
import type { Exposure } from "../exposure.ts";
import { controllerOf } from "../meta.ts";
import type { EndpointEntry, RouteEntry, RouteTls } from "../network.ts";
import { isTerminal, type Pod } from "../pod.ts";
import { ANNOTATION } from "../well-known.ts";
import { acmeTls, type SecretVersion } from "./acme-secret.ts";

export const EXPOSED_PORT = "http";

/** By host and path, as an object's name may be. */
export function exposureName(host: string, path: string): string {
  const place = host === "" ? "every-host" : host.replace(/^\*/, "wildcard");
  if (path === "/") return place;
  return `${place}.${createHash("sha256").update(path).digest("hex").slice(0, 10)}`;
}

export function serviceOfExposure({ metadata }: Exposure): string {
  return `exposure:${metadata.name}`;
}

export function exposureRoute(exposure: Exposure, versionOf: SecretVersion): RouteEntry {
  const { metadata, spec } = exposure;
  const { dialect, namespace = dialect, name } = spec.workload;
  const tls = tlsOf(spec, versionOf);
  return {
    ...{ kind: "route", id: `exposure:${metadata.name}`, host: spec.host, path: spec.path, pathType: "prefix" },
    ...{ service: serviceOfExposure(exposure), port: EXPOSED_PORT },
    ...(tls ? { tls } : {}),
    ...(spec.redirectsToHttps ? { redirectsToHttps: true } : {}),
    source: `styr expose ${dialect} ${name}`,
    namespace,
    ...(spec.isGranted ? { isGranted: true } : {}),
    since: metadata.creationTimestamp,
  };
}

function tlsOf({ host, tls }: Exposure["spec"], versionOf: SecretVersion): RouteTls | undefined {
  if (tls?.acme) return acmeTls(host, versionOf);
  if (tls?.secret !== undefined) return { secret: tls.secret, version: versionOf(tls.secret) ?? "" };
  return tls?.file === undefined ? undefined : { file: tls.file };
}

/** What a workload's pods have in common, whoever made them. */
export function workloadKey({ dialect, namespace, name }: Exposure["spec"]["workload"]): string {
  return `${dialect}\n${namespace ?? ""}\n${name}`;
}

/**
 * Keys of the workloads that a pod is a copy of: by its annotations, by its controller, and by its own name. Workloads of
 * dialects without namespaces have a key without one, which only pods of the dialect's own have.
 */
export function workloadKeysOf(pod: Pod): readonly string[] {
  const { namespace = "", name, annotations } = pod.metadata;
  const dialect = dialectOf(pod);
  const names = [annotations?.[ANNOTATION.workload], controllerOf(pod)?.name, name];
  const known = new Set(names.filter((each) => each !== undefined));
  const places = dialect === KUBERNETES ? [namespace] : [namespace, ""];
  return [...known].flatMap((each) => places.map((place) => `${dialect}\n${place}\n${each}`));
}

export interface ExposedPod {
  readonly port: number;
  readonly endpoint: EndpointEntry;
}

/** Where a pod answers; undefined when it does nowhere (yet). `port`: as its users write it, of the container. */
export function exposedPod(pod: Pod, port: number | undefined): ExposedPod | undefined {
  const { metadata, spec, status } = pod;
  if (isTerminal(pod)) return undefined;
  const place = placeOf(pod, port);
  if (place === undefined) return undefined;
  const state = endpointState(pod);
  if (status.phase !== "Running" && state !== "draining") return undefined;
  const node = spec.nodeName;
  const identity = { pod: `${metadata.namespace}/${metadata.name}`, uid: metadata.uid };
  return { port: place.port, endpoint: { address: place.address, state, ...(node ? { node } : {}), ...identity } };
}

function placeOf(pod: Pod, wanted: number | undefined): Place | undefined {
  const { containerStatuses = [], hostIP } = pod.status;
  const children = containerStatuses.flatMap((container) => container.children ?? []);
  return childPlace(children, hostIP, wanted) ?? ownPlace(pod, wanted);
}

function ownPlace({ spec, status }: Pod, wanted: number | undefined): Place | undefined {
  const ports = spec.containers.flatMap((container) => container.ports ?? []);
  const tcp = ports.filter(({ protocol }) => (protocol ?? "TCP") === "TCP");
  const said =
    wanted === undefined ? tcp[0] : tcp.find((port) => port.containerPort === wanted || port.hostPort === wanted);
  const onHost = spec.hostNetwork === true || status.podIP === status.hostIP;
  const own = said?.containerPort ?? wanted;
  // On a network of the user's its host answers for it, at what is published there.
  const isElsewhere = !onHost && status.podIP === undefined;
  const address = onHost || isElsewhere ? status.hostIP : status.podIP;
  const port = isElsewhere ? said?.hostPort : onHost ? (said?.hostPort ?? own) : own;
  return address && port ? { address, port } : undefined;
}
