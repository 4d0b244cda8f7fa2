import { defineKind, type ObjectMeta } from "./meta.ts";

/** Kubernetes' core/v1 ConfigMap. */
export interface ConfigMap {
  readonly apiVersion: string;
  readonly kind: "ConfigMap";
  readonly metadata: ObjectMeta;
  readonly data?: Readonly<Record<string, string>>;
  /** Values in base64. */
  readonly binaryData?: Readonly<Record<string, string>>;
  readonly immutable?: boolean;
}

export const configMaps = defineKind<ConfigMap>("ConfigMap", "v1", "namespaced");
