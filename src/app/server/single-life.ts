/** One server with a store of its own: it leads for as long as it runs, from when its store could be opened. */
import { join } from "node:path";
import { mountApis } from "../../http/mount.ts";
import { SqliteJournal } from "../../store/journals/sqlite.ts";
import { ControlPlane } from "../control-plane.ts";
import { LateMounted } from "../late-mounted.ts";
import { foldersOf } from "../node-side.ts";
import { openWhenPossible, refuseLostStore, tryOpen } from "../open-store.ts";
import type { StyrProcess } from "../styr-process.ts";
import type { Life } from "./life.ts";
import type { ControlPlaneOptions } from "./plane-options.ts";
import { sealJournal } from "./seal-journal.ts";

export interface SingleLifeOptions {
  readonly process: StyrProcess;
  readonly plane: Omit<ControlPlaneOptions, "journal">;
  /** Begin with an empty store although this node was asked to run pods: they are stopped. */
  readonly newStore: boolean;
  /** Before the plane begins. */
  readonly onPlane: (plane: ControlPlane) => void;
}

export class SingleLife implements Life {
  readonly mounted: LateMounted;
  readonly #options: SingleLifeOptions;
  readonly #problem: string;
  #plane: ControlPlane | undefined;
  #later: Promise<void> | undefined;

  /** Throws where a store that cannot be opened is an error: open-store.ts. */
  static async open(options: SingleLifeOptions): Promise<SingleLife> {
    const { record } = foldersOf(options.process.settings.stateDir);
    const { opened, problem } = await tryOpen(() => openPlane(options), record);
    return new SingleLife(options, opened, problem);
  }

  private constructor(options: SingleLifeOptions, plane: ControlPlane | undefined, problem: string) {
    this.#options = options;
    this.#plane = plane;
    this.#problem = problem;
    this.mounted = new LateMounted(mountApis(options.plane.moreApis ?? []), () => problem);
  }

  get plane(): ControlPlane | undefined {
    return this.#plane;
  }

  begin(): void {
    if (this.#plane) this.#take(this.#plane);
    else this.#later = this.#beginLater();
  }

  async handOver(): Promise<void> {}

  async stop(): Promise<void> {
    await this.#later;
    await this.#plane?.stop();
  }

  #take(plane: ControlPlane): void {
    this.#plane = plane;
    this.#options.onPlane(plane);
    this.mounted.set(plane.mounted);
    plane.start();
  }

  /** A broken store stops nothing: the agent goes by its own record, and the control plane begins when the store can be opened. */
  async #beginLater(): Promise<void> {
    const { log, io, stopping } = this.#options.process;
    log.error("no control plane", { why: this.#problem });
    io.say(this.#problem);
    io.say(
      "What this node was asked for before goes on running by its own record; nothing can be read or changed until then.",
    );
    const opened = await openWhenPossible(() => openPlane(this.#options), log, stopping.signal);
    if (!opened) return;
    log.info("the store could be opened");
    io.say("the store could be opened; the control plane is there");
    this.#take(opened);
  }
}

async function openPlane({ process, plane, newStore }: SingleLifeOptions): Promise<ControlPlane> {
  const { stateDir } = process.settings;
  if (!newStore) await refuseLostStore(stateDir, foldersOf(stateDir).record);
  const { clock, random } = process;
  const journal = sealJournal(await SqliteJournal.open(join(stateDir, "store.db")), process.settings, {
    clock,
    random,
  });
  // Another attempt must find the file free.
  return ControlPlane.open({ ...plane, journal }).catch(async (error: unknown) => {
    await journal.close();
    throw error;
  });
}
