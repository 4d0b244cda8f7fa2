import { defineKind, type ObjectMeta } from "./meta.ts";

/** networking.k8s.io/v1: whose an Ingress is that names it. */
export interface IngressClass {
  readonly apiVersion: string;
  readonly kind: "IngressClass";
  readonly metadata: ObjectMeta;
  readonly spec?: { readonly controller?: string; readonly parameters?: object };
}

/** Ingresses that name no class are of the class that has it as "true". */
export const DEFAULT_CLASS_ANNOTATION = "ingressclass.kubernetes.io/is-default-class";
/** How Ingresses named their class before there was a field for it. */
export const CLASS_ANNOTATION = "kubernetes.io/ingress.class";

export const ingressClasses = defineKind<IngressClass>("IngressClass", "networking.k8s.io/v1", "cluster");
