import type { ChildContainer, PodStatus } from "./pod.ts";

/** Containers that run beside a unit or process, which started them itself, with an address of their own on the pod network. */
export function childrenOnNetwork({ containerStatuses = [] }: PodStatus): readonly (ChildContainer & {
  readonly address: string;
})[] {
  const children = containerStatuses.flatMap((container) => container.children ?? []);
  return children.flatMap((child) =>
    child.state === "running" && child.address !== undefined ? [{ ...child, address: child.address }] : [],
  );
}
