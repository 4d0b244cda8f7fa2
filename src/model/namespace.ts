import { defineKind, type ObjectMeta } from "./meta.ts";

export interface Namespace {
  readonly apiVersion: string;
  readonly kind: "Namespace";
  readonly metadata: ObjectMeta;
  readonly spec: { readonly finalizers?: readonly string[] };
  readonly status: { readonly phase: "Active" | "Terminating" };
}

/** Kubernetes gives it to every namespace. */
export const NAMESPACE_NAME_LABEL = "kubernetes.io/metadata.name";

export const namespaces = defineKind<Namespace>("Namespace", "v1", "cluster");
