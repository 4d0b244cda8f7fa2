import { type Checker, SimFailure, type SimRequest, type SimResponse, type World } from "../contract.ts";

/** Answers that change nothing. 0: no answer came. */
const REFUSALS: ReadonlySet<number> = new Set([0, 401, 403, 404, 405, 502, 503]);
/** Kubernetes and Marathon answer these to everybody: they say nothing of the cluster. */
const OPEN = /^\/(ping|healthz|livez|readyz|version)\/?$/;

export class Authorisation implements Checker {
  readonly rule = "authorisation";
  readonly words =
    "Who may only look changes nothing, and who is nobody sees nothing: 401 or 403, and the store stays as it was.";
  judgements = 0;

  answered(request: SimRequest, { status }: SimResponse): void {
    const { as = "admin", method, path } = request;
    if (as !== "viewer" && as !== "anonymous") return;
    const isRead = method === "GET" || method === "HEAD" || method === "OPTIONS";
    if (as === "viewer" && isRead) return;
    if (isRead && OPEN.test(path.split("?")[0] ?? "")) return;
    this.judgements++;
    if (!REFUSALS.has(status))
      throw new SimFailure(this.rule, `${method} ${path} by ${as === "anonymous" ? "nobody" : "a viewer"}: ${status}`);
  }

  /** Each dialect's most common write, by those who may not. */
  async settled(world: World): Promise<void> {
    for (const as of ["viewer", "anonymous"] as const)
      for (const write of WRITES) {
        const { status } = await world.request({ ...write, as });
        this.judgements++;
        if (status !== 401 && status !== 403)
          throw new SimFailure(this.rule, `${write.method} ${write.path} by ${as}: ${status}`);
      }
    const there = world.server.store?.get({ name: "Pod" } as never, "default/intruder");
    if (there !== undefined) throw new SimFailure(this.rule, "a pod is there that nobody was allowed to make");
  }
}

const POD = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "intruder" },
  spec: { containers: [{ name: "main", image: "fake/run" }] },
};

const WRITES: readonly SimRequest[] = [
  { method: "POST", path: "/api/v1/namespaces/default/pods", body: POD },
  { method: "POST", path: "/v2/apps", body: { id: "/intruder", cmd: "sleep 1", instances: 1 } },
  { method: "PUT", path: "/fleet/v1/units/intruder.service", body: { desiredState: "launched", options: [] } },
];
