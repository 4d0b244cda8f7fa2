import type { Goodbye, Heartbeat, HeartbeatAnswer } from "../../model/heartbeat.ts";
import type { Pod } from "../../model/pod.ts";
import { isExclusive, unreachableRuleOf } from "../../model/when-unreachable.ts";
import type { Store } from "../../store/store.ts";
import type { Change } from "../../store/transaction.ts";
import { type Checker, SimFailure, type World } from "../contract.ts";
import { givenUp } from "./moves.ts";
import { podWords } from "./pod-book.ts";
import { SettingsBook } from "./settings-book.ts";
import { Silence } from "./silence.ts";

/** A timer may fire, and a beat may be counted, within the same moment. */
const TOLERANCE_MS = 50;
/** Between the first step of a start and the moment when we hear of it. */
const START_TOLERANCE_MS = 1_000;

export class SlowIsNotDead implements Checker {
  readonly rule = "slow-is-not-dead";
  readonly words =
    "A pod is given up with its node only after the node's full silence: not while it beats, not within a goodbye's grace, not right after a start of the control plane, an exclusive one not before its lease is over, and one that is to be kept never.";
  judgements = 0;
  readonly #silence = new Silence();
  readonly #settings = new SettingsBook();

  begin({ clock }: Pick<World, "clock">): void {
    this.#silence.begin(clock);
  }

  started(store: Store): void {
    this.#silence.started();
    this.#settings.restart(store);
  }

  fault(text: string): void {
    this.#silence.fault(text);
  }

  heard(beat: Heartbeat, answer: HeartbeatAnswer): void {
    this.judgements++;
    this.#silence.heard(beat, answer);
  }

  parted(goodbye: Goodbye): void {
    this.#silence.parted(goodbye);
  }

  committed(changes: readonly Change[]): void {
    this.#settings.take(changes);
    for (const pod of givenUp(changes)) this.#judge(pod);
  }

  #judge(pod: Pod): void {
    this.judgements++;
    const { nodeName = "" } = pod.spec;
    const rule = unreachableRuleOf(pod);
    const isGoing = pod.metadata.deletionTimestamp !== undefined;
    if (rule.action === "keep" && !isGoing) this.#fail(pod, "it is to be kept");
    const neededMs = Math.max(
      this.#settings.least("unreachableAfterMs") + (rule.action === "replace" ? rule.afterMs : 0),
      isExclusive(pod) ? this.#settings.least("exclusiveAfterMs") : 0,
    );
    const silentMs = this.#silence.silenceOf(nodeName);
    if (silentMs !== undefined && silentMs < neededMs - TOLERANCE_MS)
      this.#fail(pod, `${nodeName} was silent for ${seconds(silentMs)}, not for ${seconds(neededMs)}`);
    const upMs = this.#silence.nowMs - this.#silence.startedMs;
    const graceMs = this.#settings.least("startGraceMs") - START_TOLERANCE_MS;
    // A whole grace may be made of several: of control planes that ended before theirs was over.
    const isListenedFor =
      upMs >= this.#settings.least("unreachableAfterMs") - START_TOLERANCE_MS &&
      (this.#silence.listenedMs(nodeName) ?? 0) >= graceMs;
    if (upMs < graceMs && !isListenedFor) this.#fail(pod, `the control plane has been up for ${seconds(upMs)} only`);
    const partedMs = this.#silence.partedAgoMs(nodeName);
    if (partedMs !== undefined && partedMs < this.#settings.least("rebootGraceMs") - TOLERANCE_MS)
      this.#fail(pod, `${nodeName} said goodbye ${seconds(partedMs)} ago`);
  }

  #fail(pod: Pod, why: string): never {
    throw new SimFailure(this.rule, `${podWords(pod)} was given up with ${pod.spec.nodeName}: ${why}`);
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
