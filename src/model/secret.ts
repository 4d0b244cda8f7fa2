import { defineKind, type ObjectMeta } from "./meta.ts";

/** Kubernetes' core/v1 Secret. */
export interface Secret {
  readonly apiVersion: string;
  readonly kind: "Secret";
  readonly metadata: ObjectMeta;
  readonly type?: string;
  /** Values in base64. */
  readonly data?: Readonly<Record<string, string>>;
  readonly immutable?: boolean;
}

export const secrets = defineKind<Secret>("Secret", "v1", "namespaced", {}, { isSealed: true });
