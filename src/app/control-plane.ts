/**
 * A control plane: the store, the dialects' routes, and, while it leads, all that watches and writes the store. Opens no
 * socket. One with a journal of its own leads from its start on; one of several follows until it is made to lead.
 */
import type { NodeLifecycle } from "../controllers/node-lifecycle/node-lifecycle.ts";
import { keepClusterNetwork } from "../directory/keep-cluster-network.ts";
import { DirectoryControl } from "../dispatcher/directory-control.ts";
import { StoreControl } from "../dispatcher/store-control.ts";
import type { Mounted } from "../http/mount.ts";
import { assert } from "../lib/assert.ts";
import { kernelKinds } from "../model/kinds.ts";
import type { Kind } from "../model/meta.ts";
import type { PersonalityContext } from "../personalities/personality.ts";
import type { Leadership } from "../store/journal.ts";
import { troubleOf } from "../store/members-trouble.ts";
import { SealedJournal } from "../store/sealed/sealed-journal.ts";
import { Store } from "../store/store.ts";
import { ensureSystemNamespaces } from "../store/system-namespaces.ts";
import type { Tx } from "../store/transaction.ts";
import { meteredJournal } from "./metered/metered-journal.ts";
import { PlaneMeters } from "./metered/plane-meters.ts";
import { type ProcessFacts, systemProcessFacts } from "./process-facts.ts";
import { Leading } from "./server/leading.ts";
import type { ControlPlaneOptions, Follower, SharedPlaneOptions } from "./server/plane-options.ts";
import { mountPlane } from "./server/plane-routes.ts";

export class ControlPlane {
  readonly store: Store;
  readonly mounted: Mounted;
  readonly #options: Omit<ControlPlaneOptions, "journal">;
  readonly #kinds: readonly Kind[];
  readonly #context: PersonalityContext;
  readonly #facts: ProcessFacts;
  readonly #counting: PlaneMeters;
  readonly #sealed: SealedJournal | undefined;
  #leading: Leading | undefined;
  #term: number | undefined;

  /** With a journal of its own it always leads, from `start` on. */
  static async open(options: ControlPlaneOptions): Promise<ControlPlane> {
    const { clock, random, log } = options;
    const kinds = kindsOf(options);
    const counting = new PlaneMeters(options);
    const journal = meteredJournal(options.journal, clock, counting.meters);
    const store = await Store.open({ kinds, journal, clock, random: random.fork("store"), log });
    const plane = new ControlPlane(options, store, kinds, counting);
    counting.standing(() => ({ leads: true, knowsLeader: true, term: undefined }));
    plane.#leading = plane.#newLeading();
    await plane.#ensureBasics();
    return plane;
  }

  /** Follows whoever leads, until `lead`. */
  static async openFollowing(options: SharedPlaneOptions): Promise<ControlPlane> {
    const { clock, random, log, follower, onLost } = options;
    const kinds = kindsOf(options);
    const counting = new PlaneMeters(options);
    const journal = meteredJournal(options.journal, clock, counting.meters);
    const store = await Store.openFollowing({ kinds, journal, clock, random: random.fork("store"), log, onLost });
    const plane = new ControlPlane(options, store, kinds, counting, follower, () => journal.leader?.url);
    counting.standing(() => ({ leads: plane.leads, knowsLeader: journal.leader !== undefined, term: plane.#term }));
    return plane;
  }

  private constructor(
    options: ControlPlaneOptions,
    store: Store,
    kinds: readonly Kind[],
    counting: PlaneMeters,
    follower?: Follower,
    leader?: () => string | undefined,
  ) {
    this.store = store;
    this.#sealed = options.journal instanceof SealedJournal ? options.journal : undefined;
    this.#counting = counting;
    this.#options = options;
    this.#kinds = kinds;
    const publishers = options.personalities.flatMap(({ publisher }) => publisher ?? []);
    this.#context = { ...options, store, publishers, ...(leader ? { leader } : {}) };
    this.#facts = options.processFacts ?? systemProcessFacts();
    this.mounted = mountPlane({
      ...{ options, store, kinds, counting, follower },
      context: this.#context,
      facts: this.#facts,
      sealed: this.#sealed,
      storeTrouble: () => troubleOf(options.journal),
      leading: () => this.#leading,
    });
  }

  /** Whether what is asked of it is done here. */
  get leads(): boolean {
    return this.#leading !== undefined;
  }

  get revision(): number {
    return this.store.revision;
  }

  /** Where agents' heartbeats go, of a plane that leads. */
  get lifecycle(): NodeLifecycle {
    assert(this.#leading, "a plane that follows keeps no leases");
    return this.#leading.lifecycle;
  }

  /** For the agent in the same process, of a plane that leads. */
  controlOf(nodeName: string): StoreControl {
    assert(this.#leading, "a plane that follows tells nobody what to do");
    const { leases, directory } = this.#leading;
    return new StoreControl(this.store, leases, new DirectoryControl(directory, nodeName));
  }

  /** What agents are told of the network, and where their heartbeats go so that it is known who is silent. */
  get network(): Pick<Leading, "directory" | "leases"> {
    assert(this.#leading, "a plane that follows tells nobody of the network");
    return this.#leading;
  }

  /** Begins what a leader does. */
  start(): void {
    assert(this.#leading, "a plane that shares its journal begins with lead()");
    this.#leading.start();
  }

  /** Resolves when the leadership is lost and all that leads has stopped. The store goes on, and whoever watches it notices nothing. */
  async lead(leadership: Leadership): Promise<void> {
    this.store.lead(leadership);
    const leading = this.#newLeading();
    const lost = Promise.withResolvers<void>();
    // At once: what comes from now on goes to whoever leads next.
    const end = () => {
      if (this.#leading === leading) this.#leading = undefined;
      lost.resolve();
    };
    if (leadership.lost.aborted) return;
    leadership.lost.addEventListener("abort", end, { once: true });
    this.#leading = leading;
    this.#term = leadership.term;
    leading.start();
    await this.#ensureBasics();
    await lost.promise;
    await leading.stop();
  }

  /** Leads no more; resolves when what it had begun to write is written. The right to write is still to be given up. */
  async release(): Promise<void> {
    const leading = this.#leading;
    this.#leading = undefined;
    await leading?.stop();
    await this.store.update(() => undefined);
  }

  /** What is stored stays; what runs goes on running. */
  async stop(): Promise<void> {
    await this.#leading?.stop();
    await this.store.close();
    this.#facts.stop();
  }

  #newLeading(): Leading {
    const counting = this.#counting;
    return new Leading({
      plane: this.#options,
      store: this.store,
      kinds: this.#kinds,
      context: this.#context,
      counting,
      ...(this.#sealed ? { sealed: this.#sealed } : {}),
    });
  }

  /** A store that cannot write still serves reads, and everything that runs goes on. */
  async #ensureBasics(): Promise<void> {
    const { log, clusterAddresses } = this.#options;
    const ensure = (tx: Tx) => {
      ensureSystemNamespaces(tx);
      return clusterAddresses === undefined ? [] : keepClusterNetwork(tx, clusterAddresses);
    };
    await this.store
      .update(ensure)
      .then((refused) => {
        for (const words of refused) log.warn(words);
      })
      .catch((error: Error) => log.error("the store cannot write", { error: error.message }));
  }
}

function kindsOf({ personalities }: Pick<ControlPlaneOptions, "personalities">): readonly Kind[] {
  return [...kernelKinds, ...personalities.flatMap((personality) => personality.kinds)];
}
