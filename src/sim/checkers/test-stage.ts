/** A store whose commits a checker sees, and hosts without anything below: for the tests beside this code. */
import { FakeMachine } from "../../drivers/fake/fake-machine.ts";
import type { Heartbeat, HeartbeatAnswer } from "../../model/heartbeat.ts";
import { kernelKinds } from "../../model/kinds.ts";
import type { Kind } from "../../model/meta.ts";
import { type Pod, pods } from "../../model/pod.ts";
import { units } from "../../personalities/fleet/kinds.ts";
import { apps } from "../../personalities/marathon/kinds.ts";
import { silentLog } from "../../seams/log.ts";
import { ManualClock } from "../../seams/manual-clock.ts";
import { SeededRandom } from "../../seams/random.ts";
import { MemoryJournal } from "../../store/journals/memory.ts";
import { Store } from "../../store/store.ts";
import type { Change, Tx } from "../../store/transaction.ts";
import type { Checker, DriverCall, SimHost, World } from "../contract.ts";

const KINDS = [...kernelKinds, units, apps] as readonly unknown[] as readonly Kind[];

export class CheckerStage {
  readonly clock = new ManualClock();
  readonly journal = new MemoryJournal();
  readonly machines = new Map<string, FakeMachine>();
  readonly world: World;
  readonly server = { store: undefined as Store | undefined, isUp: true };
  readonly #checker: Checker;
  #beats = 0;

  static async open(checker: Checker, hostNames: readonly string[] = ["n1", "n2"]): Promise<CheckerStage> {
    const stage = new CheckerStage(checker, hostNames);
    checker.begin?.(stage.world);
    await stage.restart();
    return stage;
  }

  private constructor(checker: Checker, hostNames: readonly string[]) {
    this.#checker = checker;
    for (const name of hostNames) this.machines.set(name, new FakeMachine(this.clock));
    const hosts = new Map(hostNames.map((name) => [name, this.#host(name)]));
    const { clock, server } = this;
    this.world = {
      ...{ clock, server, hosts },
      run: (ms: number) => clock.advance(ms),
      runUntil: async (condition: () => boolean, ms: number) => {
        for (let left = ms; left > 0 && !condition(); left -= 1_000) await clock.advance(1_000);
        return condition();
      },
      request: async () => ({ status: 403, text: "" }),
    } as unknown as World;
  }

  get store(): Store {
    if (!this.server.store) throw new Error("the stage has no store");
    return this.server.store;
  }

  /** As after a crash: on what the journal has. */
  async restart(): Promise<void> {
    const { journal, clock } = this;
    const random = new SeededRandom(this.journal.toString());
    this.server.store = await Store.open({ kinds: KINDS, journal, clock, random, log: silentLog });
    this.#checker.started?.(this.store);
  }

  /** One transaction, shown to the checker as it was written. */
  async commit(change: (tx: Tx) => void): Promise<readonly Change[]> {
    const since = this.store.revision;
    await this.store.update((tx) => {
      change(tx);
    });
    const { value } = await this.store.watch({ since }).next();
    const changes = value ?? [];
    this.#checker.committed?.(changes, this.store);
    return changes;
  }

  /** Changes one pod. */
  async changePod(key: string, change: (pod: Pod) => Pod): Promise<void> {
    await this.commit((tx) => {
      const pod = tx.get(pods, key);
      if (!pod) throw new Error(`there is no pod ${key}`);
      tx.update(pods, change(pod));
    });
  }

  call(what: DriverCall["what"], host: string, podUid: string, attempt = 0, container = "main"): void {
    const call = { host, what, podUid, container, attempt };
    const runs = this.machines.get(host)?.runs;
    const key = `${podUid}/${container}/${attempt}`;
    if (what === "running") runs?.set(key, { observed: { state: "running" } } as never);
    if (what === "exited" || what === "guard-kill") runs?.delete(key);
    this.#checker.driver?.(call);
  }

  /** Beats of these nodes, every second, for so long. */
  async beat(nodes: readonly string[], ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 1_000) {
      for (const node of nodes) this.#checker.heard?.(this.heartbeat(node), ANSWER);
      await this.clock.advance(1_000);
    }
  }

  heartbeat(node: string): Heartbeat {
    return { node, bootId: "b", session: `s-${node}`, sequence: ++this.#beats, health: "ok" };
  }

  #host(name: string): SimHost {
    const machine = this.machines.get(name);
    return { name, zone: "a", isOn: true, isAgentUp: true, machine } as unknown as SimHost;
  }
}

const ANSWER: HeartbeatAnswer = { renewed: true, known: true, terms: { heartbeatMs: 1_000, exclusiveMs: 40_000 } };
