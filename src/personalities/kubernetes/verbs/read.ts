import { ApiError } from "../../../model/errors.ts";
import { keyOf, type StoredObject } from "../../../model/meta.ts";
import type { Store } from "../../../store/store.ts";
import { answerFormat } from "../bodies/media-type.ts";
import { badRequest, invalid, notFoundError } from "../status.ts";
import { notAllowed } from "../validate/field-errors.ts";
import { answerJson, answerObject } from "./answer.ts";
import { flag, refuseFuture, wholeNumber } from "./options.ts";
import { findPicked, parseSelection, picksAll } from "./selection.ts";
import { type Call, keyFor, nameIn } from "./serving.ts";
import { PIECE_CHARACTERS, textStream } from "./text-stream.ts";
import { watch } from "./watch.ts";

/** GET of one object. */
export function get(call: Call): Response {
  const { serving, resource, request, namespace } = call;
  const name = nameIn(call);
  const object = serving.store.get(resource.kind, keyFor(namespace, name));
  if (!object) throw notFoundError(resource, name);
  return answerObject(serving, request, object);
}

/** GET of a collection: a list, or with `watch=true` the changes to it. */
export function listOrWatch(call: Call): Response {
  return flag(call.context.url, "watch") ? watch(call) : list(call);
}

interface Page {
  readonly items: readonly StoredObject[];
  readonly metadata: object;
}

function list(call: Call): Response {
  const { serving, resource, request, context, namespace } = call;
  const { store } = serving;
  const { url } = context;
  const from = continuation(url.searchParams.get("continue"));
  if (!from) checkAge(url, store.revision);
  const selection = parseSelection(url, resource, namespace);
  const found = findPicked(store, selection);
  const page = cut(found, wholeNumber(url, "limit") || undefined, from, store.revision, picksAll(selection));
  const head = { kind: `${resource.kind.name}List`, apiVersion: resource.kind.apiVersion, metadata: page.metadata };
  if (answerFormat(request.headers.get("accept")) === "yaml")
    return answerJson(request, { ...head, items: page.items });
  return new Response(textStream(listPieces(store, head, page.items)), {
    headers: { "Content-Type": "application/json" },
  });
}

function* listPieces(store: Store, head: object, items: readonly StoredObject[]): Generator<string> {
  let piece = `${JSON.stringify(head).slice(0, -1)},"items":[`;
  let separator = "";
  for (const item of items) {
    piece += separator + store.json(item);
    separator = ",";
    if (piece.length >= PIECE_CHARACTERS) {
      yield piece;
      piece = "";
    }
  }
  yield `${piece}]}`;
}

/** Where a paged list goes on. */
interface Continuation {
  /** Revision of the first page. */
  readonly rv: number;
  /** Key of the last item given. */
  readonly after: string;
}

/**
 * Pages are cut from what is there now, but all carry the revision of the first: a watch from that revision then
 * tells everything that happened in between, so nothing is missed, though something may be told twice.
 */
function cut(
  found: readonly StoredObject[],
  limit: number | undefined,
  from: Continuation | undefined,
  revision: number,
  countsAll: boolean,
): Page {
  const rv = from?.rv ?? revision;
  const rest = from ? found.filter((object) => keyOf(object) > from.after) : found;
  const items = limit === undefined ? rest : rest.slice(0, limit);
  const last = items.at(-1);
  const remaining = rest.length - items.length;
  if (remaining === 0 || !last) return { items, metadata: { resourceVersion: String(rv) } };
  const token: Continuation = { rv, after: keyOf(last) };
  const metadata = {
    resourceVersion: String(rv),
    continue: Buffer.from(JSON.stringify({ v: TOKEN_VERSION, ...token })).toString("base64url"),
    // Kubernetes does not say how many remain of a selection.
    ...(countsAll ? { remainingItemCount: remaining } : {}),
  };
  return { items, metadata };
}

const TOKEN_VERSION = "styrmann/v1";

function continuation(token: string | null): Continuation | undefined {
  if (!token) return undefined;
  const refusal = badRequest("continue key is not valid: it must be one that a list of this server gave");
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(token, "base64url").toString());
  } catch (error) {
    if (error instanceof SyntaxError) throw refusal;
    throw error;
  }
  const { v, rv, after } = (value ?? {}) as { v?: unknown; rv?: unknown; after?: unknown };
  if (v !== TOKEN_VERSION || !Number.isSafeInteger(rv) || typeof after !== "string") throw refusal;
  return { rv: rv as number, after };
}

/** `resourceVersion` of a list: unset and 0 are what is there now, N is at least as new as N, and Exact is only ever now. */
function checkAge(url: URL, revision: number): void {
  const text = url.searchParams.get("resourceVersion") ?? "";
  const match = url.searchParams.get("resourceVersionMatch") ?? "";
  if (match !== "" && text === "") {
    throw invalid("ListOptions", "", [
      notAllowed("resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided"),
    ]);
  }
  if (text === "") return;
  const asked = wholeNumber(url, "resourceVersion") ?? 0;
  refuseFuture(asked, revision);
  if (match === "Exact" && asked !== revision) {
    throw new ApiError("Expired", `The resourceVersion for the provided list is too old: ${asked} is no longer kept`);
  }
}
