/** Which kinds have routes, and words for those that have not. */

/** Kind → its group's version and plural, in the order in which people meet them. */
export const SERVED: Readonly<Record<string, { readonly plural: string; readonly apiVersion: string }>> = {
  Namespace: { plural: "namespaces", apiVersion: "v1" },
  Node: { plural: "nodes", apiVersion: "v1" },
  Pod: { plural: "pods", apiVersion: "v1" },
  ReplicationController: { plural: "replicationcontrollers", apiVersion: "v1" },
  Service: { plural: "services", apiVersion: "v1" },
  Endpoints: { plural: "endpoints", apiVersion: "v1" },
  Event: { plural: "events", apiVersion: "v1" },
  Secret: { plural: "secrets", apiVersion: "v1" },
  ConfigMap: { plural: "configmaps", apiVersion: "v1" },
  EndpointSlice: { plural: "endpointslices", apiVersion: "discovery.k8s.io/v1" },
  Ingress: { plural: "ingresses", apiVersion: "networking.k8s.io/v1" },
  IngressClass: { plural: "ingressclasses", apiVersion: "networking.k8s.io/v1" },
  NetworkPolicy: { plural: "networkpolicies", apiVersion: "networking.k8s.io/v1" },
};

/** `networking.k8s.io`; "" for version v1's kinds and for what is not served. `name`: a kind, or its plural. */
export function groupOf(name: string): string {
  const [group, version] = (byName(name)?.apiVersion ?? "").split("/");
  return version === undefined ? "" : (group ?? "");
}

/** `ingresses.networking.k8s.io`, as Kubernetes names kinds and resources in what it says. */
export function withGroup(name: string): string {
  const group = groupOf(name);
  return group === "" ? name : `${name}.${group}`;
}

/** The kind that is served by this plural, though perhaps in another version than was asked for. */
export function kindOf(plural: string): string | undefined {
  return Object.keys(SERVED).find((kind) => SERVED[kind]?.plural === plural);
}

function byName(name: string) {
  return Object.hasOwn(SERVED, name) ? SERVED[name] : SERVED[kindOf(name) ?? ""];
}

/** Kinds that people have files of and that are not served yet, by the plural in their path: refused by name instead of with a bare 404. */
export const UNSERVED: Readonly<Record<string, string>> = {
  deployments: "Deployment",
  replicasets: "ReplicaSet",
  statefulsets: "StatefulSet",
  daemonsets: "DaemonSet",
  controllerrevisions: "ControllerRevision",
  jobs: "Job",
  cronjobs: "CronJob",
  horizontalpodautoscalers: "HorizontalPodAutoscaler",
  poddisruptionbudgets: "PodDisruptionBudget",
  storageclasses: "StorageClass",
  roles: "Role",
  rolebindings: "RoleBinding",
  clusterroles: "ClusterRole",
  clusterrolebindings: "ClusterRoleBinding",
  customresourcedefinitions: "CustomResourceDefinition",
  leases: "Lease",
  persistentvolumeclaims: "PersistentVolumeClaim",
  persistentvolumes: "PersistentVolume",
  serviceaccounts: "ServiceAccount",
  limitranges: "LimitRange",
  resourcequotas: "ResourceQuota",
  podtemplates: "PodTemplate",
};

export function noMatches(kind: string, apiVersion: string): string {
  const groups = Map.groupBy(Object.keys(SERVED), (name) => SERVED[name]?.apiVersion ?? "");
  const words = [...groups].map(([version, kinds]) => `in version "${version}": ${kinds.join(", ")}`);
  return `no matches for kind "${kind}" in version "${apiVersion}"; this server serves, ${words.join("; ")}`;
}
