import { ApiError } from "../model/errors.ts";
import { type Access, type Actor, namespaceOf } from "./actor.ts";
import type { Subject } from "./route.ts";

/** A finished request, for logs and for metrics. Never its body, and no headers. */
export interface Served {
  readonly api: string;
  /** The route's path, as it was declared. */
  readonly route: string;
  readonly method: string;
  readonly path: string;
  /** Its name, or what the handler found out; "" when nobody known asked. */
  readonly actor: string;
  /** 101 for a WebSocket that was opened. */
  readonly status: number;
  readonly who: Actor | undefined;
  readonly from: string;
  /** The server that passed it on to this one. */
  readonly via: string | undefined;
  readonly access: Access;
  /** Undefined: the whole cluster. */
  readonly namespace: string | undefined;
  readonly params: Readonly<Record<string, string>>;
  /** Of what was asked for, where the path does not say it. */
  readonly subject?: string;
  readonly query: URLSearchParams;
  /** Why it was refused, in one word; `Bug` when it met one. */
  readonly reason: string | undefined;
  /** This server passed it on to the leader, who has carried it out and logged it. */
  readonly forwarded: boolean;
  /** Until there was an answer; what of it is a stream comes later. */
  readonly tookMs: number;
}

export interface Outcome {
  readonly status: number;
  readonly error?: unknown;
  readonly forwarded: boolean;
  readonly tookMs: number;
  readonly subject?: Subject | undefined;
}

export function servedOf(
  api: string,
  route: { readonly path: string; readonly access: Access },
  request: Request,
  from: { readonly remoteAddress: string; readonly via?: string },
  params: Readonly<Record<string, string>>,
  actor: Actor | undefined,
  { status, error, forwarded, tookMs, subject }: Outcome,
): Served {
  const { pathname, searchParams } = new URL(request.url);
  const namespace = namespaceOf(route.access, params);
  const about = { api, route: route.path, method: request.method, path: pathname, access: route.access };
  const who = { actor: subject?.actor ?? actor?.name ?? "", who: actor, from: from.remoteAddress, via: from.via };
  return {
    ...about,
    ...who,
    namespace,
    params,
    ...(subject?.name === undefined ? {} : { subject: subject.name }),
    query: searchParams,
    status,
    reason: reasonOf(error),
    forwarded,
    tookMs,
  };
}

/** The word alone: the sentence may repeat what was sent. */
function reasonOf(error: unknown): string | undefined {
  if (error === undefined) return undefined;
  return error instanceof ApiError ? error.reason : "Bug";
}
