/** What HAProxy does now, and the way from there to what it should do: by words while it runs, or by a new configuration. */
import type { Log } from "../../seams/log.ts";
import { FILES } from "./files.ts";
import {
  badCertificates,
  culprits,
  dataFolder,
  type Generation,
  type GenerationInput,
  generationInForce,
  generationOf,
  putInForce,
  sweepGenerations,
  writeGeneration,
} from "./generation.ts";
import type { HaProxy } from "./haproxy.ts";
import type { WayInPlan } from "./plan.ts";
import type { WayInPlaces } from "./render.ts";
import { parseServersState, refusedCommand, serverCommands } from "./server-commands.ts";
import { fitSlots, type Slots } from "./slots.ts";

export interface ServedOptions {
  readonly haproxy: HaProxy;
  readonly folder: string;
  readonly log: Log;
  readonly places: WayInPlaces;
}

/** Each is a run of `haproxy -c` over the whole configuration. */
const MOST_CHECKS = 50;
const NO_PLAN: WayInPlan = {
  ...{ exact: new Map(), prefix: new Map(), backends: new Map(), certificates: new Map(), refused: [] },
  ...{ hosts: new Map(), backers: new Map() },
};

export class Served {
  readonly #options: ServedOptions;
  readonly #told: Map<string, Slots>;
  #generation: string | undefined;
  /** Where the files are that it has read. */
  #data: string;
  #challenges: ReadonlyMap<string, string> | undefined;
  #isRunning: boolean;
  /** What it should do it could not be brought to. */
  #isBehind = false;
  #refused: readonly string[] = [];
  plan: WayInPlan = NO_PLAN;

  private constructor(options: ServedOptions, running: ReadonlyMap<string, Slots> | undefined, id: string | undefined) {
    this.#options = options;
    this.#told = new Map(running ?? []);
    this.#isRunning = running !== undefined;
    this.#generation = running === undefined ? undefined : id;
    this.#data = dataFolder(options.folder, id ?? "");
  }

  static async find(options: ServedOptions): Promise<Served> {
    const { haproxy, folder } = options;
    if (!(await haproxy.isRunning())) return new Served(options, undefined, undefined);
    const slots = parseServersState(await haproxy.tell(["show servers state"]));
    return new Served(options, slots, await generationInForce(folder));
  }

  /** Routes that are not served, and why. */
  get words(): readonly string[] {
    return this.#refused;
  }

  readonly slots = (backend: string): Slots => this.#told.get(backend) ?? [];

  /** It does not run, is behind, or is not what we take it for, or a backend has more servers by now than it has room for. */
  needsReload(changed: readonly string[], slots: (name: string) => Slots): boolean {
    if (!this.#isRunning || this.#isBehind || this.#generation === undefined) return true;
    return changed.some((name) => slots(name).length !== this.slots(name).length);
  }

  /** Whatever it was brought to, it is brought anew. */
  renew(): void {
    this.#generation = undefined;
  }

  /** Everything: the configuration, if it is another one, and where servers are. */
  async bring(input: GenerationInput): Promise<void> {
    const generation = generationOf(input);
    if (this.#isRunning && generation.id === this.#generation) {
      this.plan = input.plan;
      this.#isBehind = false;
      this.#note(input.plan);
      await this.tell([...input.plan.backends.keys()], input.slots, input.challenges);
    } else {
      try {
        await this.#begin(generation, input);
        this.#isBehind = false;
      } catch (error) {
        this.#isBehind = true;
        await this.#goOn(input).catch(({ message: why }: Error) =>
          this.#options.log.warn("HAProxy cannot be told where servers are", { why }),
        );
        throw error;
      }
    }
  }

