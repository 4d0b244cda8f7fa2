/** Namespaces and nodes. */
import { type Namespace, namespaces } from "../../../model/namespace.ts";
import { isNodeReady, type Node, nodes, type Taint } from "../../../model/node.ts";
import { SYSTEM_NAMESPACES } from "../../../model/system-namespaces.ts";
import { conflict, forbidden } from "../status.ts";
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
  beforeUpdate: (_tx, after, before) => withTimes(after, before),
  beforeDelete(node) {
    if (!isNodeReady(node) || node.status.nodeInfo.machineID === "") return;
    const { name } = node.metadata;
    const why = `it is alive and would come back at once, without its cordon, taints and labels: stop styr there first, or "styr forget ${name} --force"`;
    throw conflict({ plural: "nodes", kind: nodes }, name, why);
  },
});

/** Clients that write the list of taints anew leave out since when they are there; seconds of tolerations count from then. */
function withTimes(after: Node, before: Node): Node {
  const { spec = {} } = after as { readonly spec?: Node["spec"] };
  const taints = spec.taints?.map((taint) => {
    const same = before.spec.taints?.find((one) => isSameTaint(one, taint));
    return taint.timeAdded === undefined && same?.timeAdded !== undefined
      ? { ...taint, timeAdded: same.timeAdded }
      : taint;
  });
  return { ...after, spec: taints ? { ...spec, taints } : spec };
}

function isSameTaint(a: Taint, b: Taint): boolean {
  return a.key === b.key && a.effect === b.effect && (a.value ?? "") === (b.value ?? "");
}

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
