import type { KubernetesObject } from "../../client/dialects/kubernetes.ts";

/** kubectl's annotation, so that kubectl and styr can take turns on the same object. */
export const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** Kubernetes allows 256 KiB of annotations in all; a larger object goes without, as if it had never been applied. */
const LARGEST_ANNOTATION = 200 * 1024;

/** The object with itself, as JSON, in the annotation. */
export function withLastApplied(given: KubernetesObject): KubernetesObject {
  const { [LAST_APPLIED]: _old, ...others } = given.metadata.annotations ?? {};
  const metadata = { ...given.metadata, annotations: others };
  const applied = `${JSON.stringify({ ...given, metadata })}\n`;
  if (applied.length > LARGEST_ANNOTATION) return given;
  return { ...given, metadata: { ...metadata, annotations: { ...others, [LAST_APPLIED]: applied } } };
}

/**
 * A strategic merge patch: everything in the file, and null for what the file had when it was last applied and has no
 * more. What others wrote (status, defaults, a scaled `replicas` that the file leaves open) stays.
 */
export function patchFor(lastApplied: string | undefined, wanted: KubernetesObject): object {
  const before = parseLast(lastApplied);
  return before === undefined ? wanted : (withRemovals(before, wanted) as object);
}

function parseLast(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    // Somebody else's text under this name says nothing about removals.
    return undefined;
  }
}

function withRemovals(before: unknown, wanted: unknown): unknown {
  if (!isObject(before) || !isObject(wanted)) return wanted;
  const patch: Record<string, unknown> = {};
  for (const key of Object.keys(before)) if (!Object.hasOwn(wanted, key)) patch[key] = null;
  for (const [key, value] of Object.entries(wanted)) patch[key] = withRemovals(before[key], value);
  // The name is the address of the object, and the annotations hold what is not in the file itself.
  return patch;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
