import type { Publisher } from "../../../model/discovery.ts";
import type { Resource } from "../resource.ts";
import { namespaceResource, nodeResource } from "./cluster-kinds.ts";
import { configMapResource, endpointsResource, eventResource, secretResource } from "./data-kinds.ts";
import {
  endpointSliceResource,
  ingressClassResource,
  ingressResource,
  networkPolicyResource,
} from "./network-kinds.ts";
import { podResource } from "./pods.ts";
import { replicationControllerResource } from "./replication-controllers.ts";
import { serviceResource } from "./services.ts";

/** Every kind that is served: the table behind all routes. */
export function resourcesBeside(publishers: readonly Publisher[]): readonly Resource[] {
  return [
    namespaceResource,
    nodeResource,
    podResource,
    replicationControllerResource,
    serviceResource(publishers),
    endpointsResource,
    eventResource,
    secretResource,
    configMapResource,
    endpointSliceResource,
    ingressResource,
    ingressClassResource,
    networkPolicyResource,
  ] as readonly unknown[] as readonly Resource[];
}
