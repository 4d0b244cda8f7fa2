/** Namespaces and nodes. */
import { type Namespace, namespaces } from "../../../model/namespace.ts";
import { type Node, nodes } from "../../../model/node.ts";
import { SYSTEM_NAMESPACES } from "../../../model/system-namespaces.ts";
import { forbidden } from "../status.ts";
import { dnsLabel } from "../validate/names.ts";
import { validateNode } from "../validate/small-kinds.ts";
import { defineResource } from "./define-resource.ts";

/** Every namespace carries its name as a label, so that selectors can name it. */
const NAME_LABEL = "kubernetes.io/metadata.name";

export const namespaceResource = defineResource<Namespace>(namespaces, {
  subresources: ["status"],
  returnsDeleted: true,
  deletesCollection: false,
  fields: { "status.phase": ({ status }) => status.phase },
  nameRule: dnsLabel,
  withDefaults: (namespace) => ({
    ...namespace,
    metadata: {
      ...namespace.metadata,
      labels: { ...namespace.metadata.labels, [NAME_LABEL]: namespace.metadata.name },
    },
  }),
  beforeCreate: (_tx, namespace) => ({
    ...namespace,
    spec: { ...namespace.spec, finalizers: ["kubernetes"] },
    status: { phase: "Active" },
  }),
  beforeUpdate: (_tx, after, before) => ({ ...after, spec: before.spec }),
  beforeDelete({ metadata: { name } }) {
    if (!SYSTEM_NAMESPACES.includes(name)) return;
    throw forbidden({ plural: "namespaces", kind: namespaces }, name, "this namespace may not be deleted");
  },
});

export const nodeResource = defineResource<Node>(nodes, {
  subresources: ["status"],
  fields: { "spec.unschedulable": ({ spec }) => String(spec.unschedulable ?? false) },
  validate: validateNode,
  // A node that nobody reports for yet: nothing runs there.
  beforeCreate: (_tx, node) => ({ ...node, spec: node.spec ?? {}, status: { ...EMPTY_STATUS, ...node.status } }),
});

const EMPTY_STATUS: Node["status"] = {
  capacity: {},
  allocatable: {},
  conditions: [],
  addresses: [],
  nodeInfo: {
    machineID: "",
    bootID: "",
    kernelVersion: "",
    osImage: "",
    architecture: "",
    operatingSystem: "",
    containerRuntimeVersion: "",
    kubeletVersion: "",
  },
  drivers: {},
  dynamicPorts: [0, -1],
};
