import type { ObservedRun, RunRef } from "../drivers/driver.ts";
import { keyOf } from "../model/meta.ts";
import { type DriverName, driverOf } from "../model/pod.ts";
import type { ProbeVerdict } from "./container-probes.ts";
import { withFenceNoted } from "./given-away.ts";
import { observe, withAttempt } from "./observe.ts";
import type { PodHandle } from "./pod-handle.ts";
import { PodProbes } from "./pod-probes.ts";
import { allContainers, type ContainerSeen, containerSeen } from "./seen.ts";
import { mayHaveMessage, withMessage } from "./termination-message.ts";

/** Whose runs they are. */
export interface RunsOwner extends PodHandle {
  readonly isDetached: boolean;
  /** Something that has to be written down has changed. */
  saveSoon(): void;
  /** Looks at the fence anew. */
  bringFence(): void;
}

/** The runs of a pod's containers: what drivers and probes say of them, written into what is known of the pod. */
export class PodRuns {
  readonly #pod: RunsOwner;
  readonly #probes: PodProbes;

  constructor(pod: RunsOwner) {
    this.#pod = pod;
    this.#probes = this.#newProbes();
  }

  /** The pod is left as it runs. */
  stop(): void {
    this.#probes.stop();
  }

  observe(run: ObservedRun): void {
    const container = allContainers(this.#pod.pod).find(({ name }) => name === run.ref.container);
    const { run: known } = containerSeen(this.#pod.seen, run.ref.container);
    const isKnown = known?.state === "exited" && known.ref.attempt === run.ref.attempt;
    if (container === undefined || isKnown || !mayHaveMessage(container, run)) {
      this.#take(run);
      return;
    }
    const { volumes, clock, log } = this.#pod.host;
    const host = { driver: this.#pod.driverFor(container.name), volumes, clock, log };
    void withMessage(container, run, host).then((told) => this.#take(told));
  }

  /** A driver has listed what it runs. */
  lookedAt(driver: DriverName, found: (ref: RunRef) => boolean, wasStartedThen: (ref: RunRef) => boolean): void {
    for (const container of allContainers(this.#pod.pod)) {
      if (driverOf(container) !== driver) continue;
      const c = containerSeen(this.#pod.seen, container.name);
      const ref = this.#pod.refOf(container.name, c.attempt);
      const isOver = !c.wasStarted || c.run?.state === "exited" || c.busy === "starting";
      if (isOver || found(ref) || !wasStartedThen(ref)) continue;
      this.observe({
        ...(c.run ?? missing(ref, driver)),
        state: "exited",
        finishedAtMs: this.#pod.host.clock.now(),
        message: missingWords(c),
      });
    }
    this.#pod.wake();
  }

  /** It is about to be started. */
  begin(name: string, attempt: number): void {
    this.#pod.patch(name, (c) => {
      const next = attempt > c.attempt ? withAttempt(c, attempt, false) : c;
      const { kill, interrupted, asked, ...rest } = next;
      const image = this.#pod.container(name).image;
      return { ...rest, wasStarted: true, ...(image === undefined ? {} : { startedImage: image }) };
    });
    this.#probes.startsAnew(name);
    this.#pod.saveSoon();
  }

  #take(run: ObservedRun): void {
    const pod = this.#pod;
    const name = run.ref.container;
    const before = pod.seen.containers[name];
    if (before === undefined || pod.isDetached) return;
    pod.bringFence();
    if (run.address !== undefined && pod.equipment.address === undefined && run.state !== "exited") {
      pod.equipment.claim(pod.pod, run.address);
    }
    const { clock } = pod.host;
    const now = { monoMs: clock.monotonic(), wallMs: clock.now() };
    pod.patch(name, (c) => observe(pod.pod, withFenceNoted(c, run, pod.seen.fence), run, now));
    this.#follow(name, before, containerSeen(pod.seen, name));
    // Where something of it runs already, the question whether it fits has been answered.
    if (pod.seen.stage === "assigned" && pod.seen.admission === undefined) pod.patchPod({ admission: "yes" });
    pod.wake();
  }

  #follow(name: string, before: ContainerSeen, after: ContainerSeen): void {
    const isNew =
      after.run !== before.run && (before.run === undefined || before.run.ref.attempt !== after.run?.ref.attempt);
    const wasRunning = !isNew && before.run?.state === "running";
    if (after.run?.state === "running" && !wasRunning) this.#probes.begin(name, before, after.run);
    if (after.run?.state === "exited" && (wasRunning || !isNew || this.#probes.isLookingAt(name)))
      this.#probes.end(name);
    if (after.run?.state === "exited" && before.run?.state !== "exited") this.#tellEnd(name, after);
    this.#pod.saveSoon();
  }

  #newProbes(): PodProbes {
    const { pod, seen } = this.#pod;
    const adoptable = allContainers(pod).filter(({ name }) => containerSeen(seen, name).wasStarted);
    const began = (name: string, verdict: ProbeVerdict) => this.#takeVerdict(name, verdict);
    const changed = (name: string, verdict: ProbeVerdict) => {
      this.#takeVerdict(name, verdict);
      this.#pod.wake();
    };
    const names = adoptable.map(({ name }) => name);
    return new PodProbes(names, { probed: this.#pod, began, changed });
  }

  #takeVerdict(name: string, { kill, ...verdict }: ProbeVerdict): void {
    if (containerSeen(this.#pod.seen, name).run?.state !== "running") return;
    this.#pod.patch(name, (c) => ({
      ...c,
      ...verdict,
      ...(kill === undefined || c.kill !== undefined ? {} : { kill: { why: kill, after: "policy" as const } }),
    }));
    this.#pod.saveSoon();
  }

  #tellEnd(name: string, c: ContainerSeen): void {
    const { pod, seen, host } = this.#pod;
    if (seen.stage !== "running" && seen.stage !== "initializing") return;
    if (c.retryAtMs <= host.clock.monotonic() || c.run?.exitCode === 0) return;
    const words = `Back-off restarting failed container ${name} in pod ${keyOf(pod)}`;
    host.events.warning(pod, "BackOff", words);
  }
}

/** Every run of a pod that is there, or may be. */
export function runsThatMayBe({
  pod,
  seen,
}: Pick<PodHandle, "pod" | "seen">): readonly { readonly driver: DriverName; readonly ref: RunRef }[] {
  return allContainers(pod).flatMap((container) => {
    const c = containerSeen(seen, container.name);
    const mayRun = c.wasStarted && c.run?.state !== "exited";
    const attempts = [...c.strays, ...(mayRun ? [c.attempt] : [])];
    const { uid: podUid } = pod.metadata;
    return attempts.map((attempt) => ({
      driver: driverOf(container),
      ref: { podUid, container: container.name, attempt },
    }));
  });
}

function missing(ref: RunRef, driver: DriverName): ObservedRun {
  return { ref, driver, id: `${driver}://unknown`, state: "exited" };
}

function missingWords(c: ContainerSeen): string {
  return c.interrupted === true ? "the host was restarted while it ran" : "it is gone, and nobody saw how it ended";
}
