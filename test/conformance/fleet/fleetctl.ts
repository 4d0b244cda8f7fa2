/** Makes the calls that fleetctl 1.0.0 makes, in its order, and waits for what it waits for (specs 2.2, 2.3). */
import { unitHash } from "../../../src/model/unit/serialize-unit.ts";
import type { Answer, Cluster, UnitJson } from "./cluster.ts";
import { optionsOf } from "./cluster.ts";

const POLL_MS = 250;
/** fleetctl itself waits for ever. */
const PATIENCE_MS = 10_000;
const ACTIVE_WITHIN_MS = 2000;

type State = "inactive" | "loaded" | "launched";
export type Files = Readonly<Record<string, string>>;

export class Fleetctl {
  readonly said: string[] = [];
  readonly #cluster: Cluster;
  readonly #files: Files;

  /** `files`: the local folder. */
  constructor(cluster: Cluster, files: Files) {
    this.#cluster = cluster;
    this.#files = files;
  }

  async submit(names: readonly string[], options: { replace?: boolean } = {}): Promise<void> {
    const created: string[] = [];
    for (const name of names) if (await this.#create(name, ["inactive"], options.replace)) created.push(name);
    await this.#all(created, (name) => this.#untilState(name, "inactive"));
  }

  async load(names: readonly string[], options: { replace?: boolean } = {}): Promise<void> {
    await this.#submitFirst(names, ["inactive", "loaded"], options.replace);
    const set = await this.#setTarget(names, "loaded");
    await this.#all(set, (name) => this.#untilState(name, "loaded"));
  }

  async start(names: readonly string[], options: { replace?: boolean } = {}): Promise<void> {
    await this.#submitFirst(names, ["inactive", "loaded", "launched"], options.replace);
    const set = await this.#setTarget(names, "launched");
    await this.#all(set, (name) => this.#untilState(name, "launched"));
    await this.#all(set, (name) => this.#untilActive(name));
  }

  async stop(names: readonly string[]): Promise<void> {
    const found = await this.#find(names);
    for (const unit of found) {
      if (isGlobal(unit)) {
        await this.#put(unit.name, { desiredState: "loaded", name: unit.name });
        continue;
      }
      if (unit.currentState === "inactive") throw new Error(`Unable to stop unit ${unit.name} in state inactive`);
      if (unit.currentState === "loaded") continue;
      await this.#put(unit.name, { desiredState: "loaded", name: unit.name });
      await this.#untilState(unit.name, "loaded");
    }
  }

  async unload(names: readonly string[]): Promise<void> {
    for (const unit of await this.#find(names)) {
      if (!isGlobal(unit) && unit.currentState === "inactive") continue;
      await this.#put(unit.name, { desiredState: "inactive", name: unit.name });
      if (!isGlobal(unit)) await this.#untilState(unit.name, "inactive");
    }
  }

  async destroy(names: readonly string[]): Promise<void> {
    for (const { name } of await this.#find(names)) {
      const answer = await this.#cluster.call("DELETE", pathOf(name), undefined, null);
      if (answer.status !== 204 && answer.status !== 404) throw googleError(answer);
    }
  }

  /** Waits for "launched" after asking for "loaded": the client's own mistake, which the server has to bear. */
  async restart(names: readonly string[]): Promise<void> {
    for (const { name } of await this.#find(names)) {
      await this.#get(name);
      await this.#put(name, { desiredState: "loaded", name });
      await this.#untilState(name, "launched");
      await this.#put(name, { desiredState: "launched", name });
      await this.#untilState(name, "launched");
    }
  }

  async #submitFirst(names: readonly string[], allowed: readonly State[], replace = false): Promise<void> {
    const created: string[] = [];
    for (const name of names) if (await this.#create(name, allowed, replace)) created.push(name);
    await this.#all(created, (name) => this.#untilState(name, "inactive"));
  }

  /** True when something was put. */
  async #create(name: string, allowed: readonly State[], replace = false): Promise<boolean> {
    const present = await this.#get(name);
    const local = this.#files[name] ?? (present ? undefined : await this.#template(name));
    if (present && local === undefined) return false;
    if (present && local !== undefined) {
      if (unitHash(optionsOf(local)) === unitHash(filled(present))) {
        if (replace) this.said.push(`Found same Unit(${name}) in Registry, nothing to do`);
        return false;
      }
      if (!replace) {
        this.said.push(`WARNING: Unit ${name} in registry differs from local unit file`);
        return false;
      }
      if (!allowed.includes(present.desiredState as State)) {
        this.said.push(`Warning: can not replace Unit(${name}) in state '${present.desiredState}'`);
        return false;
      }
    }
    if (local === undefined) throw new Error(`unable to find Unit(${name})`);
    await this.#put(name, { name, options: optionsOf(local) });
    return true;
  }

