/** What HAProxy does now, and the way from there to what it should do: by words while it runs, or by a new configuration. */
import type { Log } from "../../seams/log.ts";
import { parseList } from "./certificate-commands.ts";
import { checked, type LeftOut, linesWithout } from "./checked.ts";
import {
  covers,
  dataFolder,
  formIn,
  type Generation,
  type GenerationInput,
  generationInForce,
  generationOf,
  type KnownForms,
  mapsOf,
  putInForce,
  sweepGenerations,
} from "./generation.ts";
import type { HaProxy } from "./haproxy.ts";
import { pauseAfter } from "./pace.ts";
import { NO_PLAN, type WayInPlan } from "./plan.ts";
import type { WayInPlaces } from "./render.ts";
import { fitSlots, type Slots } from "./slots.ts";
import { Told } from "./told.ts";
import { without } from "./without.ts";

export interface ServedOptions {
  readonly haproxy: HaProxy;
  readonly folder: string;
  readonly log: Log;
  readonly places: WayInPlaces;
}

export class Served {
  readonly #options: ServedOptions;
  readonly #forms: KnownForms = new WeakMap();
  readonly #told: Told;
  /** Undefined: it does not run, or with what is not known. */
  #running: Pick<Generation, "form" | "forms"> | undefined;
  #isRunning = false;
  /** What it should do it could not be brought to. */
  #isBehind = false;
  #waits: string | undefined;
  /** Of the configuration in force. */
  #left: readonly LeftOut[] = [];
  plan: WayInPlan = NO_PLAN;

  private constructor(options: ServedOptions) {
    this.#options = options;
    this.#told = new Told(options.haproxy);
  }

  static async find(options: ServedOptions): Promise<Served> {
    const served = new Served(options);
    if (await options.haproxy.isRunning()) await served.#adopt();
    return served;
  }

