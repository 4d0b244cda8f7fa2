/**
 * Which endpoints nodes are told of: each is a line of every node's rules for each of its ports, and a namespace may have so many of them
 * together. Whose Service is older comes first, then whose slice is, and a slice is told whole or not at all. A matter of what is stored
 * alone: every server that leads, and every screen, comes to the same. Looks at nothing while a namespace has no more than it may, and
 * otherwise at that namespace.
 */
import { type EndpointSlice, SERVICE_LABEL } from "./endpoint-slice.ts";
import { keyOf } from "./meta.ts";
import { affinitySecondsOf, type Service } from "./service.ts";

/** What is not told of a Service, in numbers. */
export interface LeftOut {
  /** Endpoints that nodes are told of, and all that there are. */
  readonly told: number;
  readonly endpoints: number;
  readonly namespace: string;
  /** Endpoints times ports that the namespace's Services may have, and that they would have. */
  readonly most: number;
  readonly targets: number;
}

/** What is otherwise than it was: keys of slices that are told now and were not, or the other way round, and whose they are. */
export interface Turned {
  readonly slices: ReadonlySet<string>;
  readonly services: ReadonlySet<string>;
}

interface SliceClaim {
  readonly key: string;
  readonly since: string;
  readonly endpoints: number;
  readonly targets: number;
}

/** What of a Service counts. */
export interface ServiceTerms {
  readonly since: string;
  /** So many times each endpoint and port counts. */
  readonly weight: number;
}

type TermsOf = (service: string) => ServiceTerms | undefined;

interface ServiceClaim {
  readonly id: string;
  since: string | undefined;
  weight: number;
  /** Times their weight. */
  targets: number;
  readonly slices: Map<string, SliceClaim>;
}

interface Share {
  readonly namespace: string;
  readonly services: Map<string, ServiceClaim>;
  targets: number;
  /** Keys of slices. */
  leftOut: ReadonlySet<string>;
  /** Oldest first; absent when it is to be sorted again. */
  ordered?: readonly ServiceClaim[] | undefined;
}

export class EndpointShares {
  readonly #shares = new Map<string, Share>();
  /** Slice → whose it is. */
  readonly #serviceOf = new Map<string, string>();
  readonly #unsettled = new Set<Share>();
  /** Services of which a slice has gone that was left out. */
  readonly #relieved = new Set<string>();
  #most = Number.POSITIVE_INFINITY;

  /** What a slice asks for from now on; undefined: nothing. One of a Service that is not there comes last. */
  claim(key: string, slice: EndpointSlice | undefined, termsOf: TermsOf): void {
    const service = slice === undefined ? undefined : serviceOf(slice);
    const before = this.#serviceOf.get(key);
    if (before !== undefined && before !== service) this.#drop(key, before);
    if (slice === undefined || service === undefined) return;
    const { share, claim } = this.#claimOf(service, termsOf);
    const had = claim.slices.get(key);
    const { creationTimestamp: since } = slice.metadata;
    const now: SliceClaim = { ...{ key, since }, endpoints: slice.endpoints?.length ?? 0, targets: targetsOf(slice) };
    claim.slices.set(key, now);
    this.#serviceOf.set(key, service);
    if (had?.targets !== now.targets || had.since !== since)
      this.#count(share, claim, now.targets - (had?.targets ?? 0));
  }

  /** A Service has come, is another, or has gone (undefined): its slices have another place. */
  setTerms(service: string, terms: ServiceTerms | undefined): void {
    const share = this.#shares.get(namespaceOf(service));
    const claim = share?.services.get(service);
    if (share === undefined || claim === undefined) return;
    const { since, weight = 1 } = terms ?? {};
    if (claim.since === since && claim.weight === weight) return;
    const before = claim.targets;
    claim.since = since;
    claim.targets = (before / claim.weight) * weight;
    claim.weight = weight;
    share.targets += claim.targets - before;
    share.ordered = undefined;
    this.#unsettled.add(share);
  }

