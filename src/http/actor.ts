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
 * `link` is what a node says for itself; `peer` what servers say to each other; `join` is for nobody known: the token in
 * the body is the proof.
 */
export interface Access {
  readonly verb: "read" | "write" | "exec" | "admin" | "link" | "peer" | "join";
  /** The dialect's plural: `units`, `apps`, `pods`. */
  readonly resource: string;
}

const ALLOWED: Readonly<Record<Role, readonly Access["verb"][]>> = {
  admin: ["read", "write", "exec", "admin"],
  operator: ["read", "write", "exec"],
  viewer: ["read"],
  node: ["link"],
  server: ["link", "peer"],
};

/** Deny by default. Secrets are for those who may write. */
export function authorize(actor: Actor, { verb, resource }: Access): boolean {
  const needed = verb === "read" && resource === "secrets" ? "write" : verb;
  return actor.roles.some((role) => ALLOWED[role].includes(needed));
}
