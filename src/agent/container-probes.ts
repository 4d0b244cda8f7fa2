import type { HealthCheck, HealthResult, Probe } from "../model/pod.ts";
import type { Clock, Timer } from "../seams/clock.ts";
import type { Random } from "../seams/random.ts";
import { type CheckTarget, runCheck } from "./check-runner.ts";
import { judgeHealth, judgeProbe, NEW_TRACK, type ProbeAnswer, type ProbeTrack } from "./probe-state.ts";
import type { TimerHeap } from "./timer-heap.ts";

type ProbeName = "startup" | "liveness" | "readiness";

/** What the checks of one run say now. */
export interface ProbeVerdict {
  readonly started: boolean;
  readonly ready: boolean;
  readonly health?: readonly HealthResult[];
  /** Why it has to be stopped. */
  readonly kill?: string;
}

export interface ProbeHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly timers: TimerHeap;
  changed(verdict: ProbeVerdict): void;
  /** A failed try, in words, for an event. */
  unhealthy(words: string): void;
}

const WORD: Readonly<Record<ProbeName, string>> = { startup: "Startup", liveness: "Liveness", readiness: "Readiness" };

/** Runs the probes and health checks of one run of one container, from its start to its end. */
export class ContainerProbes {
  readonly #target: CheckTarget;
  readonly #host: ProbeHost;
  readonly #startedAtMs: number;
  readonly #adopted: boolean;
  readonly #tracks = new Map<ProbeName, ProbeTrack>();
  readonly #health: (HealthResult | undefined)[];
  readonly #timers = new Set<Timer>();
  #verdict: ProbeVerdict;
  #stopped = false;

  /** `ageMs`: how long it has been running already. `known`: what was last known of an adopted run. */
  constructor(target: CheckTarget, host: ProbeHost, ageMs: number, known?: ProbeVerdict) {
    this.#target = target;
    this.#host = host;
    this.#startedAtMs = host.clock.monotonic() - ageMs;
    this.#adopted = known !== undefined;
    const { startupProbe, readinessProbe, healthChecks } = target.container;
    this.#health = (healthChecks ?? []).map((_, at) => known?.health?.[at]);
    // A record from the moment of the start knows of no verdict yet: where nothing is probed there is none to wait for.
    const started = known?.started === true || startupProbe === undefined;
    const ready = known?.ready === true || (readinessProbe === undefined && !healthChecks?.length);
    if (known?.ready === true && readinessProbe) this.#tracks.set("readiness", { ...NEW_TRACK, passing: true });
    this.#verdict = { started, ready: ready && started, ...this.#healthField() };
  }

  get verdict(): ProbeVerdict {
    return this.#verdict;
  }

  start(): void {
    if (!this.#verdict.started) this.#schedule("startup");
    else this.#startTheRest();
    for (const [at, check] of (this.#target.container.healthChecks ?? []).entries())
      this.#scheduleHealth(at, check, true);
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }

  #probe(name: ProbeName): Probe | undefined {
    return this.#target.container[`${name}Probe`];
  }

  #startTheRest(): void {
    this.#schedule("liveness");
    this.#schedule("readiness");
  }

  /** The first try after the initial delay; an adopted run's probes are spread over one period. */
  #schedule(name: ProbeName): void {
    const probe = this.#probe(name);
    if (!probe) return;
    const ageMs = this.#host.clock.monotonic() - this.#startedAtMs;
    const delayMs = Math.max(0, (probe.initialDelaySeconds ?? 0) * 1000 - ageMs);
    const spreadMs = this.#adopted ? this.#host.random.next() * periodMs(probe) : 0;
    this.#after(delayMs + spreadMs, () => this.#try(name, probe));
  }

  async #try(name: ProbeName, probe: Probe): Promise<void> {
    const answer = await runCheck(probe, this.#target, { timeoutMs: (probe.timeoutSeconds ?? 1) * 1000 });
    if (this.#stopped) return;
    if (answer.verdict === "failure") this.#host.unhealthy(`${WORD[name]} probe failed: ${answer.words}`);
    const before = this.#tracks.get(name) ?? NEW_TRACK;
    const track = judgeProbe(before, probe, answer);
    this.#tracks.set(name, track);
    if (this.#conclude(name, track, answer)) return;
    this.#after(periodMs(probe), () => this.#try(name, probe));
  }

  /** True when this probe is done for this run. */
  #conclude(name: ProbeName, { passing }: ProbeTrack, answer: ProbeAnswer): boolean {
    if (name === "readiness") {
      this.#update({ ready: this.#isReady() });
      return false;
    }
    if (passing === false) {
      const why = `Container ${this.#target.container.name} failed ${name} probe: ${answer.words}`;
      this.#update({ kill: why, ready: false });
      return true;
    }
    if (name !== "startup" || passing !== true) return false;
    this.#update({ started: true });
    this.#update({ ready: this.#isReady() });
    this.#startTheRest();
    return true;
  }

  #scheduleHealth(at: number, check: HealthCheck, first: boolean): void {
    const spreadMs = first && this.#adopted ? this.#host.random.next() * check.intervalSeconds * 1000 : 0;
    const ageMs = this.#host.clock.monotonic() - this.#startedAtMs;
    const delayMs = first ? Math.max(0, (check.delaySeconds ?? 0) * 1000 - ageMs) : check.intervalSeconds * 1000;
    this.#after(delayMs + spreadMs, () => this.#tryHealth(at, check));
  }

  async #tryHealth(at: number, check: HealthCheck): Promise<void> {
    const { assignedPort, ignoreHttp1xx, timeoutSeconds } = check;
    const answer = await runCheck(check, this.#target, {
      timeoutMs: timeoutSeconds * 1000,
      ...(assignedPort === undefined ? {} : { assignedPort }),
      ...(ignoreHttp1xx === undefined ? {} : { ignoreHttp1xx }),
    });
    if (this.#stopped) return;
    const sinceStartMs = this.#host.clock.monotonic() - this.#startedAtMs;
    const judged = judgeHealth(this.#health[at], check, answer, { wallMs: this.#host.clock.now(), sinceStartMs });
    if (answer.verdict === "failure") this.#host.unhealthy(`Health check failed: ${answer.words}`);
    this.#health[at] = judged.result;
    const why = `Container ${this.#target.container.name} failed its health check ${judged.result.consecutiveFailures} times: ${answer.words}`;
    this.#update({ ready: this.#isReady(), ...(judged.kill ? { kill: why } : {}) });
    if (!judged.kill) this.#scheduleHealth(at, check, false);
  }

  #isReady(): boolean {
    const probed = this.#probe("readiness") === undefined || this.#tracks.get("readiness")?.passing === true;
    return this.#verdict.started && probed && this.#health.every((result) => result?.alive === true);
  }

  #healthField(): { health?: readonly HealthResult[] } {
    if (this.#health.length === 0) return {};
    return { health: this.#health.map((result) => result ?? { alive: false, consecutiveFailures: 0 }) };
  }

  #update(change: Partial<ProbeVerdict>): void {
    const before = this.#verdict;
    this.#verdict = { ...before, ...this.#healthField(), ...change };
    if (JSON.stringify(before) !== JSON.stringify(this.#verdict)) this.#host.changed(this.#verdict);
  }

  #after(ms: number, work: () => Promise<void>): void {
    if (this.#stopped) return;
    const timer: Timer = this.#host.timers.set(ms, () => {
      this.#timers.delete(timer);
      void work();
    });
    this.#timers.add(timer);
  }
}

function periodMs(probe: Probe): number {
  return (probe.periodSeconds ?? 10) * 1000;
}
