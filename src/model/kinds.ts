import { acmeChallenges } from "./acme-challenge.ts";
import { acmeOrders } from "./acme-orders.ts";
import { acmeRefusals } from "./acme-refusal.ts";
import { clusterNetworks } from "./cluster-network.ts";
import { clusterSettings } from "./cluster-settings.ts";
import { clusterTrusts } from "./cluster-trust.ts";
import { configMaps } from "./config-map.ts";
import { endpointSlices } from "./endpoint-slice.ts";
import { endpoints } from "./endpoints.ts";
import { events } from "./event.ts";
import { exposures } from "./exposure.ts";
import { hostCertificates } from "./host-certificate.ts";
import { ingresses } from "./ingress.ts";
import { ingressClasses } from "./ingress-class.ts";
import { joinTokens } from "./join-token.ts";
import { keyrings } from "./keyring.ts";
import type { Kind } from "./meta.ts";
import { namespaces } from "./namespace.ts";
import { networkPolicies } from "./network-policy.ts";
import { nodes } from "./node.ts";
import { nodeDrains } from "./node-drain.ts";
import { pods } from "./pod.ts";
import { rebalances } from "./rebalance.ts";
import { replicationControllers } from "./replication-controller.ts";
import { restorations } from "./restoration.ts";
import { secrets } from "./secret.ts";
import { servers } from "./server.ts";
import { services } from "./service.ts";
import { users } from "./user.ts";

/** The kinds of the kernel: what every dialect may use. A dialect's own kinds come with its personality. */
export const kernelKinds: readonly Kind[] = [
  namespaces,
  nodes,
  pods,
  replicationControllers,
  services,
  endpoints,
  endpointSlices,
  ingresses,
  ingressClasses,
  networkPolicies,
  exposures,
  acmeChallenges,
  acmeOrders,
  acmeRefusals,
  events,
  secrets,
  configMaps,
  clusterSettings,
  clusterNetworks,
  nodeDrains,
  rebalances,
  servers,
  clusterTrusts,
  keyrings,
  restorations,
  joinTokens,
  hostCertificates,
  users,
] as readonly unknown[] as readonly Kind[];
