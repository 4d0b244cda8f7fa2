import { scriptOf } from "../../drivers/fake/scripted.ts";
import type { Container, Pod } from "../../model/pod.ts";

/** Whether it can be expected to come up and to stay: its containers do not end by themselves and can be started at all. */
export function runsForGood(pod: Pod): boolean {
  return [...(pod.spec.initContainers ?? []), ...pod.spec.containers].every((container) => {
    if (container.unit?.start === false) return false;
    const { pull, start, ends } = scriptOf(programOf(container));
    return pull === "ok" && start === "ok" && ends === undefined;
  });
}

/** As the simulated engine reads it: the image, or for a process or unit the first fake one that its lines name. */
function programOf({ image, command, args, unit }: Container): string | undefined {
  if (image !== undefined) return image;
  const lines = [...(command ?? []), ...(args ?? []), ...(unit?.options ?? []).map(({ value }) => value)];
  return /\bfake\/[a-z0-9-]+(?::[a-z0-9-]+)?/.exec(lines.join(" "))?.[0];
}
