/** The calls of Kubernetes' API that the command line makes. */
import { type Answer, type Connection, parseAnswer } from "../connection.ts";
import { expectSuccess } from "./dialect-error.ts";

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name?: string;
    readonly generateName?: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

/** Kinds without a namespace, of those that people put into files. */
const CLUSTER_KINDS = new Set([
  "Namespace",
  "Node",
  "PersistentVolume",
  "ClusterRole",
  "ClusterRoleBinding",
  "StorageClass",
  "IngressClass",
  "PriorityClass",
  "RuntimeClass",
  "CustomResourceDefinition",
  "MutatingWebhookConfiguration",
  "ValidatingWebhookConfiguration",
  "APIService",
]);

export function isClusterKind(kind: string): boolean {
  return CLUSTER_KINDS.has(kind);
}

/** Kubernetes' own rule for resource names (meta.UnsafeGuessKindToResource), and the one kind that breaks it. */
function pluralOf(kind: string): string {
  const singular = kind.toLowerCase();
  if (singular === "endpoints") return singular;
  if (/(s|x|ch|sh)$/.test(singular)) return `${singular}es`;
  return /[^aeiou]y$/.test(singular) ? `${singular.slice(0, -1)}ies` : `${singular}s`;
}

/** `/api/v1/namespaces/default/pods`. */
function collectionPath(apiVersion: string, kind: string, namespace: string): string {
  const group = apiVersion.includes("/") ? "apis" : "api";
  const version = apiVersion.split("/").map(encodeURIComponent).join("/");
  const place = isClusterKind(kind) ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
  return `/${group}/${version}${place}/${pluralOf(kind)}`;
}

export function namespaceOf({ metadata }: Pick<KubernetesObject, "metadata">): string {
  return metadata.namespace ?? "default";
}

function pathOf(object: KubernetesObject): string {
  const name = encodeURIComponent(object.metadata.name ?? "");
  return `${collectionPath(object.apiVersion, object.kind, namespaceOf(object))}/${name}`;
}

/** False when the server has no such kind. */
export async function knowsKind(connection: Connection, apiVersion: string, kind: string): Promise<boolean> {
  const path = `${collectionPath(apiVersion, kind, "default")}?limit=1`;
  return expectSuccess(await connection.call({ method: "GET", path }), [404, 405]).status !== 404;
}

/** Throws what creating it would be refused for; changes nothing. A taken name is no refusal here. */
export async function checkObject(connection: Connection, object: KubernetesObject): Promise<void> {
  const path = `${collectionPath(object.apiVersion, object.kind, namespaceOf(object))}?dryRun=All`;
  expectSuccess(await connection.call({ method: "POST", path, body: object }), [409]);
}

/** undefined when the name is taken. */
export async function createObject(connection: Connection, object: KubernetesObject): Promise<Answer | undefined> {
  const path = collectionPath(object.apiVersion, object.kind, namespaceOf(object));
  const answer = await connection.call({ method: "POST", path, body: object });
  if (answer.status === 409 && answer.text.includes('"AlreadyExists"')) return undefined;
  return expectSuccess(answer);
}

export async function getObject(
  connection: Connection,
  object: KubernetesObject,
): Promise<KubernetesObject | undefined> {
  const answer = expectSuccess(await connection.call({ method: "GET", path: pathOf(object) }), [404]);
  return answer.status === 404 ? undefined : (parseAnswer(answer.text, pathOf(object)) as KubernetesObject);
}

export async function patchObject(connection: Connection, object: KubernetesObject, patch: object): Promise<Answer> {
  const headers = { "Content-Type": "application/strategic-merge-patch+json" };
  return expectSuccess(await connection.call({ method: "PATCH", path: pathOf(object), headers, body: patch }));
}

export async function mergeObject(connection: Connection, object: KubernetesObject, patch: object): Promise<Answer> {
  const headers = { "Content-Type": "application/merge-patch+json" };
  return expectSuccess(await connection.call({ method: "PATCH", path: pathOf(object), headers, body: patch }));
}

/** What the object owns goes with it (a replication controller's pods would be left behind without these words). */
export async function deleteObject(
  connection: Connection,
  object: KubernetesObject,
  graceSeconds?: number,
): Promise<boolean> {
  const grace = graceSeconds === undefined ? {} : { gracePeriodSeconds: graceSeconds };
  const body = { kind: "DeleteOptions", apiVersion: "v1", propagationPolicy: "Background", ...grace };
  return expectSuccess(await connection.call({ method: "DELETE", path: pathOf(object), body }), [404]).status !== 404;
}
