import type { Mounted } from "../http/mount.ts";

/** The routes before there is a store to serve them from: every request gets 503 and the reason. */
export class LateMounted implements Mounted {
  #mounted: Mounted | undefined;
  readonly #reason: () => string;
  /** What is served all the same: the process' own routes. */
  readonly #always: Mounted;

  constructor(always: Mounted, reason: () => string) {
    this.#always = always;
    this.#reason = reason;
  }

  set(mounted: Mounted): void {
    this.#mounted = mounted;
  }

  get routes(): Mounted["routes"] {
    return (this.#mounted ?? this.#always).routes;
  }

  async handle(...args: Parameters<Mounted["handle"]>): Promise<Response> {
    if (this.#mounted) return this.#mounted.handle(...args);
    const answer = await this.#always.handle(...args);
    return answer.status === 404 ? this.#unavailable() : answer;
  }

  async openSocket(...args: Parameters<Mounted["openSocket"]>): ReturnType<Mounted["openSocket"]> {
    return this.#mounted ? this.#mounted.openSocket(...args) : this.#unavailable();
  }

  /** One body that every client can show: fleet's and our own words under `error`, Marathon's and Kubernetes' `message`. */
  #unavailable(): Response {
    const message = this.#reason();
    const error = { code: 503, reason: "Unavailable", message };
    const body = {
      kind: "Status",
      apiVersion: "v1",
      status: "Failure",
      reason: "ServiceUnavailable",
      code: 503,
      message,
      error,
    };
    return Response.json(body, { status: 503, headers: { "Retry-After": "5" } });
  }
}
