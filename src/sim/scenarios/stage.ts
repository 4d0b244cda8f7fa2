/** A world, and the means to say what is expected of it. What fails to be so is a SimFailure of the scenario's name. */
import { isActive } from "../../model/disruption.ts";
import { type Node, nodes } from "../../model/node.ts";
import { isLive, isReady, type Pod, pods } from "../../model/pod.ts";
import type { Store } from "../../store/store.ts";
import { SimFailure, type SimHost, type SimRequest, type SimResponse, type World } from "../contract.ts";
import { insist } from "../draw/ask.ts";
import { Ledger } from "./ledger.ts";

const ANSWER_WITHIN_MS = 120_000;

export class Stage {
  readonly world: World;
  readonly ledger: Ledger;
  readonly #scenario: string;

  constructor(world: World, scenario: string) {
    this.world = world;
    this.#scenario = scenario;
    this.ledger = new Ledger(world.clock);
    world.observe(this.ledger);
  }

  get nowMs(): number {
    return this.world.clock.monotonic();
  }

  get store(): Store {
    const { store } = this.world.server;
    if (!store) throw this.failure("the control plane is up", "it is not");
    return store;
  }

  get hosts(): readonly SimHost[] {
    return [...this.world.hosts.values()];
  }

  host(name: string): SimHost {
    const found = this.world.hosts.get(name);
    if (!found) throw this.failure(`there is a host ${name}`, "there is none");
    return found;
  }

  expect(claim: boolean, expected: string, found: string | number = "it is not so"): void {
    if (!claim) throw this.failure(expected, String(found));
  }

  run(ms: number): Promise<void> {
    return this.world.run(ms);
  }

  /** Returns how long it took. */
  async until(what: string, condition: () => boolean, withinMs: number, state?: () => string): Promise<number> {
    const beganMs = this.nowMs;
    if (await this.world.runUntil(condition, withinMs)) return this.nowMs - beganMs;
    throw this.failure(`${what} within ${withinMs} ms`, state?.() ?? "it did not come to that");
  }

  /** Until it is answered; expects success. */
  async ask(request: SimRequest): Promise<SimResponse> {
    const answer = await this.answerTo(request);
    const isFine = answer.status >= 200 && answer.status < 300;
    this.expect(isFine, `${request.method} ${request.path} succeeds`, `${answer.status} ${answer.text}`);
    return answer;
  }

  async answerTo(request: SimRequest): Promise<SimResponse> {
    let answer: SimResponse | undefined;
    let failure: Error | undefined;
    void insist(this.world, request).then(
      (given) => {
        answer = given;
      },
      (error: Error) => {
        failure = error;
      },
    );
    await this.world.runUntil(() => answer !== undefined || failure !== undefined, ANSWER_WITHIN_MS, 20);
    if (failure) throw failure;
    if (!answer) throw this.failure(`${request.method} ${request.path} is answered`, "no answer came");
    return answer;
  }

  node(name: string): Node {
    const found = this.store.get(nodes, name);
    if (!found) throw this.failure(`there is a node ${name}`, "there is none");
    return found;
  }

  /** The pods of one workload, as their names begin; all when it is not named. */
  pods(workload?: string): readonly Pod[] {
    const all = this.store.list(pods);
    return workload === undefined ? all : all.filter((pod) => belongsTo(pod, workload));
  }

  active(workload?: string): readonly Pod[] {
    return this.pods(workload).filter(isActive);
  }

  readyCount(workload?: string): number {
    return this.pods(workload).filter((pod) => isLive(pod) && isReady(pod)).length;
  }

  podsOn(node: string, workload?: string): readonly Pod[] {
    return this.pods(workload).filter((pod) => pod.spec.nodeName === node);
  }

  /** Really running, as an omniscient observer sees it: names of hosts, one for each container. */
  runningOn(podUids: ReadonlySet<string>): readonly string[] {
    return this.hosts.flatMap(({ name, isOn, machine }) =>
      [...machine.runs.values()]
        .filter(({ observed }) => isOn && observed.state === "running" && podUids.has(observed.ref.podUid))
        .map(() => name),
    );
  }

  /** Applies the workload and waits until so many of its pods are ready. */
  async deploy(workload: string, copies: number, ...requests: readonly SimRequest[]): Promise<void> {
    for (const request of requests) await this.ask(request);
    await this.ready(workload, copies);
  }

  async ready(workload: string, copies: number, withinMs = 60_000): Promise<number> {
    const isSo = () =>
      this.active(workload).filter(isReady).length === copies && this.active(workload).length === copies;
    return await this.until(`${copies} copies of ${workload} are ready`, isSo, withinMs, () => this.#state(workload));
  }

  /** Nothing was given up, nothing was stopped and nothing was started since then. */
  expectStill(sinceMs: number, what: string): void {
    this.expectNoMoves(sinceMs, what);
    for (const call of ["stop", "start", "guard-kill"] as const) {
      const calls = this.ledger.since(sinceMs, call);
      this.expect(calls.length === 0, `${what}: zero calls to ${call}`, `${calls.length}, on ${calls[0]?.host}`);
    }
  }

  expectNoMoves(sinceMs: number, what: string): void {
    const moves = this.ledger.movesSince(sinceMs);
    const first = moves[0]?.pod;
    this.expect(
      moves.length === 0,
      `${what}: zero moves`,
      `${moves.length}, of ${first?.metadata.name} on ${first?.spec.nodeName}`,
    );
    const made = this.ledger.made.filter(({ atMs }) => atMs >= sinceMs);
    this.expect(made.length === 0, `${what}: no new pods`, `${made.length}, ${made[0]?.pod.metadata.name}`);
  }

  failure(expected: string, found: string): SimFailure {
    return new SimFailure(this.#scenario, `expected: ${expected}; found: ${found}`);
  }

  #state(workload: string): string {
    return this.pods(workload)
      .map(
        (pod) =>
          `${pod.metadata.name} on ${pod.spec.nodeName ?? "no node"} ${isActive(pod) ? (isReady(pod) ? "ready" : "not ready") : "not counted"}`,
      )
      .join(", ");
  }
}

function belongsTo({ metadata: { name, labels, annotations } }: Pod, workload: string): boolean {
  return labels?.app === workload || annotations?.["styrmann.dev/workload"] === workload || name === workload;
}
