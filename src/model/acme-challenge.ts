import { defineKind, type ObjectMeta } from "./meta.ts";

/** A proof that is asked for over HTTP while a certificate is ordered (RFC 8555, 8.3). Named by its token's digest; gone with the order. */
export interface AcmeChallenge {
  readonly apiVersion: string;
  readonly kind: "AcmeChallenge";
  readonly metadata: ObjectMeta;
  readonly spec: { readonly token: string; readonly answer: string; readonly host: string };
}

export const acmeChallenges = defineKind<AcmeChallenge>(
  "AcmeChallenge",
  "styrmann.dev/v1",
  "cluster",
  {},
  { isHidden: true },
);
