/** The steps that a service's transitions are made of. One object per `step`; it holds the state being made and the actions so far. */
import { assert } from "../../lib/assert.ts";
import type { ServiceSettings } from "../../model/unit/service-settings.ts";
import { commandText, endInWords } from "./failure-words.ts";
import type { ServiceAction, ServiceStep, ServiceView } from "./service-events.ts";
import {
  ACTIVE_STATE,
  type CommandList,
  type ProcessEnd,
  type RunningCommand,
  SERVICE_MOVES,
  type ServiceResult,
  type ServiceState,
  type SubState,
} from "./service-state.ts";
import { judgeEnd, restarts } from "./service-verdicts.ts";

type Patch = { readonly [K in keyof ServiceState]?: ServiceState[K] | undefined };

/** RestartSec=0 without a start limit would otherwise keep the node busy with nothing else. systemd's own default. */
const LEAST_RESTART_MS = 100;
const SIGHUP = 1;
const SIGKILL = 9;
const SIGCONT = 18;
const ROLE: Readonly<Record<CommandList, string>> = {
  execCondition: "condition",
  execStartPre: "start-pre",
  execStart: "start",
  execStartPost: "start-post",
  execStop: "stop",
  execStopPost: "stop-post",
};

export class ServiceMove {
  readonly service: ServiceSettings;
  readonly view: ServiceView;
  #state: ServiceState;
  #actions: ServiceAction[] = [];

  constructor(service: ServiceSettings, state: ServiceState, view: ServiceView) {
    this.service = service;
    this.view = view;
    this.#state = state;
  }

  get state(): ServiceState {
    return this.#state;
  }

