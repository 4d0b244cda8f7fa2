/** GET /v2/events: a stream of server-sent events (specification 2.4). */
import type { RequestContext, Route } from "../../../http/route.ts";
import { ApiError } from "../../../model/errors.ts";
import { pods } from "../../../model/pod.ts";
import type { Timer } from "../../../seams/clock.ts";
import type { PersonalityContext } from "../../personality.ts";
import { eventsOf, type MarathonEvent } from "../events.ts";
import { appDeployments, apps } from "../kinds.ts";
import { timestamp } from "../timestamp.ts";
import { LEADER_HEADER } from "./leader-header.ts";

/** Events that may wait for a reader. */
const BUFFER = 1024;
/** A reader whose buffer is full has so long to take something before its stream is closed. */
const PATIENCE_MS = 10_000;
const HEARTBEAT_MS = 10_000;

export function eventRoutes(context: PersonalityContext): readonly Route[] {
  const access = { verb: "read", resource: "events" } as const;
  return [
    { method: "GET", path: "/v2/events", access, streams: true, handle: (_, request) => stream(context, request) },
  ];
}

function stream(
  { store, clock }: PersonalityContext,
  { url, signal, origin, remoteAddress }: RequestContext,
): Response {
  const wanted = new Set(url.searchParams.getAll("event_type"));
  const left = new AbortController();
  const until = AbortSignal.any([signal, left.signal]);
  const encoder = new TextEncoder();
  let heartbeat: Timer | undefined;
  let taken = () => {};

  /** One change of many apps is more than a buffer holds, for a fast reader too; what waits meanwhile waits in the store's history. */
  async function room(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const tooSlow = () => reject(new ApiError("TooManyRequests", "the reader is too slow"));
    const patience = clock.setTimer(PATIENCE_MS, tooSlow);
    taken = resolve;
    until.addEventListener("abort", taken, { once: true });
    await promise.finally(() => {
      patience.cancel();
      until.removeEventListener("abort", taken);
    });
  }

  async function pump(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    const hasRoom = () => (controller.desiredSize ?? 0) > 0;
    const send = (text: string) => {
      if (!until.aborted) controller.enqueue(encoder.encode(text));
    };
    const tell = async (event: MarathonEvent) => {
      if (wanted.size > 0 && !wanted.has(event.eventType)) return;
      const data = JSON.stringify({ ...event, timestamp: timestamp(clock.now()) });
      if (!until.aborted && !hasRoom()) await room();
      send(`event: ${event.eventType}\r\ndata: ${data}\r\n\r\n`);
    };
    const beat = () => {
      // A full buffer needs no sign of life.
      if (!until.aborted && hasRoom()) send("\r\n");
      heartbeat = clock.setTimer(HEARTBEAT_MS, beat);
    };
    await tell({ eventType: "event_stream_attached", remoteAddress });
    heartbeat = clock.setTimer(HEARTBEAT_MS, beat);
    for await (const changes of store.watch({ kinds: [apps, pods, appDeployments], signal: until })) {
      for (const change of changes) for (const event of eventsOf(change, store)) await tell(event);
    }
  }

  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        pump(controller)
          .then(
            // A stream that its reader has left is closed already.
            () => left.signal.aborted || controller.close(),
            (error) => controller.error(error),
          )
          .finally(() => heartbeat?.cancel());
      },
      pull: () => taken(),
      cancel: () => left.abort(),
    },
    { highWaterMark: BUFFER },
  );
  const headers = { "Content-Type": "text/event-stream", "Cache-Control": "no-cache", [LEADER_HEADER]: origin };
  return new Response(body, { headers });
}
