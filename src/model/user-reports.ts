/** What our own endpoints say about people, programs and what they did; read by the command line. */
import type { Grant } from "./user.ts";

export interface UserReport {
  readonly name: string;
  readonly about?: string;
  readonly grants: readonly Grant[];
  readonly tokens: readonly UserTokenReport[];
  readonly createdAt: string;
}

export interface UserTokenReport {
  readonly id: string;
  readonly about?: string;
  readonly madeAt: string;
  /** Absent: never. */
  readonly expiresAt?: string;
  readonly isExpired: boolean;
}

/** Given once, to whoever made it. */
export interface NewUserToken {
  readonly user: string;
  readonly id: string;
  readonly token: string;
  readonly expiresAt?: string;
  /** `https://HOST:PORT` of the servers. */
  readonly servers: readonly string[];
  /** PEM of the CAs to believe; absent while the cluster's trust is not in the store. */
  readonly caPem?: string;
}

export interface WhoAmIReport {
  readonly name: string;
  /** In the whole cluster. */
  readonly roles: readonly string[];
  readonly rolesIn: Readonly<Record<string, readonly string[]>>;
}

/** One line of the audit log: who asked for what, from where, and what came of it. Never a body, a header or a token. */
export interface AuditEntry {
  readonly time: string;
  /** "" when nobody known asked. */
  readonly actor: string;
  /** `admin`; `viewer@shop` for a role in one namespace. */
  readonly roles: readonly string[];
  readonly from: string;
  /** The server that passed the request on. */
  readonly via?: string;
  /** The server that carried it out. */
  readonly server: string;
  readonly api: string;
  readonly verb: string;
  readonly resource: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  /** Of the query only what says how, and can hold no secret. */
  readonly query?: Readonly<Record<string, string>>;
  readonly status: number;
  readonly result: "done" | "refused" | "failed";
  /** Why not, in a word. */
  readonly reason?: string;
  /** The store's revision when it was answered. */
  readonly revision?: number;
  /** Lines like this one that were left out, because too many came from there; or that no disk took. */
  readonly leftOut?: number;
}
