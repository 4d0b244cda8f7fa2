/** What of a served request is written down, and whether at all. Pure. Bodies, headers and tokens never come here: they are not in what is served. */
import type { Actor } from "../http/actor.ts";
import type { Served } from "../http/served.ts";
import type { AuditEntry } from "../model/user-reports.ts";

/** Reading these tells what is kept from others. */
const TELLING: ReadonlySet<string> = new Set(["secrets", "logs", "backup"]);
/** Of the query what says how something was done. Anything else may be a secret that somebody put there. */
const HARMLESS: readonly string[] = [
  ...["force", "dryRun", "namespace", "container", "gracePeriodSeconds", "propagationPolicy", "scale", "wipe"],
  ...["partialUpdate", "fieldManager", "previous", "follow", "watch"],
];
const HARMLESS_VALUE = /^[\w.:-]{0,63}$/;
const LONGEST_PATH = 512;
const LONGEST_NAME = 253;
const MOST_ROLES = 20;

/** Changes, commands and joining, whatever came of them; what was refused to whom; reading secrets and output. Not the links of machines. */
export function isAudited({ access: { verb, resource }, status, forwarded, params, method }: Served): boolean {
  if (forwarded) return false;
  if (status === 401 || status === 403 || status === 429) return true;
  // Servers say every few seconds that they are there.
  if (verb === "self" || verb === "peer") return false;
  // Anybody may ask which cluster this is.
  if (verb === "join") return resource === "hosts";
  if (verb === "exec" || (method !== "GET" && method !== "HEAD")) return true;
  return TELLING.has(resource) || /^secrets?$/i.test(params.kind ?? "");
}

export interface AuditMoment {
  readonly time: string;
  /** Name of the host that serves. */
  readonly server: string;
  readonly revision: number | undefined;
}

export function auditEntryOf(served: Served, { time, server, revision }: AuditMoment): AuditEntry {
  const { api, access, namespace, params, method, status, reason, via } = served;
  const name = served.subject ?? params.name ?? params.id ?? params.key;
  const query = harmlessOf(served.query);
  return {
    time,
    actor: served.actor,
    roles: rolesOf(served.who),
    from: served.from,
    ...(via === undefined ? {} : { via }),
    ...{ server, api, verb: access.verb, resource: access.resource },
    ...(namespace === undefined ? {} : { namespace: namespace.slice(0, LONGEST_NAME) }),
    ...(name === undefined ? {} : { name: name.slice(0, LONGEST_NAME) }),
    ...{ method, path: served.path.slice(0, LONGEST_PATH) },
    ...(query ? { query } : {}),
    ...{ status, result: resultOf(status) },
    ...(reason === undefined ? {} : { reason }),
    ...(revision === undefined ? {} : { revision }),
  };
}

function resultOf(status: number): AuditEntry["result"] {
  if (status < 400) return "done";
  return status < 500 ? "refused" : "failed";
}

function rolesOf(actor: Actor | undefined): readonly string[] {
  const scoped = Object.entries(actor?.rolesIn ?? {}).flatMap(([namespace, roles]) =>
    roles.map((role) => `${role}@${namespace}`),
  );
  return [...(actor?.roles ?? []), ...scoped].slice(0, MOST_ROLES);
}

function harmlessOf(query: URLSearchParams): Readonly<Record<string, string>> | undefined {
  const kept = HARMLESS.flatMap((name) => {
    const value = query.get(name);
    return value !== null && HARMLESS_VALUE.test(value) ? [[name, value] as const] : [];
  });
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}
