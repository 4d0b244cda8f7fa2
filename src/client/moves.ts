/** Drains and rebalances over our own endpoints (docs/api.md). */
import type { DrainReport } from "../model/node-drain.ts";
import type { RebalancePlan, RebalanceReport } from "../model/rebalance.ts";
import { type Answer, type Call, type Connection, parseAnswer } from "./connection.ts";
import { refusal } from "./styr-client.ts";

export interface DrainOptions {
  readonly deadlineMs?: number;
  readonly force?: boolean;
  readonly atOnce?: number;
}

export interface RebalanceOptions {
  readonly budget?: number;
  readonly atOnce?: number;
}

/** Asks for a drain, or joins the one under way. */
export function startDrain(connection: Connection, node: string, body: DrainOptions): Promise<DrainReport> {
  return ask(connection, { method: "PUT", path: drainPath(node), body });
}

/** Undefined when the node is not being drained. */
export function readDrain(connection: Connection, node: string): Promise<DrainReport | undefined> {
  return askUnlessGone(connection, { method: "GET", path: drainPath(node) });
}

export function planRebalance(connection: Connection, budget: number | undefined): Promise<RebalancePlan> {
  const query = budget === undefined ? "" : `?budget=${budget}`;
  return ask(connection, { method: "GET", path: `/styr/v1/rebalance/plan${query}` });
}

/** Undefined when one is under way already. */
export async function startRebalance(
  connection: Connection,
  body: RebalanceOptions,
): Promise<RebalanceReport | undefined> {
  const answer = await connection.call({ method: "PUT", path: REBALANCE, body });
  return answer.status === 409 ? undefined : answered(answer, REBALANCE);
}

/** Undefined when there has never been one. */
export function readRebalance(connection: Connection): Promise<RebalanceReport | undefined> {
  return askUnlessGone(connection, { method: "GET", path: REBALANCE });
}

/** Undefined when there is none. */
export function stopRebalance(connection: Connection): Promise<RebalanceReport | undefined> {
  return askUnlessGone(connection, { method: "DELETE", path: REBALANCE });
}

const REBALANCE = "/styr/v1/rebalance";

function drainPath(node: string): string {
  return `/styr/v1/nodes/${encodeURIComponent(node)}/drain`;
}

async function ask<T>(connection: Connection, call: Call): Promise<T> {
  return answered(await connection.call(call), call.path);
}

async function askUnlessGone<T>(connection: Connection, call: Call): Promise<T | undefined> {
  const answer = await connection.call(call);
  return answer.status === 404 ? undefined : answered(answer, call.path);
}

function answered<T>({ status, text }: Answer, path: string): T {
  if (status >= 300) throw refusal(status, text);
  return parseAnswer(text, path) as T;
}
