export type Role = "admin" | "operator" | "viewer" | "node";

/** Who asks. Made by app/ from the connection: the unix socket, a client certificate, a token. */
export interface Actor {
  readonly name: string;
  readonly roles: readonly Role[];
}

/** What a route does, for authorisation and for the audit log. `read` changes nothing; `exec` runs commands in containers. */
export interface Access {
  readonly verb: "read" | "write" | "exec" | "admin";
  /** The dialect's plural: `units`, `apps`, `pods`. */
  readonly resource: string;
}

const ALLOWED: Readonly<Record<Role, readonly Access["verb"][]>> = {
  admin: ["read", "write", "exec", "admin"],
  operator: ["read", "write", "exec"],
  viewer: ["read"],
  node: [],
};

/** Deny by default. Secrets are for those who may write. */
export function authorize(actor: Actor, { verb, resource }: Access): boolean {
  const needed = verb === "read" && resource === "secrets" ? "write" : verb;
  return actor.roles.some((role) => ALLOWED[role].includes(needed));
}
