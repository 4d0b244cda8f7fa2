/** Pods of which there may be one at any instant, anywhere. */

/** On a pod (template): `true` = at most one copy at any instant, anywhere. */
export const EXCLUSIVE_ANNOTATION = "styrmann.dev/exclusive";

interface PodLike {
  readonly metadata?:
    | {
        readonly annotations?: Readonly<Record<string, string>> | undefined;
        readonly ownerReferences?: readonly { readonly kind: string; readonly controller?: boolean }[];
      }
    | undefined;
  readonly spec: { readonly exclusive?: boolean; readonly containers: readonly unknown[] };
}

/** By the pod's own field, or else its annotation, or because it is one of a StatefulSet: its identity must not be there twice. */
export function isExclusive({ metadata, spec }: PodLike): boolean {
  if (spec.exclusive !== undefined) return spec.exclusive;
  const said = metadata?.annotations?.[EXCLUSIVE_ANNOTATION];
  if (said !== undefined) return said === "true";
  return (
    metadata?.ownerReferences?.some(({ kind, controller }) => kind === "StatefulSet" && controller === true) ?? false
  );
}