  async #template(name: string): Promise<string | undefined> {
    const template = name.replace(/@[^.]*\./, "@.");
    if (template === name) return undefined;
    const remote = await this.#get(template);
    if (!remote) return this.#files[template];
    return filled(remote)
      .map((option) => `[${option.section}]\n${option.name}=${option.value}\n`)
      .join("");
  }

  /** Names that have to be waited for. */
  async #setTarget(names: readonly string[], state: State): Promise<readonly string[]> {
    const waits: string[] = [];
    for (const name of names) {
      const unit = await this.#get(name);
      if (!unit) throw new Error(`Unit ${name} not found`);
      if (unit.desiredState !== state) await this.#put(name, { desiredState: state, name });
      if (!isGlobal(unit)) waits.push(name);
    }
    return waits;
  }

  async #find(names: readonly string[]): Promise<readonly UnitJson[]> {
    const all = (await this.#list("/units", "units")) as readonly UnitJson[];
    return all.filter(({ name }) => names.includes(name));
  }

  async #list(path: string, key: string): Promise<readonly unknown[]> {
    const found: unknown[] = [];
    let token: string | undefined;
    do {
      const { body } = await this.#cluster.get(`${path}?alt=json${token ? `&nextPageToken=${token}` : ""}`);
      found.push(...(body[key] ?? []));
      token = body.nextPageToken;
    } while (token);
    return found;
  }

  async #get(name: string): Promise<UnitJson | undefined> {
    const answer = await this.#cluster.call("GET", pathOf(name), undefined, null);
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw googleError(answer);
    return answer.body;
  }

  async #put(name: string, body: object): Promise<void> {
    const answer = await this.#cluster.call("PUT", pathOf(name), body);
    if (answer.status >= 300) throw googleError(answer);
  }

  async #all(names: readonly string[], wait: (name: string) => Promise<void>): Promise<void> {
    await Promise.all(names.map(wait));
  }

  /** Of a global unit the desired state is compared. */
  async #untilState(name: string, state: State): Promise<void> {
    let last: UnitJson | undefined;
    await poll(PATIENCE_MS, async () => {
      last = await this.#get(name);
      return (last && isGlobal(last) ? last.desiredState : last?.currentState) === state;
    }).catch(() => {
      throw new Error(`fleetctl waits for ever: ${name} should be ${state}, and is ${JSON.stringify(last)}`);
    });
  }

  async #untilActive(name: string): Promise<void> {
    await poll(ACTIVE_WITHIN_MS, async () => {
      const { status, body } = await this.#cluster.get(`/state/${encodeURIComponent(name)}?alt=json`);
      if (status === 404) throw new TypeError("fleetctl crashes: nil pointer dereference");
      return body.systemdActiveState === "active" && body.systemdLoadState === "loaded";
    });
  }
}

async function poll(withinMs: number, claim: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    if (await claim()) return;
    if (performance.now() > deadline) throw new Error(`not so after ${withinMs} ms`);
  }
}

function isGlobal(unit: UnitJson): boolean {
  return filled(unit).some(
    ({ section, name, value }) => section === "X-Fleet" && name === "Global" && value === "true",
  );
}

/** The server leaves empty values out. */
function filled({ options }: UnitJson) {
  return (options ?? []).map(({ section, name, value }) => ({ section, name, value: value ?? "" }));
}

function pathOf(name: string): string {
  return `/fleet/v1/units/${encodeURIComponent(name)}?alt=json`;
}

/** As google-api-go-client words it. */
function googleError({ status, body }: Answer): Error {
  return new Error(`googleapi: Error ${status}: ${body?.error?.message}`);
}
