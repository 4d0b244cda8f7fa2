/** GET /v2/events: a stream of server-sent events (specification 2.4). */
import type { RequestContext, Route } from "../../../http/route.ts";
import { ApiError } from "../../../model/errors.ts";
import { pods } from "../../../model/pod.ts";
import type { Timer } from "../../../seams/clock.ts";
import type { PersonalityContext } from "../../personality.ts";
import { eventsOf, type MarathonEvent } from "../events.ts";
import { appDeployments, apps } from "../kinds.ts";
import { timestamp } from "../timestamp.ts";

/** Events that may wait for a slow reader before its stream is closed. */
const BUFFER = 1024;
const HEARTBEAT_MS = 10_000;

export function eventRoutes(context: PersonalityContext): readonly Route[] {
  const access = { verb: "read", resource: "events" } as const;
  return [{ method: "GET", path: "/v2/events", access, handle: (_, request) => stream(context, request) }];
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

  async function pump(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    const send = (text: string) => {
      if (until.aborted) return;
      if ((controller.desiredSize ?? 0) <= 0) throw new ApiError("TooManyRequests", "the reader is too slow");
      controller.enqueue(encoder.encode(text));
    };
    const tell = (event: MarathonEvent) => {
      if (wanted.size > 0 && !wanted.has(event.eventType)) return;
      const data = JSON.stringify({ ...event, timestamp: timestamp(clock.now()) });
      send(`event: ${event.eventType}\r\ndata: ${data}\r\n\r\n`);
    };
    const beat = () => {
      // A full buffer needs no sign of life.
      if (!until.aborted && (controller.desiredSize ?? 0) > 0) send("\r\n");
      heartbeat = clock.setTimer(HEARTBEAT_MS, beat);
    };
    tell({ eventType: "event_stream_attached", remoteAddress });
    heartbeat = clock.setTimer(HEARTBEAT_MS, beat);
    for await (const changes of store.watch({ kinds: [apps, pods, appDeployments], signal: until })) {
      for (const change of changes) for (const event of eventsOf(change, store)) tell(event);
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
      cancel: () => left.abort(),
    },
    { highWaterMark: BUFFER },
  );
  const headers = { "Content-Type": "text/event-stream", "Cache-Control": "no-cache", "X-Marathon-Leader": origin };
  return new Response(body, { headers });
}
