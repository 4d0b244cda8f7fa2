/** Each request has an id: in the header of a refusal and in the log, so that what a person was told is found where it is explained. */
import type { Mounted } from "../http/mount.ts";
import { withMembers } from "../lib/with-members.ts";
import type { Log } from "../seams/log.ts";
import type { Random } from "../seams/random.ts";

export const REQUEST_HEADER = "Styrmann-Request";

export class RequestIds {
  readonly #ids = new WeakMap<Request, string>();
  readonly #run: string;
  readonly #log: Log;
  #count = 0;

  constructor(random: Random, log: Log) {
    this.#run = random.fork("requests").suffix(6);
    this.#log = log;
  }

  of(request: Request): string {
    const known = this.#ids.get(request);
    if (known !== undefined) return known;
    const id = `${this.#run}-${(++this.#count).toString(36)}`;
    this.#ids.set(request, id);
    return id;
  }

  /** The same routes; refusals say their request's id, and the server's own failures are logged with it. */
  mounted(mounted: Mounted): Mounted {
    return withMembers<Mounted>(mounted, {
      handle: async (request, connection) => {
        const response = await mounted.handle(request, connection);
        if (response.status < 400) return response;
        const id = this.of(request);
        if (response.status >= 500) this.#failed(request, id, response.status);
        // The leader's own id is the one that its log has.
        if (!response.headers.has(REQUEST_HEADER)) response.headers.set(REQUEST_HEADER, id);
        return response;
      },
    });
  }

  /** Without its query: there may be anything in it. */
  #failed({ method, url }: Request, request: string, status: number): void {
    this.#log.warn("a request failed", { request, method, path: new URL(url).pathname, status });
  }
}
