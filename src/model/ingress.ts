import { defineKind, type ObjectMeta } from "./meta.ts";

export interface IngressBackend {
  readonly service?: { readonly name: string; readonly port?: { readonly name?: string; readonly number?: number } };
  readonly resource?: object;
}

export interface IngressPath {
  readonly path?: string;
  readonly pathType?: "Exact" | "Prefix" | "ImplementationSpecific";
  readonly backend: IngressBackend;
}

/** networking.k8s.io/v1. */
export interface Ingress {
  readonly apiVersion: string;
  readonly kind: "Ingress";
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly ingressClassName?: string;
    readonly defaultBackend?: IngressBackend;
    readonly tls?: readonly { readonly hosts?: readonly string[]; readonly secretName?: string }[];
    readonly rules?: readonly { readonly host?: string; readonly http?: { readonly paths: readonly IngressPath[] } }[];
  };
  readonly status: {
    readonly loadBalancer?: object;
    /** Ours: hosts that came after the Ingress was made → when (RFC 3339). */
    readonly hostsSince?: Readonly<Record<string, string>>;
  };
}

/** Index `service`: Ingresses that lead to a Service, `namespace/name`; `secret`: those that take a certificate from a Secret. */
export const ingresses = defineKind<Ingress>("Ingress", "networking.k8s.io/v1", "namespaced", {
  service: (ingress) => backendsOf(ingress).map(({ name }) => `${ingress.metadata.namespace}/${name}`),
  secret: ({ metadata, spec }) =>
    (spec?.tls ?? []).flatMap(({ secretName }) => (secretName ? [`${metadata.namespace}/${secretName}`] : [])),
});

function backendsOf({ spec }: Ingress): readonly { readonly name: string }[] {
  const paths = (spec?.rules ?? []).flatMap(({ http }) => http?.paths ?? []);
  const all = [...(spec?.defaultBackend ? [spec.defaultBackend] : []), ...paths.map(({ backend }) => backend)];
  const names = all.flatMap(({ service }) => (service === undefined ? [] : [service.name]));
  return [...new Set(names)].map((name) => ({ name }));
}
