/** Turns the engine's events into what the agent wants to know of runs, without asking the engine again where the event says enough. */
import type { Clock } from "../../seams/clock.ts";
import type { Log } from "../../seams/log.ts";
import type { ObservedRun, RunRef } from "../driver.ts";
import { inspectContainer } from "./container-streams.ts";
import type { Engine } from "./engine.ts";
import type { ContainerSummary, EngineEvent } from "./engine-facts.ts";
import { followEvents } from "./events.ts";
import type { Images } from "./images.ts";
import { LABEL, type Labels, refOf } from "./labels.ts";
import { base, inOrder, observedOf } from "./observe.ts";
import { already } from "./refusal.ts";
import type { SeenRuns } from "./seen.ts";

interface Options {
  readonly engine: Engine;
  readonly instance: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly seen: SeenRuns;
  readonly images: Images;
  /** A new event stream began: the engine may have been away. */
  readonly onEngineBack: () => void;
  readonly onInfraDeath: (podUid: string) => void;
}

type Listener = (change: ObservedRun | "lost") => void;

/** 128 + 9: killed, perhaps by the kernel because memory ran out. */
const KILLED = 137;

export class RunWatch {
  readonly #options: Options;
  readonly #outOfMemory = new Set<string>();

  constructor(options: Options) {
    this.#options = options;
  }

  run(listener: Listener, signal: AbortSignal): Promise<void> {
    const { engine, instance, clock, log } = this.#options;
    const filters = { label: [`${LABEL.instance}=${instance}`], event: ["start", "oom", "die", "destroy"] };
    return followEvents(engine, filters, (event) => this.#handle(event, listener), { signal, clock, log });
  }

  async #handle(event: EngineEvent | "lost", listener: Listener): Promise<void> {
    if (event === "lost") {
      this.#options.onEngineBack();
      listener("lost");
      return;
    }
    const labels = event.Actor.Attributes ?? {};
    const ref = refOf(labels);
    if (event.Action === "destroy") this.#onDestroy(event.Actor.ID, ref !== undefined, listener);
    else if (ref) await this.#onRun(event, ref, listener);
    else if (labels[LABEL.role] === "infra" && event.Action === "die") await this.#onInfraDeath(event, labels);
  }

  async #onRun(event: EngineEvent, ref: RunRef, listener: Listener): Promise<void> {
    const { seen } = this.#options;
    const id = event.Actor.ID;
    if (event.Action === "oom") this.#outOfMemory.add(id);
    else if (event.Action === "start") listener(seen.note(id, await this.#started(event, ref)));
    else if (event.Action === "die") listener(seen.note(id, await this.#ended(event, ref)));
  }

  #onDestroy(id: string, isRun: boolean, listener: Listener): void {
    const { seen } = this.#options;
    if (seen.forgetRemoved(id) || !isRun) return;
    // Someone else took it away: a list without it tells the agent.
    seen.forget(id);
    listener("lost");
  }

  async #started({ Actor, timeNano }: EngineEvent, ref: RunRef): Promise<ObservedRun> {
    const { image = "", [LABEL.address]: own, [LABEL.network]: network } = Actor.Attributes ?? {};
    const address = own ?? (network === undefined ? undefined : (await this.#inspect(Actor.ID))?.address);
    const imageId = this.#options.images.idOf(image);
    return {
      ...base(ref, Actor.ID, "running"),
      ...{ startedAtMs: Math.floor(timeNano / 1e6), image },
      ...(imageId === undefined ? {} : { imageId }),
      ...(address === undefined ? {} : { address }),
    };
  }

  async #ended({ Actor, timeNano }: EngineEvent, ref: RunRef): Promise<ObservedRun> {
    const { seen } = this.#options;
    const exitCode = Number(Actor.Attributes?.exitCode);
    const wasOutOfMemory = this.#outOfMemory.delete(Actor.ID);
    const before = seen.get(Actor.ID);
    // Only a kill needs the engine's word on memory, and only a run not seen before its other facts.
    const asked = exitCode === KILLED || before === undefined ? await this.#inspect(Actor.ID) : undefined;
    return inOrder({
      ...(before ?? base(ref, Actor.ID, "exited")),
      ...asked,
      ...{ state: "exited", exitCode, finishedAtMs: Math.floor(timeNano / 1e6) },
      outOfMemory: wasOutOfMemory || asked?.outOfMemory === true,
    });
  }

  /** What cannot be asked any more (removed meanwhile, engine away) is left as the event told it. */
  async #inspect(id: string): Promise<ObservedRun | undefined> {
    try {
      return observedOf(await inspectContainer(this.#options.engine, id));
    } catch (error) {
      this.#options.log.debug("a container began or ended and could not be looked at", { id, error: String(error) });
      return undefined;
    }
  }

  /** Without it the pod's containers have no network that a new one could share: they end too and are started again by their own rules. */
  async #onInfraDeath(event: EngineEvent, labels: Labels): Promise<void> {
    const { engine, seen, log, onInfraDeath } = this.#options;
    const podUid = labels[LABEL.podUid] ?? "";
    onInfraDeath(podUid);
    if (seen.isRemoved(event.Actor.ID)) return;
    const filters = { label: [`${LABEL.podUid}=${podUid}`, `${LABEL.role}=app`] };
    log.warn("the infra container of a pod ended: its containers are restarted", { pod: labels[LABEL.pod] });
    try {
      const query = { filters: JSON.stringify(filters) };
      const joined = await engine.call<ContainerSummary[]>({ method: "GET", path: "/containers/json", query });
      for (const { Id } of joined)
        await already([404, 409], () => engine.call({ method: "POST", path: `/containers/${Id}/kill` }));
    } catch (error) {
      log.error("the containers of a pod without its infra container could not be ended", { error: String(error) });
    }
  }
}
