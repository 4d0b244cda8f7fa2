/** Who asks for the certificate of a host by ACME, and may have it. Pure. */
import { type Exposure, exposures } from "../exposure.ts";
import { ingresses } from "../ingress.ts";
import type { StoredObject } from "../meta.ts";
import type { RouteEntry } from "../network.ts";
import type { WorkloadReader } from "../workload.ts";
import { byAge } from "./contest.ts";
import { exposureRoute } from "./exposure-routes.ts";
import { HostOwners } from "./host-owners.ts";
import { ingressRoutes } from "./ingress-routes.ts";
import { hostsOfExposure, hostsOfIngress } from "./route-secrets.ts";

/** Routes that dialects have in ways of their own. */
export type RouteLists = readonly ((reader: WorkloadReader) => readonly RouteEntry[])[];

export interface CertificateAskers {
  /** Host → who asked; sorted by host. */
  readonly wanted: ReadonlyMap<string, readonly StoredObject[]>;
  /** Somebody asks for the certificate of a host that is another namespace's: it could not be proved, and would be shown to nobody. */
  readonly isAnyRefused: boolean;
}

interface Asker {
  readonly object: StoredObject;
  readonly hosts: readonly string[];
  readonly routes: readonly RouteEntry[];
  readonly routesOf: ReadonlyMap<string, readonly RouteEntry[]>;
}

/** What each object asks for, as it is: stored objects do not change. */
export type AskerMemo = WeakMap<StoredObject, Asker>;

export function certificateAskers(
  reader: WorkloadReader,
  lists: RouteLists,
  memo: AskerMemo = new WeakMap(),
): CertificateAskers {
  const all = askers(reader, memo);
  if (all.every(({ hosts }) => hosts.length === 0)) return { wanted: new Map(), isAnyRefused: false };
  const told = [...all.flatMap(({ routes }) => routes), ...lists.flatMap((list) => list(reader))];
  const owners = new HostOwners(told.sort(byAge));
  const asked = all.flatMap((asker) => asker.hosts.map((host) => ({ host, asker })));
  const allowed = asked.filter(({ host, asker }) => mayHave(owners, asker, host));
  const byHost = Map.groupBy(allowed, ({ host }) => host);
  const sorted = [...byHost].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    wanted: new Map(sorted.map(([host, each]) => [host, each.map(({ asker }) => asker.object)])),
    isAnyRefused: allowed.length < asked.length,
  };
}

/** In whose name a host's certificate is ordered: of several who may have it, who has asked for the longest. */
export function namespaceOfAskers(objects: readonly StoredObject[]): string {
  const since = ({ metadata }: StoredObject) => metadata.creationTimestamp;
  const [oldest] = [...objects].sort((a, b) => (since(a) < since(b) ? -1 : since(a) > since(b) ? 1 : 0));
  return oldest === undefined ? "" : namespaceOf(oldest);
}

function namespaceOf(object: StoredObject): string {
  if (object.kind !== "Exposure") return object.metadata.namespace ?? "default";
  const { namespace, dialect } = (object as Exposure).spec.workload;
  return namespace ?? dialect;
}

function askers(reader: WorkloadReader, memo: AskerMemo): readonly Asker[] {
  const none = () => undefined;
  return [
    ...reader.list(exposures).map((each) => remembered(memo, each, hostsOfExposure, () => [exposureRoute(each, none)])),
    ...reader
      .list(ingresses)
      .map((each) => remembered(memo, each, hostsOfIngress, () => ingressRoutes(each, none).routes)),
  ];
}

function remembered<T extends StoredObject>(
  memo: AskerMemo,
  object: T,
  hostsOf: (object: T) => readonly string[],
  routesOf: () => readonly RouteEntry[],
): Asker {
  const known = memo.get(object);
  if (known !== undefined) return known;
  const [hosts, routes] = [[...new Set(hostsOf(object))], routesOf()];
  const asker = { object, hosts, routes, routesOf: Map.groupBy(routes, ({ host }) => host) };
  memo.set(object, asker);
  return asker;
}

/** By one of its routes for the host, or as one for the whole of it where it has none. */
function mayHave(owners: HostOwners, { object, routesOf }: Asker, host: string): boolean {
  const own = routesOf.get(host) ?? [];
  if (own.length > 0) return own.some((route) => owners.refusal(route) === undefined);
  const { namespace = "default", name } = object.metadata;
  const whole = { kind: "route", id: name, host, path: "/", pathType: "prefix", service: "", port: "" } as const;
  return owners.refusal({ ...whole, source: name, namespace }) === undefined;
}
