/** Annotations that any dialect sets on the pods it makes, so that people meet the names they gave. */
export const ANNOTATION = {
  /** The name its user gave the workload: `web`, `/shop/cart`, `hello@1.service`. */
  workload: "styrmann.dev/workload",
  /** `fleet`, `marathon` or `kubernetes`. Absent means kubernetes. */
  dialect: "styrmann.dev/dialect",
  /** The dialect's own name of this one copy (Marathon's task id), when it has one. */
  instance: "styrmann.dev/instance",
} as const;

/** Labels of nodes, with the values that the node reports where nothing else is said. */
export const NODE_LABEL = {
  hostname: "kubernetes.io/hostname",
  os: "kubernetes.io/os",
  arch: "kubernetes.io/arch",
  zone: "topology.kubernetes.io/zone",
  region: "topology.kubernetes.io/region",
  /** "true": HTTP and HTTPS from outside come in there. Given by people. */
  wayIn: "styrmann.dev/way-in",
} as const;
