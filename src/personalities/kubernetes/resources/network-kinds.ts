/** Endpoint slices, ingresses and their classes, network policies. */
import { type EndpointSlice, endpointSlices } from "../../../model/endpoint-slice.ts";
import { type Ingress, ingresses } from "../../../model/ingress.ts";
import {
  CLASS_ANNOTATION,
  DEFAULT_CLASS_ANNOTATION,
  type IngressClass,
  ingressClasses,
} from "../../../model/ingress-class.ts";
import { type NetworkPolicy, networkPolicies } from "../../../model/network-policy.ts";
import { hostsSince, ingressRoutes } from "../../../model/way-in/ingress-routes.ts";
import { routeProblem } from "../../../model/way-in/route-problem.ts";
import { routeQuotaProblem, routesOfIngress } from "../../../model/way-in/route-quota.ts";
import { rfc3339 } from "../../../seams/clock.ts";
import type { Tx } from "../../../store/transaction.ts";
import { refuseTooMuchPolicy } from "../policy-quota.ts";
import { forbidden } from "../status.ts";
import { validateEndpointSlice, validateEndpointSliceUpdate } from "../validate/endpoint-slice.ts";
import { validateIngress, validateIngressClass, validateIngressClassUpdate } from "../validate/ingress.ts";
import { defaultNetworkPolicy, validateNetworkPolicy } from "../validate/network-policy.ts";
import { admitAddresses } from "./admit-addresses.ts";
import { defineResource } from "./define-resource.ts";

export const endpointSliceResource = defineResource<EndpointSlice>(endpointSlices, {
  withDefaults: (slice) => ({
    ...slice,
    endpoints: slice.endpoints ?? [],
    ports: (slice.ports ?? []).map((port) => ({ ...port, name: port.name ?? "", protocol: port.protocol || "TCP" })),
  }),
  validate: validateEndpointSlice,
  admit(actor, after, before) {
    const addresses = (slice: EndpointSlice) => slice.endpoints.flatMap((endpoint) => endpoint.addresses);
    const resource = { plural: "endpointslices", kind: endpointSlices };
    admitAddresses(resource, actor, after.metadata.name, addresses(after), before && addresses(before));
  },
  validateUpdate: validateEndpointSliceUpdate,
});

export const ingressResource = defineResource<Ingress>(ingresses, {
  subresources: ["status"],
  withDefaults: (ingress) => ({ ...ingress, spec: ingress.spec ?? {} }),
  validate: validateIngress,
  warnings: whatIsNotServed,
  beforeCreate(tx, ingress) {
    refuseTooManyRoutes(tx, ingress);
    return { ...withDefaultClass(tx, ingress), status: { loadBalancer: {} } };
  },
  beforeUpdate(tx, ingress, before) {
    refuseTooManyRoutes(tx, ingress, before);
    const { hostsSince: _before, ...status } = ingress.status ?? {};
    const since = hostsSince(ingress, before, rfc3339(tx.nowMs));
    return { ...ingress, status: { ...status, ...(Object.keys(since).length > 0 ? { hostsSince: since } : {}) } };
  },
});

/** Refuses more than there were: what is stored may be changed otherwise. */
function refuseTooManyRoutes(tx: Tx, after: Ingress, before?: Ingress): void {
  const { name, namespace = "default" } = after.metadata;
  const more = routesOfIngress(after) - (before === undefined ? 0 : routesOfIngress(before));
  const words = routeQuotaProblem(tx, namespace, more);
  if (words !== undefined) throw forbidden({ plural: "ingresses", kind: ingresses }, name, words);
}

/** Of what comes in through us: what is written there and is not done, and what is not served therefore. */
function whatIsNotServed(ingress: Ingress): readonly string[] {
  const { routes, problems } = ingressRoutes(ingress, () => undefined);
  const said = routes.flatMap((route) => [routeProblem(route), ...(route.remarks ?? [])]);
  return [...new Set([...problems, ...said])].filter((each) => each !== undefined);
}

/** One that names no class is of the class that is marked as everybody's; of several marked ones, of the newest, as in Kubernetes. */
function withDefaultClass(tx: Tx, ingress: Ingress): Ingress {
  const isNamed = ingress.spec.ingressClassName !== undefined || ingress.metadata.annotations?.[CLASS_ANNOTATION];
  if (isNamed) return ingress;
  const since = ({ metadata }: IngressClass) => metadata.creationTimestamp;
  const [newest] = tx
    .list(ingressClasses)
    .filter(({ metadata }) => metadata.annotations?.[DEFAULT_CLASS_ANNOTATION] === "true")
    .sort((a, b) => (since(a) < since(b) ? 1 : -1));
  return newest ? { ...ingress, spec: { ...ingress.spec, ingressClassName: newest.metadata.name } } : ingress;
}

export const ingressClassResource = defineResource<IngressClass>(ingressClasses, {
  validate: validateIngressClass,
  validateUpdate: validateIngressClassUpdate,
});

export const networkPolicyResource = defineResource<NetworkPolicy>(networkPolicies, {
  withDefaults: defaultNetworkPolicy,
  validate: validateNetworkPolicy,
  beforeCreate(tx, policy) {
    refuseTooMuchPolicy(tx, policy);
    return policy;
  },
  beforeUpdate(tx, policy, before) {
    refuseTooMuchPolicy(tx, policy, before);
    return policy;
  },
});
