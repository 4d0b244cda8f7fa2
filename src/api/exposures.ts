/** /styr/v1/routes and /styr/v1/exposures: what comes in from outside, and `styr expose` of a workload of any dialect. */
import { type Access, type Actor, authorize } from "../http/actor.ts";
import type { RequestContext, Route } from "../http/route.ts";
import { ApiError } from "../model/errors.ts";
import { type Exposure, exposures } from "../model/exposure.ts";
import type { RouteRow } from "../model/route-row.ts";
import { settleContest } from "../model/way-in/contest.ts";
import { portIsUnsaid } from "../model/way-in/exposed-port.ts";
import { exposureName, exposureRoute } from "../model/way-in/exposure-routes.ts";
import { exposedHostProblem, parseHost, parsePath } from "../model/way-in/host-and-path.ts";
import { routeKey } from "../model/way-in/route-key.ts";
import { routeQuotaProblem } from "../model/way-in/route-quota.ts";
import { recordEvent } from "../store/record-event.ts";
import type { Reader, Tx } from "../store/transaction.ts";
import type { StyrApiContext } from "./context.ts";
import { findWorkload } from "./find.ts";
import { mustBeAllowed, namespaceOfWorkload, partOf, sees } from "./own-part.ts";
import { atLeaderIfAny, readOwnPart } from "./own-part-routes.ts";
import { type Options, optionsOf, wholeNumber } from "./request-options.ts";
import { knownRoutes, routesReport } from "./route-rows.ts";
import { withTroubles } from "./way-in-troubles.ts";

const WRITE = { verb: "write", resource: "exposures", reach: "own part" } as const satisfies Access;

export function exposureRoutes(context: StyrApiContext): readonly Route[] {
  const { store } = context;
  return [
    atLeaderIfAny(
      readOwnPart("/styr/v1/routes", "routes", async (part) => {
        const report = routesReport(store, context);
        const routes = report.routes.filter(({ namespace }) => sees(part, namespace));
        return Response.json(await withTroubles(context, { ...report, routes }));
      }),
    ),
    {
      method: "POST",
      path: "/styr/v1/exposures",
      access: WRITE,
      handle: (request, asked) => expose(context, request, asked),
    },
    {
      method: "DELETE",
      path: "/styr/v1/exposures/:name",
      access: WRITE,
      handle: (_request, asked) => unexpose(context, asked),
    },
  ];
}

async function expose(context: StyrApiContext, request: Request, { actor }: RequestContext): Promise<Response> {
  const { store } = context;
  const options = await optionsOf(request, ["workload", "host", "path", "port", "tls", "redirectsToHttps"]);
  if (typeof options.workload !== "string") throw new ApiError("BadRequest", "workload must be the name of one");
  const { workload } = await findWorkload(context, options.workload, partOf(actor, WRITE));
  mustBeAllowed(actor, WRITE, namespaceOfWorkload(workload));
  const { dialect, namespace, name } = workload;
  const spec = specOf(options, { dialect, ...(namespace === undefined ? {} : { namespace }), name });
  mayUseCertificate(actor, spec);
  mustSayPort(store, spec);
  const { exposure, isNew } = await store.update((tx) => write(tx, context, spec, actor));
  const report = routesReport(store, context);
  const route = report.routes.find((row) => row.exposure === exposure.metadata.name) as RouteRow;
  return Response.json({ route, wayIn: report.wayIn }, { status: isNew ? 201 : 200 });
}

/** A certificate is as secret as the namespace it lies in; a file of a host is nobody's who has rights in some namespaces only. */
function mayUseCertificate(actor: Actor, { tls, workload }: Exposure["spec"]): void {
  const namespace = tls?.secret?.split("/")[0];
  if (namespace !== undefined && namespace !== (workload.namespace ?? workload.dialect))
    mustBeAllowed(actor, WRITE, namespace);
  if (tls?.file !== undefined && !authorize(actor, { verb: "write", resource: "exposures" }))
    throw new ApiError(
      "Forbidden",
      "a certificate from a file of the nodes: only for who may write in the whole cluster",
    );
}

