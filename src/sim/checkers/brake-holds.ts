import type { Goodbye, Heartbeat, HeartbeatAnswer } from "../../model/heartbeat.ts";
import { type Node, nodes } from "../../model/node.ts";
import { NODE_LABEL } from "../../model/well-known.ts";
import type { Store } from "../../store/store.ts";
import type { Change } from "../../store/transaction.ts";
import { type Checker, SimFailure, type SimRequest, type World } from "../contract.ts";
import { givenUp } from "./moves.ts";
import { SettingsBook } from "./settings-book.ts";
import { Silence } from "./silence.ts";

/**
 * Judges only what is beyond doubt: nodes that fell silent within the window and are silent still. Who is on the edge of
 * the window, or was released by a person, is left to the tests of the formula.
 */
export class BrakeHolds implements Checker {
  readonly rule = "brake-holds";
  readonly words =
    "While more than the set share of the nodes, or of a zone, fell silent within the window, no pod of theirs is moved unless a person said go.";
  judgements = 0;
  readonly #silence = new Silence();
  readonly #settings = new SettingsBook();
  readonly #zones = new Map<string, string>();
  #releasedMs = Number.NEGATIVE_INFINITY;

  begin({ clock }: Pick<World, "clock">): void {
    this.#silence.begin(clock);
  }

  started(store: Store): void {
    this.#silence.started();
    this.#settings.restart(store);
    for (const node of store.list(nodes)) this.#takeNode(node);
  }

  fault(text: string): void {
    this.#silence.fault(text);
  }

  heard(beat: Heartbeat, answer: HeartbeatAnswer): void {
    this.#silence.heard(beat, { ...answer, renewed: true });
  }

  parted(goodbye: Goodbye): void {
    this.#silence.parted(goodbye);
  }

  asked({ method, path }: SimRequest): void {
    if (method !== "GET" && path.includes("/brake")) this.#releasedMs = this.#silence.nowMs;
  }

  committed(changes: readonly Change[]): void {
    this.#settings.take(changes);
    for (const { kind, type, object } of changes)
      if (kind.name === nodes.name) {
        if (type === "removed") this.#zones.delete(object.metadata.name);
        else this.#takeNode(object as Node);
      }
    const moved = new Set(givenUp(changes).flatMap(({ spec }) => spec.nodeName ?? []));
    for (const name of moved) this.#judge(name);
  }

  #takeNode({ metadata: { name, labels } }: Node): void {
    this.#zones.set(name, labels?.[NODE_LABEL.zone] ?? "");
  }

  #judge(name: string): void {
    this.judgements++;
    const now = this.#silence.nowMs;
    const windowMs = this.#settings.least("brakeWindowMs");
    // A person's word counts for the nodes that were silent then; how long those stay silent is not judged here.
    if (this.#releasedMs > Number.NEGATIVE_INFINITY) return;
    const suspectMs = this.#settings.most("suspectAfterMs");
    const silentMs = this.#silence.silenceOf(name) ?? 0;
    // Decided a moment ago: it must have been in the window then, and be silent now.
    if (now - (this.#silence.heardMsOf(name) ?? 0) < suspectMs || silentMs > windowMs / 2) return;
    const zone = this.#zones.get(name) ?? "";
    const all = [...this.#zones.keys()].filter((one) => this.#wasAlive(one, now - windowMs));
    this.#judgeShare(name, all, "the nodes", now);
    if (zone !== "") {
      const ofZone = all.filter((one) => this.#zones.get(one) === zone);
      this.#judgeShare(name, ofZone, `the nodes of zone ${zone}`, now);
    }
  }

  #judgeShare(name: string, all: readonly string[], whose: string, now: number): void {
    const suspectMs = this.#settings.most("suspectAfterMs");
    const margin = 1_500;
    const silent = all.filter((one) => now - (this.#silence.heardMsOf(one) ?? now) > suspectMs + margin);
    const share = this.#settings.most("brakeShare") * all.length;
    if (silent.length < this.#settings.most("brakeAtLeast") || silent.length <= share) return;
    const words = `${silent.length} of ${all.length} of ${whose} are silent`;
    throw new SimFailure(this.rule, `a pod of ${name} was given up while ${words}: ${silent.join(", ")}`);
  }

  /** Heard within the window or at its edge, and not away with a goodbye. */
  #wasAlive(name: string, sinceMs: number): boolean {
    const heardMs = this.#silence.heardMsOf(name);
    return heardMs !== undefined && heardMs >= sinceMs && this.#silence.partedAgoMs(name) === undefined;
  }
}
