import { defineKind, type ObjectMeta } from "./meta.ts";

/** A person or a program that asks for things. */
export interface User {
  readonly apiVersion: string;
  readonly kind: "User";
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly grants: readonly Grant[];
    readonly tokens: readonly UserToken[];
    /** Words about who it is. */
    readonly about?: string;
  };
}

export interface Grant {
  readonly role: "admin" | "operator" | "viewer";
  /** Absent: in the whole cluster. */
  readonly namespace?: string;
}

export interface UserToken {
  /** Public; part of the token, so that it is found without trying all. */
  readonly id: string;
  /** SHA-256 of the secret part, which has 192 bits of chance, in hex. */
  readonly secretHash: string;
  readonly madeAt: string;
  /** RFC 3339; absent: does not expire. */
  readonly expiresAt?: string;
  readonly about?: string;
}

export const users = defineKind<User>(
  "User",
  "styrmann.dev/v1",
  "cluster",
  { token: ({ spec }) => spec.tokens.map(({ id }) => id) },
  { isSealed: true, isHidden: true },
);