  done(): ServiceStep {
    return { state: this.#state, actions: this.#actions };
  }

  act(action: ServiceAction): void {
    this.#actions.push(action);
  }

  /** A field given as undefined is taken away. */
  set(patch: Patch): void {
    const next: Record<string, unknown> = { ...this.#state, ...patch };
    for (const key of Object.keys(next)) if (next[key] === undefined) delete next[key];
    this.#state = next as unknown as ServiceState;
  }

  goTo(sub: SubState): void {
    const from = this.#state.sub;
    if (from === sub) return;
    assert(SERVICE_MOVES[from].includes(sub), `a service went from ${from} to ${sub}`);
    this.set({ sub });
  }

  clearDeadline(): void {
    this.set({ deadlineMs: undefined });
  }

  isDeactivating(): boolean {
    return ACTIVE_STATE[this.#state.sub] === "deactivating";
  }

  isSignalling(): boolean {
    return this.#state.sub.endsWith("-sigterm") || this.#state.sub.endsWith("-sigkill");
  }

  /** The first failure of a start is the one that is told. */
  fail(result: ServiceResult, words: string, end?: ProcessEnd): void {
    if (this.#state.result !== "success") return;
    this.set({ result, failure: words, failedEnd: end });
  }

  /** systemd's ratelimit_below(): a window that begins with its first start. False when there were too many. */
  countStart(): boolean {
    const { startLimitIntervalMs, startLimitBurst } = this.service;
    const { nowMs } = this.view;
    const { sinceMs, count } = this.#state.startLimit ?? { sinceMs: nowMs, count: 0 };
    if (startLimitIntervalMs === 0 || startLimitBurst === 0) return true;
    // A clock that was set back must not lengthen the window.
    const isOver = count === 0 || nowMs - sinceMs > startLimitIntervalMs || nowMs < sinceMs;
    if (isOver) this.set({ startLimit: { sinceMs: nowMs, count: 1 } });
    else if (count < startLimitBurst) this.set({ startLimit: { sinceMs, count: count + 1 } });
    else this.set({ result: "success" });
    return isOver || count < startLimitBurst;
  }

  /** A new start: nothing of the last one counts any more. What failed last is still told while it restarts. */
  begin(invocationId: string, isRestart: boolean): void {
    this.set({
      result: "success",
      invocation: this.#state.invocation + 1,
      invocationId,
      main: undefined,
      control: undefined,
      mainEnd: undefined,
      failedEnd: undefined,
      failure: isRestart ? this.#state.failure : undefined,
      deadlineMs: undefined,
      restarts: isRestart ? this.#state.restarts + 1 : 0,
      isStopAsked: false,
      isStartAsked: false,
      startedAtMs: this.view.nowMs,
      finishedAtMs: undefined,
    });
  }

  spawned(id: string, pid: number): void {
    const { main, control } = this.#state;
    if (main?.command?.id === id) this.set({ main: { pid, command: { ...main.command, pid } } });
    else if (control?.id === id) this.set({ control: { ...control, pid } });
  }

  enterCondition(): void {
    if (this.service.execCondition.length === 0) {
      this.enterStartPre();
      return;
    }
    this.goTo("condition");
    this.#deadlineIn(this.service.startTimeoutMs);
    this.runControl("execCondition", 0);
  }

  enterStartPre(): void {
    if (this.service.execStartPre.length === 0) {
      this.enterStart();
      return;
    }
    if (this.#state.sub !== "condition") this.#deadlineIn(this.service.startTimeoutMs);
    this.goTo("start-pre");
    this.runControl("execStartPre", 0);
  }

  enterStart(): void {
    const { type, execStart, startTimeoutMs } = this.service;
    if (execStart.length === 0) {
      this.enterStartPost();
      return;
    }
    // systemd counts each phase by itself; the whole start is what TimeoutStartSec= promises, so the first deadline stays.
    if (this.#state.deadlineMs === undefined) this.#deadlineIn(startTimeoutMs);
    this.goTo("start");
    if (type === "forking") this.runControl("execStart", 0);
    else {
      this.runMain(0);
      if (type !== "oneshot" && type !== "exec") this.enterStartPost();
    }
  }

  /** The process that forked has ended well: who is the main process now? */
  forked(): void {
    const { pidFile, execStartPost } = this.service;
    const { mainPidFound, pids } = this.view;
    if (mainPidFound !== undefined) this.set({ main: { pid: mainPidFound } });
    else if (pidFile !== undefined && execStartPost.length === 0) {
      if (pids.length > 0) return;
      this.fail("protocol", `it ended without having written its PID file ${pidFile}`);
      this.enterSignal("stop-sigterm", "protocol");
      return;
    }
    this.enterStartPost();
  }

  enterStartPost(): void {
    if (this.service.execStartPost.length === 0) {
      this.enterRunning("success");
      return;
    }
    this.goTo("start-post");
    if (this.#state.deadlineMs === undefined) this.#deadlineIn(this.service.startTimeoutMs);
    this.runControl("execStartPost", 0);
  }

  /** A PID file may be written by ExecStartPost=. */
  postStarted(): void {
    const { mainPidFound } = this.view;
    if (this.service.type === "forking" && !this.#state.main && mainPidFound !== undefined)
      this.set({ main: { pid: mainPidFound } });
    this.enterRunning("success");
  }

  enterRunning(result: ServiceResult): void {
    this.#settle(result);
    if (this.#state.result !== "success") {
      this.enterSignal("stop-sigterm", result);
      return;
    }
    if (this.#isGood()) {
      this.goTo("running");
      this.clearDeadline();
      if (Number.isFinite(this.service.runtimeMaxMs)) this.#deadlineIn(this.service.runtimeMaxMs);
    } else if (this.service.remainsAfterExit) {
      this.goTo("exited");
      this.clearDeadline();
    } else this.enterStop("success");
  }

  enterStop(result: ServiceResult): void {
    this.#settle(result);
    if (this.service.execStop.length === 0) {
      this.enterSignal("stop-sigterm", "success");
      return;
    }
    this.goTo("stop");
    this.#deadlineIn(this.service.stopTimeoutMs);
    this.runControl("execStop", 0);
  }

  enterStopPost(result: ServiceResult): void {
    this.#settle(result);
    this.set({ control: undefined });
    if (this.service.execStopPost.length === 0) {
      this.enterSignal("final-sigterm", "success");
      return;
    }
    this.goTo("stop-post");
    this.#deadlineIn(this.service.stopTimeoutMs);
    this.runControl("execStopPost", 0);
  }

  /** Sends what KillMode= says; goes straight on when there is nobody to wait for. */
  enterSignal(to: "stop-sigterm" | "stop-sigkill" | "final-sigterm" | "final-sigkill", result: ServiceResult): void {
    this.#settle(result);
    const isKill = to.endsWith("sigkill");
    if (this.#kill(isKill)) {
      this.goTo(to);
      this.#deadlineIn(this.service.stopTimeoutMs);
    } else if (to === "stop-sigterm" && this.service.sendsSigkill) this.enterSignal("stop-sigkill", "success");
    else if (to === "stop-sigterm" || to === "stop-sigkill") this.enterStopPost("success");
    else if (to === "final-sigterm" && this.service.sendsSigkill) this.enterSignal("final-sigkill", "success");
    else this.enterDead("success", true);
  }

  enterDead(result: ServiceResult, allowsRestart: boolean): void {
    this.#settle(result);
    const isWell = this.#state.result === "success" || this.#state.result === "exec-condition";
    this.set({ main: undefined, control: undefined, deadlineMs: undefined, finishedAtMs: this.view.nowMs });
    if (isWell && this.#state.result === "success") this.set({ failure: undefined });
    this.goTo(isWell ? "dead" : "failed");
    if (this.#state.isStartAsked) this.act({ type: "restart" });
    else if (allowsRestart && restarts(this.service, this.#state)) {
      this.goTo("auto-restart");
      this.#deadlineIn(Math.max(LEAST_RESTART_MS, this.service.restartMs));
    }
  }

  runMain(index: number): void {
    const command = this.#command("execStart", index);
    this.set({ main: { command } });
    this.#spawn(command, true);
  }

  runControl(list: CommandList, index: number): void {
    const command = this.#command(list, index);
    this.set({ control: command });
    this.#spawn(command, false);
  }

  /** What the main process' end means, and keeps it for ExecStopPost=. */
  endOfMain(end: ProcessEnd, words: string | undefined): ServiceResult {
    const command = this.#state.main?.command;
    const settings = command && this.service.execStart[command.index];
    const isExpected = end.isLost === true && (this.isDeactivating() || this.#state.isStopAsked);
    const result =
      settings?.ignoresFailure || isExpected ? "success" : judgeEnd(end, this.service, this.service.type !== "oneshot");
    this.set({ main: undefined, mainEnd: end });
    if (result !== "success") this.fail(result, endInWords("the main process", end, words), end);
    return result;
  }

  endOfControl(control: RunningCommand, end: ProcessEnd, words: string | undefined): ServiceResult {
    this.set({ control: undefined });
    const settings = this.service[control.list][control.index];
    if (settings?.ignoresFailure) return "success";
    let result = judgeEnd(end, this.service, control.list === "execStart");
    const { code = 0 } = end;
    // ExecCondition=: 1 to 254 mean "not now", 255 and signals mean that it broke.
    if (control.list === "execCondition" && result === "exit-code" && code < 255) result = "exec-condition";
    if (result !== "success") this.fail(result, endInWords(commandText(control, this.service), end, words), end);
    return result;
  }

  #settle(result: ServiceResult): void {
    if (this.#state.result === "success") this.set({ result });
  }

  /** service_good(): the main process lives, or nobody knows which it is and something lives. */
  #isGood(): boolean {
    const { main, mainEnd } = this.#state;
    if (main) return true;
    const { type, execStart } = this.service;
    const isUnknown = type === "forking" && execStart.length > 0 && mainEnd === undefined;
    return isUnknown && this.view.pids.length > 0;
  }

  /** unit_kill_context(): true when somebody was signalled whose end is worth waiting for. */
  #kill(isKill: boolean): boolean {
    const { killMode, killSignal, restartKillSignal, finalKillSignal, sendsSighup } = this.service;
    if (killMode === "none") return false;
    const { main, control } = this.#state;
    const isRestart = this.#state.isStartAsked && restartKillSignal !== undefined;
    const signal = isKill ? finalKillSignal : isRestart ? restartKillSignal : killSignal;
    const signals = signal === SIGKILL ? [signal] : [signal, SIGCONT, ...(sendsSighup ? [SIGHUP] : [])];
    const isWhole = killMode === "control-group" || (killMode === "mixed" && isKill);
    if (isWhole) {
      const isAnybody = this.view.pids.length > 0 || main !== undefined || control !== undefined;
      if (isAnybody) for (const each of signals) this.act({ type: "signal-cgroup", signal: each });
      return isAnybody;
    }
    for (const each of signals) this.#signalMembers(each);
    return main !== undefined || control !== undefined;
  }

  #signalMembers(signal: number): void {
    const { main, control } = this.#state;
    if (main?.command) this.act({ type: "signal-command", id: main.command.id, signal });
    else if (main?.pid !== undefined) this.act({ type: "signal-pid", pid: main.pid, signal });
    if (control) this.act({ type: "signal-command", id: control.id, signal });
  }

  #command(list: CommandList, index: number): RunningCommand {
    return { id: `${this.#state.invocation}.${ROLE[list]}.${index}`, list, index };
  }

  #spawn(command: RunningCommand, isMain: boolean): void {
    const settings = this.service[command.list][command.index];
    assert(settings, `${command.id} of ${this.service.name} is not in the unit`);
    const isStopping = command.list === "execStop" || command.list === "execStopPost";
    this.act({ type: "spawn", id: command.id, command: settings, isMain, isStopping });
  }

  #deadlineIn(ms: number): void {
    this.set({ deadlineMs: Number.isFinite(ms) ? this.view.nowMs + ms : undefined });
  }
}
