/** Pods of which there may be one at any instant, anywhere. */

/** On a pod (template): `true` = at most one copy at any instant, anywhere. */
export const EXCLUSIVE_ANNOTATION = "styrmann.dev/exclusive";

interface PodLike {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> | undefined } | undefined;
  readonly spec: { readonly exclusive?: boolean; readonly containers: readonly unknown[] };
}

export function isExclusive({ metadata, spec }: PodLike): boolean {
  return spec.exclusive ?? metadata?.annotations?.[EXCLUSIVE_ANNOTATION] === "true";
}