  /** Routes that are not served, and why. */
  get words(): readonly string[] {
    const plain = (text: string) => text.replaceAll(/[^\x20-\x7e]+/g, "?");
    const refused = this.plan.refused.map(
      ({ route, words }) => `${route.source} (${route.host}${route.path}): ${words}`,
    );
    const left = this.#left.map(({ words }) => words);
    return [...(this.#waits === undefined ? [] : [this.#waits]), ...refused, ...left].map(plain);
  }

  /** Why some routes are not served yet: a new configuration has to wait. */
  get waits(): string | undefined {
    return this.#waits;
  }

  readonly slots = (backend: string): Slots => this.#told.slots(backend);

  /** It does not run, is behind, or is not what we take it for, or a backend has more servers by now than it has room for. */
  mustBring(changed: readonly string[], slots: (name: string) => Slots): boolean {
    if (this.#running === undefined || this.#isBehind) return true;
    return changed.some((name) => slots(name).length !== this.slots(name).length);
  }

  /** Whatever it was brought to, it is brought anew. */
  renew(): void {
    this.#running = undefined;
  }

  /** Everything: what can be told, and the configuration, if it takes another one. */
  async bring(asked: GenerationInput): Promise<void> {
    const input = { ...asked, known: this.#forms };
    const wanted = generationOf(input);
    const lines = new Set(parseList(input.certificates));
    this.#left = this.#left.filter(({ what }) => lines.has(what) || input.plan.backends.has(what));
    this.#waits = undefined;
    try {
      const running = this.#running;
      if (running && covers(running, wanted) && (await this.#canTell(() => this.#tellAll(input)))) {
        // Of one that an earlier agent made it is known by now what it has.
        this.#running = running.forms.size === 0 ? shapeOf(wanted) : running;
        this.#isBehind = false;
        await this.#told.keep();
      } else await this.#change(wanted, input);
    } catch (error) {
      this.#isBehind = true;
      await this.#goOn(input).catch(({ message: why }: Error) =>
        this.#options.log.warn("HAProxy cannot be told where servers are", { why }),
      );
      throw error;
    }
  }

  /** Where servers are, and challenges, while it runs. */
  async tell(
    changed: readonly string[],
    { slots, challenges }: Pick<GenerationInput, "slots" | "challenges">,
  ): Promise<void> {
    await this.#tellOf(changed, slots);
    await this.#known(() => this.#told.tellMaps(new Map([["challenges", challenges]])));
  }

  /** One that cannot be told, or refuses it, is brought to it by a configuration. */
  async #canTell(tell: () => Promise<boolean>): Promise<boolean> {
    try {
      return await tell();
    } catch (error) {
      this.#options.log.warn("HAProxy cannot be told what changed", { why: (error as Error).message });
      return false;
    }
  }

  /** Whether all that can be told was told. */
  async #tellAll({ plan, slots, challenges, certificates }: GenerationInput): Promise<boolean> {
    this.plan = this.#servable(plan);
    await this.#tellPresent(slots);
    const areMapsTold = await this.#known(() => this.#told.tellMaps(mapsOf(this.plan, challenges)));
    const list = linesWithout(certificates, new Set(this.#left.map(({ what }) => what)));
    return (await this.#known(() => this.#told.tellCertificates(list))) && areMapsTold;
  }

  async #tellPresent(slots: GenerationInput["slots"]): Promise<boolean> {
    const present = this.#told.backends.filter((name) => this.plan.backends.has(name));
    await this.#tellOf(present, slots);
    return true;
  }

  async #tellOf(names: readonly string[], slots: (name: string) => Slots): Promise<void> {
    const fit = (name: string): Slots => {
      const [wanted, present] = [slots(name), this.slots(name)];
      return wanted.length === present.length ? wanted : fitSlots(present, wanted);
    };
    await this.#known(() => this.#told.tellSlots(names, fit));
  }

  /** An HAProxy that is not what we take it for is told everything anew. */
  async #known<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.#running = undefined;
      throw error;
    }
  }

  /** Those whose backends it has, and in place of the others what is in force until theirs are. */
  #servable(plan: WayInPlan): WayInPlan {
    const missing = new Set([...plan.backends.keys()].filter((name) => !this.#told.has(name)));
    const servable = without(plan, missing, this.#told.maps);
    const backends = new Map(servable.backends);
    for (const name of [...servable.exact.values(), ...servable.prefix.values()]) {
      const kept = this.plan.backends.get(name);
      if (kept) backends.set(name, kept);
    }
    return { ...servable, backends };
  }

  /** A new configuration, as soon as one may be: each leaves a worker behind. */
  async #change(wanted: Generation, input: GenerationInput): Promise<void> {
    const processes = this.#running && (await this.#options.haproxy.processes());
    const { oldWorkers = 0, servingMs = 0 } = processes ?? {};
    const waitMs = pauseAfter(oldWorkers) - servingMs;
    if (waitMs > 0) {
      const seconds = Math.ceil(waitMs / 1000);
      this.#waits = `new routes wait for another ${seconds} s: connections (WebSockets) are left of ${oldWorkers} changes before`;
      await this.#canTell(() => this.#tellAll(input));
      return;
    }
    // Its routes are exchanged all at once, by the new worker: what is to lead to new backends would lead nowhere until it is there.
    if (this.#running) await this.#canTell(() => this.#tellPresent(input.slots));
    await this.#begin(wanted, input);
    this.#isBehind = false;
  }

  /** Without the new configuration the one in force serves on, of which more becomes untrue with each endpoint that it is not told of. */
  async #goOn(input: GenerationInput): Promise<void> {
    const { haproxy, folder } = this.#options;
    if (!(await haproxy.isRunning())) {
      if ((await generationInForce(folder)) === undefined) return;
      await haproxy.start();
      await this.#adopt();
    }
    if (this.#told.folder === undefined) await this.#told.read();
    await this.#tellAll(input);
    const inForce = dataFolder(folder, (await generationInForce(folder)) ?? "");
    await sweepGenerations(folder, [this.#told.folder ?? inForce, inForce]);
  }

  /** One that runs, with what it has been told. */
  async #adopt(): Promise<void> {
    await this.#told.read();
    this.#isRunning = true;
    const { folder } = this.#told;
    const form = folder === undefined ? undefined : await formIn(folder);
    this.#running = form === undefined ? undefined : { form, forms: new Map() };
  }

  async #begin(wanted: Generation, input: GenerationInput): Promise<void> {
    const { haproxy, folder } = this.#options;
    const { generation, plan, left } = await checked(haproxy, wanted, input);
    this.#left = left;
    await putInForce(folder, generation);
    if (this.#isRunning) await haproxy.reload();
    else await haproxy.start();
    this.#isRunning = true;
    this.plan = plan;
    this.#told.begin(generation, new Map([...plan.backends.keys()].map((name) => [name, input.slots(name)])));
    // By its routes as they were asked for: what was left out stays so until they change.
    this.#running = shapeOf(wanted);
    await sweepGenerations(folder, [generation.folder]);
  }
}

/** Not its texts, which are as large as all routes. */
function shapeOf({ form, forms }: Generation): Pick<Generation, "form" | "forms"> {
  return { form, forms };
}
