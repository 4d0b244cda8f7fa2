import { scriptOf } from "../../drivers/fake/scripted.ts";
import type { Pod } from "../../model/pod.ts";

/** Whether it can be expected to come up and to stay: its containers do not end by themselves and can be started at all. */
export function runsForGood(pod: Pod): boolean {
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  return containers.every(({ image, unit }) => {
    if (unit?.start === false) return false;
    const { pull, start, ends } = scriptOf(image);
    return pull === "ok" && start === "ok" && ends === undefined;
  });
}
