import { keyOf } from "../model/meta.ts";
import type { Pod } from "../model/pod.ts";
import type { EventFilter } from "./event-filter.ts";
import type { Reporter } from "./reporter.ts";

/** Tells people what happens to a pod, unless it was said just now. */
export class PodEvents {
  readonly #filter: EventFilter;
  readonly #reporter: Reporter;

  constructor(filter: EventFilter, reporter: Reporter) {
    this.#filter = filter;
    this.#reporter = reporter;
  }

  normal(pod: Pod, reason: string, message: string): void {
    this.#tell(pod, "Normal", reason, message);
  }

  warning(pod: Pod, reason: string, message: string): void {
    this.#tell(pod, "Warning", reason, message);
  }

  forget(podUid: string): void {
    this.#filter.forget(podUid);
  }

  #tell(pod: Pod, type: "Normal" | "Warning", reason: string, message: string): void {
    const event = { podKey: keyOf(pod), podUid: pod.metadata.uid, type, reason, message: message.slice(0, 1024) };
    if (this.#filter.admits(event)) this.#reporter.tell(event);
  }
}
