/**
 * Watches. Each is a cursor into the store's history that moves when the client has taken what it was given, so a slow
 * client costs a cursor and no memory; one that falls off the end of the history is told 410 and lists again.
 */
import { ApiError } from "../../../model/errors.ts";
import type { StoredObject } from "../../../model/meta.ts";
import type { Store } from "../../../store/store.ts";
import type { Change } from "../../../store/transaction.ts";
import { answerFormat } from "../bodies/media-type.ts";
import { invalid, statusOf } from "../status.ts";
import { notAllowed } from "../validate/field-errors.ts";
import { flag, wholeNumber } from "./options.ts";
import { findPicked, parseSelection, picks, picksAll, type Selection } from "./selection.ts";
import type { Call } from "./serving.ts";
import { PIECE_CHARACTERS, textStream } from "./text-stream.ts";

const BOOKMARK_MS = 60_000;
/** Without `timeoutSeconds` a watch ends after 30 to 60 minutes, so that clients spread over servers again. Source: kube-apiserver --min-request-timeout. */
const SHORTEST_SECONDS = 1800;
/** Changes in one shared piece; a backlog longer than that is somebody's own. */
const MOST_SHARED = 100;

export function watch(call: Call): Response {
  const { resource, request, context, namespace, serving } = call;
  answerFormat(request.headers.get("accept"));
  if (flag(context.url, "sendInitialEvents")) {
    throw invalid("ListOptions", "", [
      notAllowed("sendInitialEvents", "sendInitialEvents is forbidden for watch: this server does not offer WatchList"),
    ]);
  }
  const selection = parseSelection(context.url, resource, namespace);
  const since = wholeNumber(context.url, "resourceVersion") ?? 0;
  const { store } = serving;
  // Read in the same turn of the event loop as the revision: together they are one moment.
  const initial = since === 0 ? findPicked(store, selection) : [];
  const pieces = watchPieces(call, selection, initial, since === 0 ? store.revision : since);
  return new Response(textStream(pieces), { headers: { "Content-Type": "application/json" } });
}

async function* watchPieces(
  { serving, context, request }: Call,
  selection: Selection,
  initial: readonly StoredObject[],
  since: number,
): AsyncGenerator<string | Uint8Array> {
  const { store, shared } = serving;
  const isShared = picksAll(selection) && selection.namespace === undefined;
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, context.signal, request.signal]);
  const changes = store.watch({ kinds: [selection.resource.kind], since, signal });
  const alarms = new Alarms(serving, context.url);
  try {
    yield* gathered(initial.map((object) => eventLine("ADDED", store.json(object))));
    let next = changes.next();
    for (;;) {
      const event = await Promise.race([next, alarms.next()]);
      if (typeof event === "string") {
        // Nothing of ours is under way at an alarm, so everything up to the store's revision has been sent.
        if (alarms.sendsBookmarks) yield bookmark(selection, store.revision);
        if (event === "timeout") return;
      } else {
        if (event.done) return;
        const { value: changed } = event;
        const lines = () => linesFor(store, selection, changed);
        if (isShared && changed.length <= MOST_SHARED) yield shared.bytes(changed, () => [...lines()].join(""));
        else yield* gathered(lines());
        next = changes.next();
      }
    }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (signal.aborted) return;
    yield eventLine("ERROR", JSON.stringify(statusOf(error)));
  } finally {
    alarms.cancel();
    stop.abort();
  }
}

type Alarm = "bookmark" | "timeout";

interface Pending {
  readonly promise: Promise<Alarm>;
  readonly cancel: () => void;
}

/** The moments at which a watch does something although nothing changed. */
class Alarms {
  readonly sendsBookmarks: boolean;
  readonly #serving: Call["serving"];
  readonly #endsAtMs: number;
  #pending: Pending | undefined;

  constructor(serving: Call["serving"], url: URL) {
    this.#serving = serving;
    this.sendsBookmarks = flag(url, "allowWatchBookmarks");
    const seconds = wholeNumber(url, "timeoutSeconds") || SHORTEST_SECONDS + serving.random.int(SHORTEST_SECONDS);
    this.#endsAtMs = serving.clock.monotonic() + seconds * 1000;
  }

  /** The same promise until it has come to pass. */
  next(): Promise<Alarm> {
    this.#pending ??= this.#set();
    return this.#pending.promise;
  }

  cancel(): void {
    this.#pending?.cancel();
  }

  #set(): Pending {
    const { clock } = this.#serving;
    const leftMs = Math.max(0, this.#endsAtMs - clock.monotonic());
    const isLast = !this.sendsBookmarks || leftMs <= BOOKMARK_MS;
    const { promise, resolve } = Promise.withResolvers<Alarm>();
    const timer = clock.setTimer(isLast ? leftMs : BOOKMARK_MS, () => {
      this.#pending = undefined;
      resolve(isLast ? "timeout" : "bookmark");
    });
    return { promise, cancel: () => timer.cancel() };
  }
}

/** Lines joined up to a piece's size. Made as they are asked for: of a long backlog only one piece exists at a time. */
function* gathered(lines: Iterable<string>): Generator<string> {
  let piece = "";
  for (const line of lines) {
    piece += line;
    if (piece.length >= PIECE_CHARACTERS) {
      yield piece;
      piece = "";
    }
  }
  if (piece !== "") yield piece;
}

function* linesFor(store: Store, selection: Selection, changes: readonly Change[]): Generator<string> {
  for (const change of changes) {
    const line = lineFor(store, selection, change);
    if (line !== undefined) yield line;
  }
}

/** What a change means to a watch with this selection: an object that enters is ADDED, one that leaves is DELETED as it was last. */
function lineFor(store: Store, selection: Selection, change: Change): string | undefined {
  const { type, object, before } = change;
  if (type === "modified" && before) {
    const was = picks(selection, before);
    const is = picks(selection, object);
    if (was && is) return eventLine("MODIFIED", store.json(object));
    if (is) return eventLine("ADDED", store.json(object));
    if (!was) return undefined;
    const metadata = { ...before.metadata, resourceVersion: object.metadata.resourceVersion };
    return eventLine("DELETED", JSON.stringify({ ...before, metadata }));
  }
  if (!picksAll(selection) || selection.namespace !== undefined) {
    if (!picks(selection, object)) return undefined;
  }
  return eventLine(type === "removed" ? "DELETED" : "ADDED", store.json(object));
}

function bookmark({ resource }: Selection, revision: number): string {
  const { name: kind, apiVersion } = resource.kind;
  return eventLine("BOOKMARK", JSON.stringify({ kind, apiVersion, metadata: { resourceVersion: String(revision) } }));
}

function eventLine(type: string, json: string): string {
  return `{"type":"${type}","object":${json}}\n`;
}
