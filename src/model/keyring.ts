import { defineKind, type ObjectMeta } from "./meta.ts";

/** The keys that sealed kinds are encrypted with, themselves encrypted with the master key; one object, named `keyring`. */
export interface Keyring {
  readonly apiVersion: string;
  readonly kind: "Keyring";
  readonly metadata: ObjectMeta;
  readonly spec: KeyringSpec;
}

export interface KeyringSpec {
  /** Where the master key comes from. */
  readonly master: KeyringMaster;
  readonly dataKeys: readonly WrappedKey[];
  /** Id of the data key that is written with. */
  readonly primary: string;
  /** No row of a sealed kind is in clear any more: one that is was put there by somebody else. */
  readonly isComplete?: true;
  /** Of which kinds that is so. Absent in a keyring of an earlier program: of those that it sealed. */
  readonly completeKinds?: readonly string[];
  /** HMAC-SHA256 with the master key over all of the above, in hex. */
  readonly mac: string;
}

export type KeyringMaster =
  | { readonly type: "file"; readonly id: string }
  | {
      readonly type: "passphrase";
      readonly id: string;
      /** Base64. */
      readonly salt: string;
      /** Of scrypt (RFC 7914). */
      readonly cost: number;
      readonly blockSize: number;
      readonly parallelization: number;
    };

export interface WrappedKey {
  readonly id: string;
  readonly madeAt: string;
  /** Base64 of nonce, tag and ciphertext. */
  readonly wrapped: string;
}

export const KEYRING_NAME = "keyring";

export const keyrings = defineKind<Keyring>("Keyring", "styrmann.dev/v1", "cluster", {}, { isHidden: true });