function write(
  tx: Tx,
  context: StyrApiContext,
  asked: Exposure["spec"],
  actor: Actor,
): { readonly exposure: Exposure; readonly isNew: boolean } {
  const name = exposureName(asked.host, asked.path);
  const before = tx.get(exposures, name);
  const spec = ownedSpec(tx, context, asked, before, actor);
  const key = routeKey({ ...spec, pathType: "prefix" });
  const quota = before === undefined ? routeQuotaProblem(tx, namespaceOfWorkload(spec.workload), 1) : undefined;
  if (quota !== undefined) throw new ApiError("Forbidden", quota);
  const place = `${spec.host || "every host"}${spec.path}`;
  if (before && JSON.stringify(before.spec.workload) !== JSON.stringify(spec.workload))
    throw taken(place, `styr expose ${before.spec.workload.name}`);
  const other = knownRoutes(tx, context).find(({ route, exposure }) => {
    return exposure === undefined && route.pathType === "prefix" && routeKey(route) === key;
  });
  if (other) throw taken(place, other.route.source);
  const exposure = before
    ? tx.update(exposures, { ...before, spec })
    : tx.create<Exposure>(exposures, {
        ...{ apiVersion: exposures.apiVersion, kind: "Exposure", spec },
        metadata: { name },
      });
  const { source } = exposureRoute(exposure, () => undefined);
  const message = `${actor.name} exposed ${spec.workload.name} at ${place} (${source})`;
  recordEvent(tx, exposure, { type: "Normal", reason: "Exposed", message, component: "api" });
  return { exposure, isNew: before === undefined };
}

/** A host that is another namespace's: for who may write in the whole cluster, and for whom its owner lets in. */
function ownedSpec(
  tx: Tx,
  context: StyrApiContext,
  spec: Exposure["spec"],
  before: Exposure | undefined,
  actor: Actor,
): Exposure["spec"] {
  const draft = { metadata: { name: exposureName(spec.host, spec.path) }, spec } as Exposure;
  const known = knownRoutes(tx, context).map(({ route }) => route);
  const refusal = settleContest(known).owners.refusal(exposureRoute(draft, () => undefined));
  if (refusal === undefined) return spec;
  const isGranted = before?.spec.isGranted || authorize(actor, { verb: "write", resource: "exposures" });
  if (!isGranted) throw new ApiError("Conflict", refusal);
  return { ...spec, isGranted: true };
}

/** Nobody would ever be answered. */
function mustSayPort(reader: Reader, spec: Exposure["spec"]): void {
  if (portIsUnsaid(reader, spec))
    throw new ApiError("BadRequest", `${spec.workload.name} says no port where it answers: add --port NUMBER`);
}

function taken(place: string, owner: string): ApiError {
  return new ApiError(
    "Conflict",
    `${place} is ${owner}'s already; take that away first, or choose another --host or --path`,
  );
}

async function unexpose({ store }: StyrApiContext, { params, actor }: RequestContext): Promise<Response> {
  const name = params.name ?? "";
  await store.update((tx) => {
    const exposure = tx.get(exposures, name);
    const { namespace, dialect = "" } = exposure?.spec.workload ?? {};
    // Who may not see it is not told that it is there.
    const part = partOf(actor, WRITE);
    if (exposure === undefined || !sees(part, namespace ?? dialect))
      throw new ApiError("NotFound", `nothing is exposed as "${name}"`, { kind: "Exposure", name });
    tx.remove(exposures, name);
  });
  return new Response(null, { status: 204 });
}

function specOf(options: Options, workload: Exposure["spec"]["workload"]): Exposure["spec"] {
  const host = parseHost(textOf(options, "host"));
  const path = parsePath(options.path === undefined ? "/" : textOf(options, "path"), "prefix");
  if ("problem" in host) throw new ApiError("BadRequest", `host: ${host.problem}`);
  const problem = exposedHostProblem(host.host);
  if (problem !== undefined) throw new ApiError("BadRequest", `host: ${problem}`);
  if ("problem" in path) throw new ApiError("BadRequest", `path: ${path.problem}`);
  const tls = tlsOf(options.tls, host.host);
  return {
    ...{ host: host.host, path: path.path, workload },
    ...wholeNumber(options, "port", 1, 65_535),
    ...(tls ? { tls } : {}),
    ...(options.redirectsToHttps === true ? { redirectsToHttps: true } : {}),
  };
}

function textOf(options: Options, name: string): string {
  const value = options[name];
  if (typeof value === "string") return value;
  throw new ApiError("BadRequest", `${name} must be text`);
}

const SECRET = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?\/[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/;

function tlsOf(value: unknown, host: string): Exposure["spec"]["tls"] {
  if (value === undefined) return undefined;
  const { acme, secret, file } = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  if (acme === true) {
    if (host.startsWith("*") || !host.includes("."))
      throw new ApiError(
        "BadRequest",
        "tls: ACME proves a host over HTTP, which a wildcard or a name without a dot cannot be; give secret or file",
      );
    return { acme: true };
  }
  if (typeof secret === "string" && SECRET.test(secret)) return { secret };
  if (typeof file === "string" && /^\/[A-Za-z0-9._/@+-]+$/.test(file)) return { file };
  throw new ApiError(
    "BadRequest",
    "tls must be acme, secret (NAMESPACE/NAME) or file (an absolute path on the way-in nodes)",
  );
}
