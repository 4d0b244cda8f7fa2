/**
 * Service ports that an app names itself. They are open at every host, so the cluster's own are none of an app's; one that
 * another has is accepted, as Marathon accepts it, and said: the older one keeps it.
 */
import { CLUSTER_NETWORK_NAME, clusterNetworks, networkInForce } from "../../model/cluster-network.ts";
import { servers } from "../../model/server.ts";
import { services } from "../../model/service.ts";
import type { Reader } from "../../store/transaction.ts";
import { type AppBody, type AppPort, isHostMode, portsOf } from "./app-definition.ts";
import type { Violation } from "./errors.ts";
import type { App } from "./kinds.ts";
import type { PlannedChange } from "./plan.ts";

export interface PortClaims {
  readonly violations: readonly Violation[];
  /** What is accepted, and why nobody is reached there yet. */
  readonly warnings: readonly PortWarning[];
}

export interface PortWarning {
  /** Of the app. */
  readonly id: string;
  readonly text: string;
}

interface Found {
  readonly violation?: Violation;
  readonly warning?: PortWarning;
}

/** `since`: RFC 3339, or NEW. */
interface Holder {
  readonly id: string;
  readonly who: string;
  readonly since: string;
}

interface Claimant extends Holder {
  readonly keys: ReadonlySet<string>;
}

/** After every moment. */
const NEW = "~";

const WIREGUARD = 51_820;

/** `present`: the apps as they are. What an app has already it keeps. */
export function portClaims(reader: Reader, changes: readonly PlannedChange[], present: readonly App[]): PortClaims {
  const own = ownPorts(reader);
  const claimants = claimantsOf(changes, present);
  const found = changes.flatMap(({ id, before, after }) => {
    const kept = new Set(claimed(before).map(({ key }) => key));
    const since = claimants.find((each) => each.id === id)?.since ?? "";
    return claimed(after).map((claim): Found => {
      const why = kept.has(claim.key) ? undefined : own.get(claim.key);
      if (why !== undefined) return violation(claim, `is ${why}: choose another`);
      const holder = holderOf(reader, id, claim, claimants);
      if (holder === undefined) return {};
      if (holder.since < since || (holder.since === since && holder.id < id))
        return { warning: { id, text: isAnothers(id, claim, holder) } };
      if (kept.has(claim.key) || since === NEW) return {};
      return violation(claim, `is ${holder.who}'s, which would lose it: choose another, or change that one first`);
    });
  });
  return {
    violations: found.flatMap(({ violation }) => violation ?? []),
    warnings: found.flatMap(({ warning }) => warning ?? []),
  };
}

function isAnothers(id: string, { port }: Claim, { who }: Holder): string {
  return `service port ${port} is ${who}'s, which was there before: ${id} is reached there once that one is gone`;
}

function violation({ field, port }: Claim, why: string): Found {
  return { violation: { field, message: `${port} ${why}` } };
}

/** All apps as they will be. */
function claimantsOf(changes: readonly PlannedChange[], present: readonly App[]): readonly Claimant[] {
  const apps = new Map(
    present.map(({ metadata, spec }) => [
      spec.definition.id,
      { since: metadata.creationTimestamp, app: spec.definition as AppBody },
    ]),
  );
  for (const { id, after } of changes) {
    if (after) apps.set(id, { since: apps.get(id)?.since ?? NEW, app: after });
    else apps.delete(id);
  }
  return [...apps].map(([id, { since, app }]) => {
    return { id, who: `app ${id}`, since, keys: new Set(claimed(app).map(({ key }) => key)) };
  });
}

/** `tcp/53`, and whose it is. */
function ownPorts(reader: Reader): ReadonlyMap<string, string> {
  const { vxlanPort } = networkInForce(reader.get(clusterNetworks, CLUSTER_NETWORK_NAME));
  const urls = reader.list(servers).flatMap(({ spec }) => (URL.canParse(spec.url) ? [new URL(spec.url)] : []));
  return new Map([
    ...["tcp/53", "udp/53"].map((key) => [key, "where the cluster answers names"] as const),
    ...urls.map(({ port }) => [`tcp/${port || 443}`, "the control plane's"] as const),
    [`udp/${vxlanPort}`, "the hosts' own (VXLAN)"],
    [`udp/${WIREGUARD}`, "the hosts' own (WireGuard)"],
  ]);
}

interface Claim {
  /** `tcp/10001`. */
  readonly key: string;
  readonly port: number;
  readonly field: string;
}

function claimed(app: AppBody | undefined): readonly Claim[] {
  if (app === undefined) return [];
  const fieldOf = (at: number) =>
    isHostMode(app) ? `/portDefinitions(${at})/port` : `/container/portMappings(${at})/servicePort`;
  return portsOf(app).flatMap(({ servicePort, protocol }: AppPort, at) =>
    servicePort === 0
      ? []
      : protocol.split(",").map((each) => ({ key: `${each}/${servicePort}`, port: servicePort, field: fieldOf(at) })),
  );
}

function holderOf(reader: Reader, id: string, { key }: Claim, claimants: readonly Claimant[]): Holder | undefined {
  const [protocol = "", port = ""] = key.split("/");
  const taken = reader.by(services, "nodePort", `${protocol.toUpperCase()}/${port}`).map(({ metadata }): Holder => {
    const name = `${metadata.namespace}/${metadata.name}`;
    return { id: name, who: `Service ${name}`, since: metadata.creationTimestamp };
  });
  const others = claimants.filter((each) => each.id !== id && each.keys.has(key));
  return [...others, ...taken].sort((a, b) => (`${a.since} ${a.id}` < `${b.since} ${b.id}` ? -1 : 1))[0];
}
