/**
 * How a systemd service moves: pure, so that every path can be tested in a table and resumed from a file.
 * Source: systemd 252 src/core/service.c; the functions here bear the names of those there.
 */
import type { ServiceSettings } from "../../model/unit/service-settings.ts";
import type { ServiceEvent, ServiceStep, ServiceView } from "./service-events.ts";
import { ServiceMove } from "./service-move.ts";
import { isAtRest, type ProcessEnd, type ServiceState } from "./service-state.ts";

/** The next state, and what to do to get there, in order. An event about a process that is not waited for changes nothing. */
export function step(
  service: ServiceSettings,
  state: ServiceState,
  event: ServiceEvent,
  view: ServiceView,
): ServiceStep {
  const move = new ServiceMove(service, state, view);
  switch (event.type) {
    case "start":
      start(move, event);
      break;
    case "stop":
      stop(move, event.thenStart === true);
      break;
    case "spawned":
      move.spawned(event.id, event.pid);
      break;
    case "not-spawned":
      notSpawned(move, event.id, event.message);
      break;
    case "exited":
      if (move.state.main?.command?.id === event.id) mainExited(move, event.end, event.words);
      else if (move.state.control?.id === event.id) controlExited(move, event.end, event.words);
      break;
    case "deadline":
      deadline(move);
      break;
    case "look":
      look(move);
      break;
  }
  return move.done();
}

function start(move: ServiceMove, event: Extract<ServiceEvent, { type: "start" }>): void {
  const { state } = move;
  if (event.isAutomatic === true ? state.sub !== "auto-restart" && !state.isStartAsked : state.sub === "auto-restart")
    return;
  if (!isAtRest(state) && state.sub !== "auto-restart") {
    // A start job waits until the stop is over; one for a service that is up has nothing to do.
    if (state.isStopAsked || move.isDeactivating()) move.set({ isStartAsked: true, isStopAsked: false });
    return;
  }
  if (event.refusal !== undefined) {
    move.set({ isStopAsked: false, isStartAsked: false, deadlineMs: undefined, mainEnd: undefined });
    move.set({ result: "success", failure: event.refusal, finishedAtMs: move.view.nowMs });
    move.goTo("dead");
    return;
  }
  if (!move.countStart()) {
    const { startLimitBurst, startLimitIntervalMs } = move.service;
    const words = `started ${startLimitBurst} times within ${startLimitIntervalMs / 1000} s`;
    move.fail("start-limit-hit", move.state.failure === undefined ? words : `${words}: ${move.state.failure}`);
    move.enterDead("start-limit-hit", false);
    return;
  }
  move.begin(event.invocationId, event.isAutomatic === true && state.sub === "auto-restart");
  move.enterCondition();
}

function stop(move: ServiceMove, thenStart: boolean): void {
  // What is at rest, or waits to be started again anyway, is not restarted for another unit's sake.
  if (thenStart && (isAtRest(move.state) || move.state.sub === "auto-restart")) return;
  move.set({ isStopAsked: true, isStartAsked: thenStart });
  switch (move.state.sub) {
    case "auto-restart":
      move.goTo(move.state.result === "success" ? "dead" : "failed");
      move.clearDeadline();
      break;
    case "condition":
    case "start-pre":
    case "start":
    case "start-post":
      move.enterSignal("stop-sigterm", "success");
      break;
    case "running":
    case "exited":
      move.enterStop("success");
      break;
    default:
    // At rest, or on its way there already.
  }
}

function notSpawned(move: ServiceMove, id: string, message: string): void {
  const { main, control, sub } = move.state;
  if (main?.command?.id !== id && control?.id !== id) return;
  move.fail("resources", message);
  const isFirst = control?.id === id && control.index === 0;
  move.set(main?.command?.id === id ? { main: undefined } : { control: undefined });
  if ((sub === "condition" || sub === "start-pre") && isFirst) move.enterDead("resources", true);
  else if (sub === "start-post") move.enterStop("resources");
  else if (sub === "stop-post") move.enterSignal("final-sigterm", "resources");
  else move.enterSignal("stop-sigterm", "resources");
}

