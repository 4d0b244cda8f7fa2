/** Which kinds have routes, and words for those that have not. */

/** Kind → plural, in the order in which people meet them. */
export const SERVED: Readonly<Record<string, string>> = {
  Namespace: "namespaces",
  Node: "nodes",
  Pod: "pods",
  ReplicationController: "replicationcontrollers",
  Service: "services",
  Endpoints: "endpoints",
  Event: "events",
  Secret: "secrets",
  ConfigMap: "configmaps",
};

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
  ingresses: "Ingress",
  networkpolicies: "NetworkPolicy",
  poddisruptionbudgets: "PodDisruptionBudget",
  storageclasses: "StorageClass",
  roles: "Role",
  rolebindings: "RoleBinding",
  clusterroles: "ClusterRole",
  clusterrolebindings: "ClusterRoleBinding",
  customresourcedefinitions: "CustomResourceDefinition",
  endpointslices: "EndpointSlice",
  leases: "Lease",
  persistentvolumeclaims: "PersistentVolumeClaim",
  persistentvolumes: "PersistentVolume",
  serviceaccounts: "ServiceAccount",
  limitranges: "LimitRange",
  resourcequotas: "ResourceQuota",
  podtemplates: "PodTemplate",
};

export function noMatches(kind: string, apiVersion: string): string {
  return `no matches for kind "${kind}" in version "${apiVersion}"; this server serves, in version "v1": ${Object.keys(SERVED).join(", ")}`;
}
