/** The calls of Marathon's API that the command line makes. */
import { type Answer, type Call, type Connection, parseAnswer } from "../connection.ts";
import { expectSuccess } from "./dialect-error.ts";

export type MarathonKind = "App" | "Group" | "Pod";

const COLLECTION: Readonly<Record<MarathonKind, string>> = { App: "apps", Group: "groups", Pod: "pods" };

/** Absolute, without `.`, `..`, and doubled slashes, as Marathon reads ids. */
export function canonicalId(id: string): string {
  const parts: string[] = [];
  for (const part of id.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

export async function getMarathon(connection: Connection, kind: MarathonKind, id: string): Promise<object | undefined> {
  const answer = expectSuccess(await connection.call({ method: "GET", path: marathonPath(kind, id) }), [404]);
  return answer.status === 404 ? undefined : (parseAnswer(answer.text, id) as object);
}

export async function createMarathon(connection: Connection, kind: MarathonKind, body: object): Promise<Answer> {
  return expectSuccess(await connection.call({ method: "POST", path: `/v2/${COLLECTION[kind]}`, body }));
}

export async function replaceMarathon(
  connection: Connection,
  kind: MarathonKind,
  id: string,
  body: object,
): Promise<Answer> {
  return expectSuccess(await lastWord(connection, { method: "PUT", path: marathonPath(kind, id), body }));
}

export async function deleteMarathon(connection: Connection, kind: MarathonKind, id: string): Promise<boolean> {
  const answer = await lastWord(connection, { method: "DELETE", path: marathonPath(kind, id) });
  return expectSuccess(answer, [404]).status !== 404;
}

/**
 * An app whose change cannot come to its end (no room for it) is locked by it, and the next change refused with 409. What a
 * person says last counts, so it is said again with Marathon's word for that.
 */
async function lastWord(connection: Connection, call: Call): Promise<Answer> {
  const answer = await connection.call(call);
  const isLocked = answer.status === 409 && /"deployments"\s*:/.test(answer.text);
  return isLocked ? connection.call({ ...call, path: `${call.path}?force=true` }) : answer;
}

/** Ids of the changes that are still in progress. */
export async function runningDeployments(connection: Connection): Promise<ReadonlySet<string>> {
  const answer = expectSuccess(await connection.call({ method: "GET", path: "/v2/deployments" }), [404]);
  if (answer.status === 404) return new Set();
  return new Set((parseAnswer(answer.text, "/v2/deployments") as { id: string }[]).map(({ id }) => id));
}

function marathonPath(kind: MarathonKind, id: string): string {
  return `/v2/${COLLECTION[kind]}${canonicalId(id).split("/").map(encodeURIComponent).join("/")}`;
}
