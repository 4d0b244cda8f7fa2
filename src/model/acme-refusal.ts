import { defineKind, type ObjectMeta } from "./meta.ts";

/** That an authority gave no certificate for a host, and when it is asked again, whoever leads then. Named by the host; gone with a certificate. */
export interface AcmeRefusal {
  readonly apiVersion: string;
  readonly kind: "AcmeRefusal";
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly host: string;
    /** Whom, and as whom: with other settings it is asked at once. */
    readonly directory: string;
    readonly email: string;
    readonly failures: number;
    readonly againAtMs: number;
    /** In the authority's words. */
    readonly why: string;
  };
}

export const acmeRefusals = defineKind<AcmeRefusal>(
  "AcmeRefusal",
  "styrmann.dev/v1",
  "cluster",
  {},
  { isHidden: true },
);

/** Whether it was said to the same account of the same authority. */
export function isRefusalOf(
  { spec }: AcmeRefusal,
  settings: { readonly acmeDirectory: string; readonly acmeEmail: string },
): boolean {
  return spec.directory === settings.acmeDirectory && spec.email === settings.acmeEmail;
}
