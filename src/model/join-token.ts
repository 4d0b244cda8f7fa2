import { defineKind, type ObjectMeta } from "./meta.ts";

/** Lets a host become part of the cluster. Named by its public id; the secret itself is kept nowhere. */
export interface JoinToken {
  readonly apiVersion: string;
  readonly kind: "JoinToken";
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly role: "agent" | "server";
    /** SHA-256 of the secret, in hex. */
    readonly secretHash: string;
    /** RFC 3339. */
    readonly expiresAt: string;
    /** How many hosts it is good for. */
    readonly uses: number;
    readonly madeBy: string;
    /** RFC 3339; it is kept a while, so that a host that brings it can be told. */
    readonly revokedAt?: string;
    /** Hosts that have joined with it. The same host may ask again, with the same key: its answer may have been lost. */
    readonly used: readonly {
      readonly host: string;
      readonly machineId: string;
      /** SHA-256 of its public key, in hex. */
      readonly keyHash: string;
      readonly at: string;
    }[];
  };
}

export const joinTokens = defineKind<JoinToken>(
  "JoinToken",
  "styrmann.dev/v1",
  "cluster",
  {},
  { isSealed: true, isHidden: true },
);
