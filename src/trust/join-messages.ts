/** What a host that joins and the server that takes it in say to each other: POST /styr/v1/join. */
import type { JoinRole } from "./token-text.ts";

export interface JoinRequest {
  /** As pasted. */
  readonly token: string;
  readonly nodeName: string;
  /** machine-id(5). */
  readonly machineId: string;
  readonly csrPem: string;
  /** The host's clock, in milliseconds since the epoch. */
  readonly sentAtMs: number;
  readonly version: string;
}

export interface JoinAnswer {
  readonly clusterId: string;
  readonly role: JoinRole;
  readonly nodeName: string;
  /** CN=NODE, O=styrmann:node. */
  readonly certPem: string;
  readonly caPem: string;
  readonly servers: readonly string[];
  /** For a server: what it needs to be one. */
  readonly serverKit?: ServerKit;
}

/** All that one server has and the next one needs, so that nothing is copied by hand. As secret as can be. */
export interface ServerKit {
  readonly caKeyPem: string;
  /** In hex; opens what is sealed in the store; absent when a passphrase does, which people give to every server. */
  readonly masterKey?: string;
  readonly store: StoreKit;
}

export interface StoreKit {
  /** `etcd://HOST:PORT,…`. */
  readonly url: string;
  readonly prefix?: string;
  /** Contents of the PEM files. */
  readonly caPem?: string;
  readonly certPem?: string;
  readonly keyPem?: string;
  readonly user?: string;
  readonly password?: string;
}

/** What a host says for itself: a new key to be signed, which CAs it believes, or both. POST /styr/v1/certificates. */
export interface CertificateRequest {
  readonly csrPem?: string;
  /** A server signs for itself and says what it has. */
  readonly certPem?: string;
  /** Hashes of public keys, in hex. */
  readonly believes: readonly string[];
}

export interface CertificateAnswer {
  readonly certPem?: string;
  readonly caPem: string;
}
