import { stringify } from "yaml";
import type { StoredObject } from "../../../model/meta.ts";
import type { Tx } from "../../../store/transaction.ts";
import { answerFormat } from "../bodies/media-type.ts";
import type { Serving } from "./serving.ts";

/** Ends a transaction without its changes, carrying its result out: how dryRun does everything but store. */
class DryRunDone extends Error {
  override readonly name = "DryRunDone";
  readonly result: unknown;

  constructor(result: unknown) {
    super("dry run");
    this.result = result;
  }
}

/** Runs `change` in a transaction; with `dryRun` the answer is the same and nothing is stored. */
export async function write<R>({ store }: Serving, dryRun: boolean, change: (tx: Tx) => R): Promise<R> {
  if (!dryRun) return (await store.update((tx) => ({ result: change(tx) }))).result;
  try {
    await store.update((tx) => {
      throw new DryRunDone(change(tx));
    });
  } catch (error) {
    if (error instanceof DryRunDone) return error.result as R;
    throw error;
  }
  throw new Error("a dry run ended without a result");
}

/** An object of the store, in the form the client asked for. */
export function answerObject(
  { store }: Serving,
  request: Request,
  object: StoredObject,
  status = 200,
  warnings: readonly string[] = [],
): Response {
  return answerText(request, () => store.json(object), object, status, warnings);
}

/** Any other object: a Status, a Scale, a short list. */
export function answerJson(request: Request, object: object, status = 200, warnings: readonly string[] = []): Response {
  return answerText(request, () => JSON.stringify(object), object, status, warnings);
}

function answerText(
  request: Request,
  json: () => string,
  object: object,
  status: number,
  warnings: readonly string[],
): Response {
  const asYaml = answerFormat(request.headers.get("accept")) === "yaml";
  const headers = new Headers({ "Content-Type": asYaml ? "application/yaml" : "application/json" });
  for (const warning of warnings.slice(0, MOST_WARNINGS)) headers.append("Warning", warningHeader(warning));
  return new Response(asYaml ? stringify(object) : json(), { status, headers });
}

const MOST_WARNINGS = 20;

/** RFC 7234: a quoted string; what a header cannot carry is left out. */
function warningHeader(text: string): string {
  const safe = text.slice(0, 400).replace(/[^\x20-\x7e]/g, "?");
  return `299 - "${safe.replace(/[\\"]/g, "\\$&")}"`;
}

export function successStatus(name: string, plural: string, uid: string): object {
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Success",
    details: { name, kind: plural, uid },
  };
}
