import { isExclusive } from "../model/when-unreachable.ts";
import { GivenAway } from "./given-away.ts";
import type { PodHandle } from "./pod-handle.ts";

/** Why a pod of which there may be one only may not run here: its place is another host's, or nobody knows that it is still this one's. */
export class PodFence {
  readonly #givenAway = new GivenAway();

  /** Brings what is known of the pod in line with that, and tells it when what runs has to stop, or may run again. */
  bring(worker: PodHandle): void {
    const { host, pod } = worker;
    const before = worker.seen.fence;
    const fence = isExclusive(pod) ? (this.#givenAway.word(pod, host.clock.monotonic()) ?? host.fence()) : undefined;
    if (fence?.words === before?.words && fence?.stopByMs === before?.stopByMs) return;
    worker.setPod(({ fence: _, ...rest }) => (fence === undefined ? rest : { ...rest, fence }));
    if (fence?.stopByMs !== undefined && before?.stopByMs === undefined)
      host.events.warning(pod, "Fenced", fence.words);
    if (fence === undefined && before?.stopByMs !== undefined)
      host.events.normal(pod, "Unfenced", "it may run on this host again");
  }
}
