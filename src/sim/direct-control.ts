/** Stands in for the agents' connection until there is one. */
import type { Assignments, Control } from "../agent/control.ts";
import type { Clock } from "../seams/clock.ts";
import { LinkError } from "../seams/link.ts";
import type { Party } from "./sim-links.ts";
import type { Wires } from "./sim-network.ts";
import type { Life } from "./sim-time.ts";

export interface Served {
  readonly life: Life;
  readonly control: Control;
}

const TIMEOUT_MS = 10_000;

export class DirectControl implements Control {
  readonly #wires: Wires;
  readonly #party: Party;
  readonly #clock: Clock;
  readonly #served: () => Served | undefined;
  readonly #up = { lastAtMs: 0 };
  readonly #down = { lastAtMs: 0 };

  constructor(wires: Wires, party: Party, clock: Clock, served: () => Served | undefined) {
    this.#wires = wires;
    this.#party = party;
    this.#clock = clock;
    this.#served = served;
  }

  registerNode: Control["registerNode"] = (node) => this.#call((control) => control.registerNode(node));
  report: Control["report"] = (reports, events) => this.#call((control) => control.report(reports, events));
  keyValues: Control["keyValues"] = (kind, namespace, name) => this.#call((c) => c.keyValues(kind, namespace, name));
  heartbeat: Control["heartbeat"] = (beat) => this.#call((control) => control.heartbeat(beat));
  goodbye: Control["goodbye"] = (goodbye) => this.#call((control) => control.goodbye(goodbye));

  watchPods(nodeName: string, listener: (assignments: Assignments) => void, signal: AbortSignal): void {
    const { host, life } = this.#party;
    const open = () => {
      const served = this.#served();
      if (signal.aborted) return;
      const isCut = () => !this.#wires.reaches(host, "server") || !this.#wires.reaches("server", host);
      if (!served || isCut()) {
        this.#clock.setTimer(1_000, open);
        return;
      }
      const watching = new AbortController();
      const hear = (assignments: Assignments) =>
        this.#wires.signal("server", host, this.#down, () => {
          if (!life.isOver && !watching.signal.aborted) listener(assignments);
        });
      served.control.watchPods(nodeName, hear, watching.signal);
      const look = () => {
        if (!signal.aborted && !served.life.isOver && !isCut()) {
          this.#clock.setTimer(1_000, look);
          return;
        }
        watching.abort(new Error("the watch is over"));
        open();
      };
      look();
    };
    open();
  }

  #call<T>(ask: (control: Control) => Promise<T>): Promise<T> {
    const { host, life } = this.#party;
    return new Promise((resolve, reject) => {
      const timeout = this.#clock.setTimer(TIMEOUT_MS, () => reject(new LinkError("no answer in time", false)));
      const answer = (settle: () => void) =>
        this.#wires.send("server", host, this.#down, () => {
          timeout.cancel();
          if (!life.isOver) settle();
        });
      this.#wires.send(host, "server", this.#up, () => {
        const served = this.#served();
        if (!served) {
          answer(() => reject(new LinkError("refused", true)));
          return;
        }
        const alive = (settle: () => void) => {
          if (!served.life.isOver) answer(settle);
        };
        ask(served.control).then(
          (result) => alive(() => resolve(result)),
          (error: Error) => alive(() => reject(error)),
        );
      });
    });
  }
}