function mainExited(move: ServiceMove, end: ProcessEnd, words: string | undefined): void {
  const command = move.state.main?.command;
  const result = move.endOfMain(end, words);
  const { type, execStart } = move.service;
  if (
    type === "oneshot" &&
    command &&
    command.index + 1 < execStart.length &&
    result === "success" &&
    !move.state.isStopAsked
  ) {
    move.runMain(command.index + 1);
    return;
  }
  switch (move.state.sub) {
    case "start":
      if (type !== "oneshot") move.enterRunning(result);
      else if (result === "success") move.enterStartPost();
      else move.enterSignal("stop-sigterm", result);
      break;
    case "running":
      move.enterRunning(result);
      break;
    case "stop-sigterm":
    case "stop-sigkill":
      if (!move.state.control) move.enterStopPost(result);
      break;
    case "final-sigterm":
    case "final-sigkill":
      if (!move.state.control) move.enterDead(result, true);
      break;
    default:
    // start-post, stop, stop-post: the command that runs has to end first.
  }
}

function controlExited(move: ServiceMove, end: ProcessEnd, words: string | undefined): void {
  const control = move.state.control;
  if (!control) return;
  const result = move.endOfControl(control, end, words);
  const next = control.index + 1;
  // A Type=forking ExecStart is a control process too.
  if (result === "success" && next < move.service[control.list].length && !move.isSignalling()) {
    move.runControl(control.list, next);
    return;
  }
  switch (move.state.sub) {
    case "condition":
      if (result === "success") move.enterStartPre();
      else move.enterSignal("stop-sigterm", result);
      break;
    case "start-pre":
      if (result === "success") move.enterStart();
      else move.enterSignal("stop-sigterm", result);
      break;
    case "start":
      if (result === "success") move.forked();
      else move.enterSignal("stop-sigterm", result);
      break;
    case "start-post":
      if (result !== "success") move.enterSignal("stop-sigterm", result);
      else move.postStarted();
      break;
    case "stop":
      move.enterSignal("stop-sigterm", result);
      break;
    case "stop-sigterm":
    case "stop-sigkill":
      if (!move.state.main) move.enterStopPost(result);
      break;
    case "stop-post":
      move.enterSignal("final-sigterm", result);
      break;
    case "final-sigterm":
    case "final-sigkill":
      if (!move.state.main) move.enterDead(result, true);
      break;
    default:
    // No command runs in the other states.
  }
}

function deadline(move: ServiceMove): void {
  const { state, view, service } = move;
  if (state.deadlineMs === undefined || view.nowMs < state.deadlineMs) return;
  const { sendsSigkill } = service;
  const late = (what: string, ms: number) => move.fail("timeout", `${what} took longer than ${ms / 1000} s`);
  switch (state.sub) {
    case "condition":
    case "start-pre":
    case "start":
    case "start-post":
      late("the start", service.startTimeoutMs);
      move.enterSignal("stop-sigterm", "timeout");
      break;
    case "running":
      late("it", service.runtimeMaxMs);
      move.enterStop("timeout");
      break;
    case "stop":
      late("ExecStop=", service.stopTimeoutMs);
      move.enterSignal("stop-sigterm", "timeout");
      break;
    case "stop-sigterm":
      late("the stop", service.stopTimeoutMs);
      if (sendsSigkill) move.enterSignal("stop-sigkill", "timeout");
      else move.enterStopPost("timeout");
      break;
    case "stop-sigkill":
      move.enterStopPost("timeout");
      break;
    case "stop-post":
      late("ExecStopPost=", service.stopTimeoutMs);
      move.enterSignal("final-sigterm", "timeout");
      break;
    case "final-sigterm":
      late("the stop", service.stopTimeoutMs);
      if (sendsSigkill) move.enterSignal("final-sigkill", "timeout");
      else move.enterDead("timeout", false);
      break;
    case "final-sigkill":
      move.enterDead("timeout", true);
      break;
    case "auto-restart":
      move.clearDeadline();
      move.act({ type: "restart" });
      break;
    default:
      move.clearDeadline();
  }
}

/** Something may have changed that nobody reports. */
function look(move: ServiceMove): void {
  const { state, view } = move;
  const { main } = state;
  if (main && !main.command && main.pid !== undefined && !view.pids.includes(main.pid)) {
    mainExited(move, { isLost: true }, undefined);
    return;
  }
  if (main || state.control) return;
  const isEmpty = view.pids.length === 0;
  switch (state.sub) {
    case "start":
      move.forked();
      break;
    case "running":
      if (isEmpty) move.enterRunning("success");
      break;
    case "stop-sigterm":
    case "stop-sigkill":
      if (isEmpty) move.enterStopPost("success");
      break;
    case "final-sigterm":
    case "final-sigkill":
      if (isEmpty) move.enterDead("success", true);
      break;
    default:
  }
}