  settle(most: number): Turned {
    const unsettled = most === this.#most ? [...this.#unsettled] : [...this.#shares.values()];
    this.#most = most;
    this.#unsettled.clear();
    const slices = new Set<string>();
    for (const share of unsettled) {
      const before = share.leftOut;
      if (share.targets <= most && before.size === 0) continue;
      share.leftOut = share.targets <= most ? new Set() : this.#choose(share);
      for (const key of before) if (!share.leftOut.has(key)) slices.add(key);
      for (const key of share.leftOut) if (!before.has(key)) slices.add(key);
    }
    const services = new Set([...this.#relieved, ...[...slices].flatMap((key) => this.#serviceOf.get(key) ?? [])]);
    this.#relieved.clear();
    return { slices, services };
  }

  isLeftOut(key: string): boolean {
    const service = this.#serviceOf.get(key);
    return service !== undefined && this.#shares.get(namespaceOf(service))?.leftOut.has(key) === true;
  }

  /** Undefined for a Service of which all is told. */
  leftOut(service: string): LeftOut | undefined {
    const share = this.#shares.get(namespaceOf(service));
    const slices = share?.leftOut.size ? share.services.get(service)?.slices : undefined;
    if (share === undefined || slices === undefined) return undefined;
    let [told, endpoints] = [0, 0];
    for (const slice of slices.values()) {
      endpoints += slice.endpoints;
      if (!share.leftOut.has(slice.key)) told += slice.endpoints;
    }
    const { namespace, targets } = share;
    return told === endpoints ? undefined : { told, endpoints, namespace, targets, most: this.#most };
  }

  /** A slice that has no room leaves it to those after it. */
  #choose(share: Share): ReadonlySet<string> {
    share.ordered ??= [...share.services.values()].sort((a, b) => byAge(a.since, a.id, b.since, b.id));
    const out = new Set<string>();
    let room = this.#most;
    for (const { targets, weight, slices } of share.ordered) {
      if (targets <= room) {
        room -= targets;
        continue;
      }
      for (const slice of [...slices.values()].sort((a, b) => byAge(a.since, a.key, b.since, b.key)))
        if (slice.targets * weight <= room) room -= slice.targets * weight;
        else out.add(slice.key);
    }
    return out;
  }

  #claimOf(service: string, termsOf: TermsOf): { share: Share; claim: ServiceClaim } {
    const namespace = namespaceOf(service);
    const share = this.#shares.get(namespace) ?? newShare(namespace);
    this.#shares.set(namespace, share);
    const known = share.services.get(service);
    if (known !== undefined) return { share, claim: known };
    const { since, weight = 1 } = termsOf(service) ?? {};
    const claim: ServiceClaim = { ...{ id: service, since, weight, targets: 0 }, slices: new Map() };
    share.services.set(service, claim);
    share.ordered = undefined;
    return { share, claim };
  }

  #drop(key: string, service: string): void {
    this.#serviceOf.delete(key);
    const share = this.#shares.get(namespaceOf(service));
    const claim = share?.services.get(service);
    const slice = claim?.slices.get(key);
    if (share === undefined || claim === undefined || slice === undefined) return;
    claim.slices.delete(key);
    if (share.leftOut.has(key)) this.#relieved.add(service);
    this.#count(share, claim, -slice.targets);
    if (claim.slices.size > 0) return;
    share.services.delete(service);
    share.ordered = undefined;
    if (share.services.size === 0) this.#shares.delete(share.namespace);
  }

  #count(share: Share, claim: ServiceClaim, more: number): void {
    share.targets += more * claim.weight;
    claim.targets += more * claim.weight;
    this.#unsettled.add(share);
  }
}

/** A client that is remembered is an element of a set: those of a node's own pods are few, those from outside are not (network/services/nft/render-service.ts). */
const STICKY = 5;
const STICKY_OUTSIDE = 50;

export function termsOf(service: Service): ServiceTerms {
  const isOutside = service.spec.ports?.some(({ nodePort }) => nodePort !== undefined) === true;
  const isSticky = affinitySecondsOf(service) !== undefined;
  return {
    since: service.metadata.creationTimestamp,
    weight: !isSticky ? 1 : isOutside ? STICKY_OUTSIDE : STICKY,
  };
}

function newShare(namespace: string): Share {
  return { namespace, services: new Map(), targets: 0, leftOut: new Set() };
}

/** In one clear sentence, for whoever looks at the Service. */
export function leftOutWords({ told, endpoints, namespace, most, targets }: LeftOut): string {
  return `nodes are told of ${told} of its ${endpoints} endpoints: all Services of namespace ${namespace} may have ${most} endpoints times ports (styr settings: service-endpoints-per-namespace) and ask for ${targets}; older Services come first`;
}

/** One without endpoints or ports is something to tell all the same. Addresses of other kinds than the pod network's are told nowhere. */
function targetsOf({ endpoints, ports }: EndpointSlice): number {
  return Math.max(1, endpoints?.length ?? 0) * Math.max(1, ports?.length ?? 0);
}

function serviceOf({ metadata, addressType }: EndpointSlice): string | undefined {
  const name = metadata.labels?.[SERVICE_LABEL];
  return name === undefined || addressType !== "IPv4" ? undefined : keyOf({ metadata: { ...metadata, name } });
}

function namespaceOf(service: string): string {
  return service.slice(0, service.indexOf("/"));
}

/** Of one second, by name; whose age nobody knows comes last. */
function byAge(a: string | undefined, aName: string, b: string | undefined, bName: string): number {
  const [x, y] = [a ?? "~", b ?? "~"];
  if (x !== y) return x < y ? -1 : 1;
  return aName < bName ? -1 : aName > bName ? 1 : 0;
}
