import type { ObservedRun } from "../drivers/driver.ts";
import { disruptionOf } from "../model/disruption.ts";
import type { Pod } from "../model/pod.ts";
import type { FenceWord } from "./fence.ts";
import { graceOf } from "./pod-machine.ts";
import type { ContainerSeen, PodSeen } from "./seen.ts";

/** Exit code of what ended by SIGKILL, as engines and shells give it. */
const KILLED = 137;

/** A pod of which there may be one only, and whose place is another host's now. */
export class GivenAway {
  #stopByMs: number | undefined;

  /** Its successor may be started when it has ended here; after the node was lost, it may run already. Undefined: it is not given away. */
  word(pod: Pod, nowMs: number): FenceWord | undefined {
    const disruption = disruptionOf(pod);
    if (disruption === undefined) {
      this.#stopByMs = undefined;
      return undefined;
    }
    this.#stopByMs ??= nowMs + (disruption.reason === "NodeUnreachable" ? 0 : graceOf(pod));
    return { words: `given to another host: ${disruption.message ?? disruption.reason}`, stopByMs: this.#stopByMs };
  }
}

/** What ends by SIGKILL while the fence is shut was ended by the guard, or by the fence of an agent before this one. */
export function withFenceNoted(c: ContainerSeen, run: ObservedRun, fence: PodSeen["fence"]): ContainerSeen {
  const isKilled = run.state === "exited" && (run.exitCode ?? KILLED) === KILLED && run.outOfMemory !== true;
  if (fence === undefined || !isKilled || c.kill !== undefined || c.run?.state === "exited") return c;
  return { ...c, kill: { why: fence.words, after: "restart", isFence: true } };
}
