import type { StyrClient } from "../../client/styr-client.ts";
import type { Workload } from "../../model/workload.ts";
import { CliFailure, EXIT } from "../failure.ts";
import { Screen } from "../listing.ts";
import { untilInterrupted } from "../session.ts";
import type { Terminal } from "../terminal.ts";
import { Judge, type Judged, type WaitTarget } from "./judge.ts";
import { progressLines, targetLine } from "./progress.ts";

/** How often the state of waiting is judged and drawn. */
const LOOK_MS = 100;
/** With more targets than this, plain output counts instead of listing. */
const MOST_LISTED = 50;
const COUNT_EVERY_MS = 5_000;

export interface WaitOptions {
  readonly wants: "running" | "gone";
  readonly timeoutMs: number;
  /** Also wait until this is true (a Marathon deployment has ended). */
  readonly also?: () => Promise<boolean>;
  readonly quiet?: boolean;
}

export interface Waited {
  readonly judged: readonly Judged[];
  readonly timedOut: boolean;
}

/** Waits until every target is settled, with live progress on a terminal and a line per change elsewhere. */
export async function waitFor(
  terminal: Terminal,
  client: StyrClient,
  targets: readonly WaitTarget[],
  { wants, timeoutMs, also, quiet }: WaitOptions,
): Promise<Waited> {
  const { clock } = terminal;
  const watched = new WatchedRows(client);
  const judge = new Judge(targets, wants);
  const show = quiet ? () => {} : progress(terminal, wants);
  const interrupted = untilInterrupted();
  const deadlineMs = clock.monotonic() + timeoutMs;
  try {
    for (;;) {
      await clock.sleep(LOOK_MS);
      if (interrupted.aborted) {
        show([], true);
        const what = wants === "gone" ? "what was asked to stop goes on stopping" : "it goes on being tried";
        throw new CliFailure(`not waited for any longer; ${what}`, { exitCode: EXIT.interrupted, next: "styr ps" });
      }
      if (watched.problem) throw watched.problem;
      if (!watched.synced) continue;
      const nowMs = clock.monotonic();
      const isLate = nowMs > deadlineMs;
      const judged = judge.judge(watched.rows.values(), nowMs, clock.now(), isLate);
      const settled = judged.every(({ verdict }) => verdict !== "waiting");
      const wentWell = judged.every(({ verdict }) => verdict === "done");
      // What has failed, or has no place, would keep the rest from ever ending: that is said now.
      const over = settled && (!wentWell || ((await also?.()) ?? true));
      show(judged, over || isLate);
      if (over) return { judged, timedOut: false };
      if (isLate) return { judged, timedOut: true };
    }
  } finally {
    watched.stop();
  }
}

/** The rows of a watch, kept up to date in the background. */
class WatchedRows {
  readonly rows = new Map<string, Workload>();
  readonly #cancel = new AbortController();
  synced = false;
  problem: Error | undefined;

  constructor(client: StyrClient) {
    this.#run(client).catch((error: Error) => {
      if (!this.#cancel.signal.aborted) this.problem = error;
    });
  }

  async #run(client: StyrClient): Promise<void> {
    for await (const change of client.watchWorkloads(this.#cancel.signal)) {
      if (change.type === "row") this.rows.set(change.id, change.row);
      else if (change.type === "gone") this.rows.delete(change.id);
      else this.synced = true;
    }
  }

  stop(): void {
    this.#cancel.abort();
  }
}

type Show = (judged: readonly Judged[], last: boolean) => void;

function progress(terminal: Terminal, wants: WaitOptions["wants"]): Show {
  return terminal.isTerminal ? liveProgress(terminal, wants) : plainProgress(terminal, wants);
}

function liveProgress(terminal: Terminal, wants: WaitOptions["wants"]): Show {
  const screen = new Screen(terminal);
  let drawn = "";
  return (judged, last) => {
    const text = last ? "" : progressLines(judged, wants, terminal);
    if (text !== drawn) screen.draw(text);
    drawn = text;
    if (last) screen.clear();
  };
}

/** A line whenever something reads differently than before. */
function plainProgress(terminal: Terminal, wants: WaitOptions["wants"]): Show {
  const said = new Map<WaitTarget, string>();
  let countedMs = terminal.clock.monotonic();
  return (judged) => {
    if (judged.length > MOST_LISTED) {
      if (terminal.clock.monotonic() - countedMs < COUNT_EVERY_MS) return;
      countedMs = terminal.clock.monotonic();
      const done = judged.filter(({ verdict }) => verdict === "done").length;
      terminal.err(`${done} of ${judged.length} ${wants}\n`);
      return;
    }
    for (const one of judged) {
      const line = targetLine(one, wants);
      if (said.get(one.target) !== line) terminal.err(`${line}\n`);
      said.set(one.target, line);
    }
  };
}