  /** Without the new configuration the one in force serves on, of which more becomes untrue with each endpoint that it is not told of. */
  async #goOn({ plan, slots, challenges }: GenerationInput): Promise<void> {
    const { haproxy, folder } = this.#options;
    if (!(await haproxy.isRunning())) {
      const id = await generationInForce(folder);
      if (id === undefined) return;
      await haproxy.start();
      const running = parseServersState(await haproxy.tell(["show servers state"]));
      for (const [name, each] of running) this.#told.set(name, each);
      this.#isRunning = true;
      this.#generation = id;
      this.#data = dataFolder(folder, id);
    }
    const both = [...this.#told.keys()].filter((name) => plan.backends.has(name));
    await this.tell(both, (name) => fitSlots(this.slots(name), slots(name)), challenges);
    await sweepGenerations(folder, [this.#data, dataFolder(folder, (await generationInForce(folder)) ?? "")]);
  }

  /** Endpoints and challenges, while it runs. */
  async tell(
    changed: readonly string[],
    slots: (name: string) => Slots,
    challenges: ReadonlyMap<string, string>,
  ): Promise<void> {
    const { haproxy } = this.#options;
    const commands = changed.flatMap((name) => serverCommands(name, this.slots(name), slots(name)));
    commands.push(...this.#challengeCommands(challenges));
    if (commands.length === 0) return;
    const refusal = refusedCommand(await haproxy.tell(commands));
    if (refusal !== undefined) {
      // It is not what we take it for: everything is told anew.
      this.#generation = undefined;
      throw new Error(`HAProxy refused what it was told: ${refusal}`);
    }
    for (const name of changed) this.#told.set(name, slots(name));
    this.#challenges = challenges;
  }

  async #begin(wanted: Generation, input: GenerationInput): Promise<void> {
    const { haproxy, folder } = this.#options;
    const { generation, plan } = await this.#checked(wanted, input);
    await putInForce(folder, generation);
    if (this.#isRunning) await haproxy.reload();
    else await haproxy.start();
    this.#isRunning = true;
    this.plan = plan;
    this.#told.clear();
    for (const name of plan.backends.keys()) this.#told.set(name, input.slots(name));
    // By its routes as they were asked for: what was left out stays so until they change.
    this.#generation = wanted.id;
    this.#data = generation.folder;
    this.#challenges = input.challenges;
    await sweepGenerations(folder, [generation.folder]);
  }

  /** What HAProxy takes: without those backends that it names, if it does. One bad route is no trouble of the others. */
  async #checked(wanted: Generation, input: GenerationInput): Promise<{ generation: Generation; plan: WayInPlan }> {
    let [generation, { plan, certificates }] = [wanted, input];
    const left: string[] = [];
    for (let checks = 1; ; checks++) {
      const config = await writeGeneration(generation);
      const problem = await this.#options.haproxy.problemOf(config);
      if (problem === undefined) break;
      const bad = culprits(problem, generation.config, plan.backends);
      const lines = new Set(badCertificates(problem, certificates));
      const words = firstAlert(problem);
      if (bad.length + lines.size === 0 || checks >= MOST_CHECKS)
        throw new Error(`HAProxy refuses the configuration: ${words}`);
      for (const { source } of bad) left.push(`${source} is left out: HAProxy says ${words}`);
      for (const line of lines)
        left.push(`the certificate of ${line.split(" ")[1]} is left out: HAProxy says ${words}`);
      plan = without(plan, new Set(bad.map(({ name }) => name)));
      certificates = linesWithout(certificates, lines);
      generation = generationOf({ ...input, plan, certificates });
    }
    this.#note(plan, left);
    return { generation, plan };
  }

  #note({ refused }: WayInPlan, left: readonly string[] = []): void {
    const plain = (text: string) => text.replaceAll(/[^\x20-\x7e]+/g, "?");
    const all = [
      ...refused.map(({ route, words }) => `${route.source} (${route.host}${route.path}): ${words}`),
      ...left,
    ];
    this.#refused = all.map(plain);
  }

  #challengeCommands(wanted: ReadonlyMap<string, string>): readonly string[] {
    if (this.#generation === undefined) return [];
    const map = `${this.#data}/${FILES.challenges}`;
    const before = this.#challenges;
    // After an agent's restart nobody knows what it was told.
    if (before === undefined)
      return [`clear map ${map}`, ...[...wanted].map(([key, value]) => `add map ${map} ${key} ${value}`)];
    const gone = [...before.keys()].filter((key) => !wanted.has(key));
    const come = [...wanted].filter(([key, value]) => before.get(key) !== value);
    return [
      ...gone.map((key) => `del map ${map} ${key}`),
      ...come.flatMap(([key, value]) => [
        ...(before.has(key) ? [`del map ${map} ${key}`] : []),
        `add map ${map} ${key} ${value}`,
      ]),
    ];
  }
}

function without(plan: WayInPlan, names: ReadonlySet<string>): WayInPlan {
  const kept = (map: ReadonlyMap<string, string>) => new Map([...map].filter(([, name]) => !names.has(name)));
  const backends = new Map([...plan.backends].filter(([name]) => !names.has(name)));
  return { ...plan, exact: kept(plan.exact), prefix: kept(plan.prefix), backends };
}

function linesWithout(text: string, lines: ReadonlySet<string>): string {
  return text
    .split("\n")
    .filter((line) => !lines.has(line))
    .join("\n");
}

function firstAlert(words: string): string {
  const alert = words.split("\n").find((line) => line.includes("[ALERT]")) ?? words;
  return alert
    .replace(/^\[ALERT\]\s*\(\d+\) : (?:config : )?/, "")
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, 400);
}
