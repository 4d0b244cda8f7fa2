/** `node` and `server` are machines of the cluster, proved by a certificate of its CA; the others are people and programs. */
export type Role = "admin" | "operator" | "viewer" | "node" | "server";

/** Who asks. Made by app/ from the connection: the unix socket, a client certificate, a token. */
export interface Actor {
  readonly name: string;
  /** In the whole cluster. */
  readonly roles: readonly Role[];
  /** Further roles, in one namespace each. */
  readonly rolesIn?: Readonly<Record<string, readonly Role[]>>;
}

/**
 * What a route does, for authorisation and for the audit log. `read` changes nothing; `exec` runs commands in containers;
 * `link` is what a node says for itself; `peer` what servers say to each other; `self` is about whoever asks, and for all
 * who are known; `join` is for nobody known: the token in the body is the proof.
 */
export interface Access {
  readonly verb: "read" | "write" | "exec" | "admin" | "link" | "peer" | "self" | "join";
  /** The dialect's plural: `units`, `apps`, `pods`. */
  readonly resource: string;
  /** Where it is done; without it in the namespace that the path names (`:namespace`), else in the whole cluster. */
  readonly reach?: Reach;
}

/**
 * `own part`: whoever has the right in any namespace may ask, and the handler shows and touches no more than the
 * namespaces where he has it (`namespacesFor`).
 */
export type Reach = { readonly namespace: string } | { readonly namespaceParam: string } | "own part" | "whole cluster";

const ALLOWED: Readonly<Record<Role, readonly Access["verb"][]>> = {
  admin: ["read", "write", "exec", "admin"],
  operator: ["read", "write", "exec"],
  viewer: ["read"],
  node: ["link"],
  server: ["link", "peer"],
};

/** What may be granted for a namespace: a machine belongs to the whole cluster. */
const ROLES_OF_PEOPLE: readonly Role[] = ["admin", "operator", "viewer"];

/** Deny by default. Without a namespace: in the whole cluster. */
export function authorize(actor: Actor, access: Access, namespace?: string): boolean {
  if (access.verb === "join" || access.verb === "self") return true;
  const needed = neededVerb(access);
  if (allow(actor.roles, needed)) return true;
  return namespace !== undefined && allow(rolesIn(actor, namespace), needed);
}

/** The namespaces in which the actor may, sorted; undefined when in all of them. */
export function namespacesFor(actor: Actor, access: Access): readonly string[] | undefined {
  if (authorize(actor, access)) return undefined;
  return Object.keys(actor.rolesIn ?? {})
    .filter((namespace) => authorize(actor, access, namespace))
    .sort();
}

/** Where a request with these path parameters would act; undefined: in the whole cluster. */
export function namespaceOf({ reach }: Access, params: Readonly<Record<string, string>>): string | undefined {
  if (reach === undefined) return params.namespace;
  if (reach === "own part" || reach === "whole cluster") return undefined;
  return "namespace" in reach ? reach.namespace : params[reach.namespaceParam];
}

/** Whether a request may go on to its handler. */
export function mayAsk(actor: Actor, access: Access, params: Readonly<Record<string, string>>): boolean {
  if (access.reach === "own part") return namespacesFor(actor, access)?.length !== 0;
  return authorize(actor, access, namespaceOf(access, params));
}

/** Secrets are for those who may write. */
function neededVerb({ verb, resource }: Access): Access["verb"] {
  return verb === "read" && resource === "secrets" ? "write" : verb;
}

function rolesIn({ rolesIn: granted = {} }: Actor, namespace: string): readonly Role[] {
  const roles = Object.hasOwn(granted, namespace) ? (granted[namespace] ?? []) : [];
  return roles.filter((role) => ROLES_OF_PEOPLE.includes(role));
}

function allow(roles: readonly Role[], verb: Access["verb"]): boolean {
  return roles.some((role) => ALLOWED[role].includes(verb));
}
