/** Config maps, secrets, events and endpoints: stored as given. */
import { type ConfigMap, configMaps } from "../../../model/config-map.ts";
import { type Endpoints, endpoints } from "../../../model/endpoints.ts";
import { type Event, events } from "../../../model/event.ts";
import { type Secret, secrets } from "../../../model/secret.ts";
import { rfc3339 } from "../../../seams/clock.ts";
import {
  validateConfigMap,
  validateDataUpdate,
  validateEndpoints,
  validateEvent,
  validateSecret,
} from "../validate/small-kinds.ts";
import { admitAddresses } from "./admit-addresses.ts";
import { defineResource } from "./define-resource.ts";

export const configMapResource = defineResource<ConfigMap>(configMaps, {
  validate: validateConfigMap,
  validateUpdate: validateDataUpdate,
});

/** `stringData` is only ever written: it becomes part of `data`. */
function withStringData(secret: Secret & { readonly stringData?: Readonly<Record<string, string>> }): Secret {
  const { stringData, ...rest } = secret;
  const written = Object.entries(stringData ?? {}).map(([key, text]) => [key, Buffer.from(text).toString("base64")]);
  const data = Object.fromEntries([...Object.entries(secret.data ?? {}), ...written]) as Record<string, string>;
  return {
    ...rest,
    type: secret.type || "Opaque",
    ...(secret.data === undefined && written.length === 0 ? {} : { data }),
  };
}

export const secretResource = defineResource<Secret>(secrets, {
  fields: { type: ({ type }) => type ?? "" },
  withDefaults: withStringData,
  validate: validateSecret,
  validateUpdate: validateDataUpdate,
});

export const eventResource = defineResource<Event>(events, {
  createsOnUpdate: true,
  fields: {
    "involvedObject.apiVersion": ({ involvedObject }) => involvedObject.apiVersion ?? "",
    "involvedObject.kind": ({ involvedObject }) => involvedObject.kind ?? "",
    "involvedObject.name": ({ involvedObject }) => involvedObject.name ?? "",
    "involvedObject.namespace": ({ involvedObject }) => involvedObject.namespace ?? "",
    "involvedObject.uid": ({ involvedObject }) => involvedObject.uid ?? "",
    reason: ({ reason }) => reason ?? "",
    source: ({ source }) => source?.component ?? "",
    type: ({ type }) => type ?? "",
  },
  indexed: { "involvedObject.uid": "about" },
  withDefaults: (event) => ({ ...event, involvedObject: event.involvedObject ?? {} }),
  validate: validateEvent,
  beforeCreate(tx, event) {
    const now = rfc3339(tx.nowMs);
    const firstTimestamp = event.firstTimestamp ?? now;
    return {
      ...event,
      type: event.type ?? "Normal",
      source: event.source ?? { component: "" },
      firstTimestamp,
      lastTimestamp: event.lastTimestamp ?? firstTimestamp,
      count: event.count ?? 1,
    };
  },
});

function addressesOf({ subsets = [] }: Endpoints): readonly string[] {
  return subsets.flatMap(({ addresses = [], notReadyAddresses = [] }) =>
    [...addresses, ...notReadyAddresses].map(({ ip }) => ip),
  );
}

export const endpointsResource = defineResource<Endpoints>(endpoints, {
  createsOnUpdate: true,
  withDefaults: (object) => ({
    ...object,
    ...(object.subsets === undefined
      ? {}
      : {
          subsets: object.subsets.map((subset) => ({
            ...subset,
            ...(subset.ports === undefined
              ? {}
              : { ports: subset.ports.map((port) => ({ ...port, protocol: port.protocol || "TCP" })) }),
          })),
        }),
  }),
  validate: validateEndpoints,
  admit(actor, after, before) {
    const resource = { plural: "endpoints", kind: endpoints };
    admitAddresses(resource, actor, after.metadata.name, addressesOf(after), before && addressesOf(before));
  },
});
