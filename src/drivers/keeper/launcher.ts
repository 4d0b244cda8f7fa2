import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorCode } from "../cgroup/cgroup-files.ts";
import { type CgroupTree, signalProcess } from "../cgroup/cgroup-tree.ts";
import { type ExecOrder, LaunchError, type LaunchPlan, type LaunchRequest, planLaunch } from "./launch-plan.ts";

const HOME = "keeper";
const PAD = "launch";
const MOST_PASSES = 1000;
const OOM_SCORE = "/proc/self/oom_score_adj";

/** The cgroups beside the root that a keeper makes. */
export const KEEPER_CGROUPS: readonly string[] = [HOME, PAD];

/**
 * Starts processes that are in their cgroup from birth, with all they fork. The keeper itself never enters a cgroup with
 * limits, where it could be throttled, frozen or killed for memory: it starts the child from a cgroup without limits, the
 * launch pad, and moves on whatever is found there until nothing is.
 */
export class Launcher {
  readonly #tree: CgroupTree;
  readonly #orders: string;
  readonly #execAs: string;
  readonly #home: string;
  readonly #pad: string;
  readonly #ownOomScore = Number(readFileSync(OOM_SCORE, "utf8"));

  constructor({ tree, stateDir, execAs }: { tree: CgroupTree; stateDir: string; execAs: string }) {
    this.#tree = tree;
    this.#execAs = execAs;
    this.#orders = join(stateDir, "orders");
    tree.placeBeside(HOME, process.pid);
    this.#home = tree.ensureBeside(HOME);
    this.#pad = tree.ensureBeside(PAD);
    // Left by a keeper that died in the middle of a start: nobody was told of it, so it has not been started.
    for (const pid of tree.pidsBeside(PAD)) signalProcess(pid, 9);
    rmSync(this.#orders, { recursive: true, force: true });
    mkdirSync(this.#orders, { mode: 0o700 });
  }

  /** Throws LaunchError. An `error` event may still follow when the kernel finds what the checks did not. */
  launch(request: LaunchRequest, stdioOf: (plan: LaunchPlan) => StdioOptions): ChildProcess {
    const plan = planLaunch(request, { file: this.#execAs, writeOrder: (order) => this.#writeOrder(order) });
    const stdio = stdioOf(plan);
    this.#tree.ensure(request.cgroup);
    const umask = process.umask(request.umask ?? 0o022);
    let child: ChildProcess;
    try {
      setOomScore(request.oomScoreAdjust ?? 0);
      this.#tree.track(this.#pad, process.pid);
      const { file, argv0, env } = plan;
      child = spawn(file, plan.args, { argv0, env, cwd: request.cwd, detached: true, stdio });
    } finally {
      this.#tree.track(this.#home, process.pid);
      setOomScore(this.#ownOomScore);
      process.umask(umask);
    }
    this.#moveOn(request.cgroup);
    return child;
  }

  #moveOn(cgroup: string): void {
    for (let pass = 0; pass < MOST_PASSES; pass++) {
      const pids = this.#tree.pidsBeside(PAD);
      if (pids.length === 0) return;
      for (const pid of pids) this.#tree.place(cgroup, pid);
    }
    for (const pid of this.#tree.pidsBeside(PAD)) signalProcess(pid, 9);
    throw new LaunchError(203, `the processes it forks cannot be moved to cgroup ${cgroup}`);
  }

  #writeOrder(order: ExecOrder): string {
    const path = join(this.#orders, randomUUID());
    writeFileSync(path, JSON.stringify(order), { mode: 0o600 });
    return path;
  }
}

/** Inherited by what is started next. */
function setOomScore(score: number): void {
  try {
    writeFileSync(OOM_SCORE, String(score));
  } catch (error) {
    // Without CAP_SYS_RESOURCE it cannot be lowered; less protection is no reason not to start.
    if (!["EACCES", "EPERM"].includes(errorCode(error))) throw error;
  }
}
