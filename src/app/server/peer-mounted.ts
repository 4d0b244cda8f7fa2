import type { Connection, Mounted } from "../../http/mount.ts";

/** On answers to other servers: the store's revision when it was given, which they wait for before they pass it on. */
export const REVISION_HEADER = "styrmann-revision";
/** On a refusal: this server does not lead (any more), and nothing of the request was carried out. */
export const NOT_LEADING_HEADER = "styrmann-not-leading";

export interface Standing {
  readonly leads: boolean;
  readonly revision: number;
}

/** What servers are told beside the answer itself. A request that was passed on once is not passed on again. */
export class PeerMounted implements Mounted {
  readonly #mounted: Mounted;
  readonly #standing: Standing;

  constructor(mounted: Mounted, standing: Standing) {
    this.#mounted = mounted;
    this.#standing = standing;
  }

  get routes(): Mounted["routes"] {
    return this.#mounted.routes;
  }

  async handle(request: Request, connection: Connection): Promise<Response> {
    if (connection.via === undefined) return this.#mounted.handle(request, connection);
    if (!this.#standing.leads) return notLeading();
    const { status, statusText, headers, body } = await this.#mounted.handle(request, connection);
    const more = new Headers(headers);
    more.set(REVISION_HEADER, String(this.#standing.revision));
    return new Response(body, { status, statusText, headers: more });
  }

  async openSocket(request: Request, connection: Connection): ReturnType<Mounted["openSocket"]> {
    if (connection.via !== undefined && !this.#standing.leads) return notLeading();
    return this.#mounted.openSocket(request, connection);
  }
}

function notLeading(): Response {
  const message = "this server does not lead";
  return Response.json(
    { error: { reason: "Unavailable", message } },
    { status: 503, headers: { [NOT_LEADING_HEADER]: "1" } },
  );
}
