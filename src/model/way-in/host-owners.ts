/**
 * Whose a host name is: of the namespace whose route for it is the oldest. What comes to a host (paths, cookies, proofs to authorities of
 * certificates) is its owner's, and nobody else's who may write in some namespace. Pure.
 */
import type { RouteEntry } from "../network.ts";
import { pathKey } from "./route-key.ts";

/** On an Ingress, a Marathon app: namespaces that may have routes for its hosts, too. */
export const SHARE_HOST = "styrmann.dev/share-host-with";

/** RFC 8555, 8.3. */
export const CHALLENGE_PATH = "/.well-known/acme-challenge";

export class HostOwners {
  readonly #oldest = new Map<string, RouteEntry>();

  /** `sorted`: oldest first. */
  constructor(sorted: readonly RouteEntry[]) {
    const owning = [...sorted.filter(({ isGranted }) => !isGranted), ...sorted.filter(({ isGranted }) => isGranted)];
    for (const route of owning) if (!this.#oldest.has(route.host)) this.#oldest.set(route.host, route);
    this.#oldest.delete("");
  }

  /** The route that makes the host its namespace's; undefined for every host, which is nobody's. A wildcard's owner has the names below that came later. */
  of(host: string): RouteEntry | undefined {
    const own = this.#oldest.get(host);
    const wild = host === "" ? undefined : this.#oldest.get(wildcardOf(host));
    if (own === undefined || wild === undefined || wild.isGranted) return own ?? wild;
    return (wild.since ?? "~") < (own.since ?? "~") ? wild : own;
  }

  /** Why this route may not have its host, in words. */
  refusal(route: RouteEntry): string | undefined {
    const owner = this.of(route.host);
    if (owner === undefined || route.isGranted) return undefined;
    const [theirs, mine] = [namespaceOfRoute(owner), namespaceOfRoute(route)];
    if (theirs === mine) return undefined;
    const shared = owner.sharesHostWith ?? [];
    if (!shared.includes(mine) && !shared.includes("*"))
      return `${owner.host} is ${theirs}'s (${owner.source} was there first), who can share it: ${SHARE_HOST}=${mine}`;
    // Who has the proof has certificates of the whole host.
    return `${pathKey(route.path)}/`.startsWith(`${CHALLENGE_PATH}/`)
      ? `proofs of ${owner.host} for certificates are ${theirs}'s alone`
      : undefined;
  }
}

export function namespaceOfRoute({ namespace, service }: RouteEntry): string {
  return namespace ?? service.split(/[:/]/, 1)[0] ?? "";
}

/** `*.example.org` of `www.example.org`. */
export function wildcardOf(host: string): string {
  return host.replace(/^[^.]*/, "*");
}

export function sharedWith(text: string | undefined): Pick<RouteEntry, "sharesHostWith"> {
  const names = (text ?? "").split(/[\s,]+/).filter((name) => name !== "");
  return names.length === 0 ? {} : { sharesHostWith: names };
}
