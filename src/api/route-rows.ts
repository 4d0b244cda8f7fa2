/** What comes in from outside, of all dialects: rows of `styr routes`, and the URLs of workloads. */
import { ACME_ORDERS_NAME, acmeOrders, ordersAt } from "../model/acme-orders.ts";
import { acmeRefusals, isRefusalOf } from "../model/acme-refusal.ts";
import {
  CLUSTER_SETTINGS_NAME,
  type ClusterSettingsSpec,
  clusterSettings,
  settingsInForce,
} from "../model/cluster-settings.ts";
import { publishedRoutes } from "../model/discovery.ts";
import { type Exposure, exposures } from "../model/exposure.ts";
import { type Ingress, ingresses } from "../model/ingress.ts";
import { ingressClasses } from "../model/ingress-class.ts";
import { keyOf } from "../model/meta.ts";
import type { RouteEntry, RouteTls } from "../model/network.ts";
import { nodes } from "../model/node.ts";
import type { RouteRow, RoutesReport } from "../model/route-row.ts";
import { secrets } from "../model/secret.ts";
import { services } from "../model/service.ts";
import { acmeSecretName, CERTIFICATE_NAMESPACE } from "../model/way-in/acme-secret.ts";
import { urlOfRoute } from "../model/way-in/contest.ts";
import { portIsUnsaid } from "../model/way-in/exposed-port.ts";
import { exposureRoute } from "../model/way-in/exposure-routes.ts";
import { firstOrderWaits } from "../model/way-in/first-orders.ts";
import { classOf, INGRESS_CLASS, ingressRoutes, isOurs } from "../model/way-in/ingress-routes.ts";
import { isWayIn } from "../model/way-in/route-secrets.ts";
import { settleRoutes } from "../model/way-in/settle-routes.ts";
import { rfc3339 } from "../seams/clock.ts";
import type { Reader } from "../store/transaction.ts";
import type { StyrApiContext } from "./context.ts";
import { addressOf } from "./pod-urls.ts";

/** A route, and what it is to people. */
export interface KnownRoute {
  readonly route: RouteEntry;
  readonly namespace: string;
  readonly exposure?: Exposure;
}

type Context = Pick<StyrApiContext, "publishers">;
type TimedContext = Pick<StyrApiContext, "publishers" | "clock">;

/** Every route there is, whether it is served or not. */
export function knownRoutes(reader: Reader, { publishers = [] }: Context): readonly KnownRoute[] {
  const versionOf = (secret: string) => reader.get(secrets, secret)?.metadata.resourceVersion;
  return [
    ...reader.list(ingresses).flatMap((ingress) => {
      const { namespace = "default" } = ingress.metadata;
      return ingressRoutes(ingress, versionOf).routes.map((route) => ({ route, namespace }));
    }),
    ...reader.list(exposures).map((exposure) => {
      const { namespace, dialect } = exposure.spec.workload;
      return { route: exposureRoute(exposure, versionOf), namespace: namespace ?? dialect, exposure };
    }),
    ...publishedRoutes(publishers, reader).map((route) => ({ route, namespace: dialectOf(route) })),
  ];
}

/** Of `marathon:/prod/web`. */
function dialectOf({ service }: RouteEntry): string {
  return service.slice(0, Math.max(0, service.indexOf(":")));
}

export function routesReport(reader: Reader, context: TimedContext): RoutesReport {
  const known = knownRoutes(reader, context);
  const refusals = refusalsOf(reader, known);
  const wayIn = wayInNodes(reader);
  const settings = settingsInForce(reader.get(clusterSettings, CLUSTER_SETTINGS_NAME));
  const orders = ordersAt(reader.get(acmeOrders, ACME_ORDERS_NAME), settings.acmeDirectory);
  const waitOf = firstOrderWaits(orders, context.clock.now());
  const trouble = (known: KnownRoute) => certificateTrouble(reader, known, settings, waitOf);
  const surroundings = { hasWayIn: wayIn.length > 0, trouble };
  const rows = known.map((each) => rowOf(each, refusals.get(each.route.id), surroundings));
  const order = ({ host, path }: RouteRow) => `${host} ${path}`;
  return { routes: [...rows, ...brokenParts(reader)].sort((a, b) => (order(a) < order(b) ? -1 : 1)), wayIn };
}

export function wayInNodes(reader: Reader): RoutesReport["wayIn"] {
  return reader
    .list(nodes)
    .filter(isWayIn)
    .map((node) => {
      const address = addressOf(node);
      return { node: node.metadata.name, ...(address === undefined ? {} : { address }) };
    });
}

/** Id of a route → why it is not served. The nodes come to the same (network/way-in/plan.ts). */
function refusalsOf(reader: Reader, known: readonly KnownRoute[]): ReadonlyMap<string, string> {
  const refusals = new Map<string, string>();
  for (const { route, exposure } of known) {
    const problem = serviceProblem(reader, route) ?? unsaidPort(reader, exposure);
    if (problem !== undefined) refusals.set(route.id, problem);
  }
  for (const { route, words } of settleRoutes(known.map((each) => each.route)).refused) refusals.set(route.id, words);
  return refusals;
}

/** Of a Service that can never answer. A workload of another dialect is no Service. */
function serviceProblem(reader: Reader, { service, port }: RouteEntry): string | undefined {
  if (service.includes(":")) return undefined;
  const { spec } = reader.get(services, service) ?? {};
  if (spec === undefined) return `there is no Service ${service}`;
  if (spec.type === "ExternalName") return `Service ${service} is an ExternalName, to which no request is sent`;
  const ports = (spec.ports ?? []).filter(({ protocol = "TCP" }) => protocol === "TCP");
  if (ports.some((each) => port === "" || each.port === port || each.name === port)) return undefined;
  const has = ports.map(({ name, port: number }) => (name ? `${number} (${name})` : `${number}`)).join(", ");
  return `Service ${service} has no TCP port ${port}: it has ${has || "none"}`;
}

/** Why a certificate that is ordered is not there, or not renewed. */
function certificateTrouble(
  reader: Reader,
  { route: { host, tls }, namespace }: KnownRoute,
  settings: ClusterSettingsSpec,
  waitOf: ReturnType<typeof firstOrderWaits>,
): string | undefined {
  if (tls === undefined) return undefined;
  const isThere = !("acme" in tls);
  if (isThere && !("secret" in tls && tls.secret === `${CERTIFICATE_NAMESPACE}/${acmeSecretName(host)}`))
    return undefined;
  if (!settings.acmeTermsAccepted) return isThere ? undefined : TERMS;
  const known = reader.get(acmeRefusals, host);
  const refusal = known && isRefusalOf(known, settings) ? known.spec : undefined;
  const wait = isThere ? undefined : waitOf({ namespace, hasFailed: (refusal?.failures ?? 0) > 0 });
  if (refusal === undefined) return wait && `no certificate yet: ${wait.why}; ordered at ${rfc3339(wait.untilMs)}`;
  const atMs = Math.max(refusal.againAtMs, wait?.untilMs ?? 0);
  const what = isThere ? "its certificate is not renewed" : "no certificate yet";
  return `${what}: ${refusal.why}; tried again at ${rfc3339(atMs)}`;
}

function unsaidPort(reader: Reader, exposure: Exposure | undefined): string | undefined {
  if (exposure === undefined || !portIsUnsaid(reader, exposure.spec)) return undefined;
  return `${exposure.spec.workload.name} says no port where it answers: styr expose it with --port NUMBER`;
}

interface Surroundings {
  readonly hasWayIn: boolean;
  readonly trouble: (known: KnownRoute) => string | undefined;
}

function rowOf(known: KnownRoute, refused: string | undefined, { hasWayIn, trouble }: Surroundings): RouteRow {
  const { route, namespace, exposure } = known;
  const { host, path, pathType, source, service, tls, remarks: told = [], since } = route;
  const refusal = refused ?? (hasWayIn ? undefined : "no node is a way in");
  // What cannot be read at all says so by itself, too.
  const remarks = told.filter((each) => each !== refusal);
  const url = urlOfRoute(route);
  const certificate = tls && certificateWords(tls, exposure);
  const words = [refusal, ...remarks, trouble(known)].filter((each) => each !== undefined);
  return {
    ...{ host, path, pathType, source, namespace, isServed: refusal === undefined },
    to: exposure ? exposure.spec.workload.name : service,
    ...(url === undefined ? {} : { url }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(words.length > 0 ? { words } : {}),
    ...(since === undefined ? {} : { since }),
    ...(exposure ? { exposure: exposure.metadata.name } : {}),
  };
}

const TERMS =
  "no certificate is ordered: nobody has accepted the authority's terms: styr settings set acme-terms-accepted=true";

function certificateWords(tls: RouteTls, exposure: Exposure | undefined): string {
  if (exposure?.spec.tls?.acme) return "acme" in tls ? "acme (not there yet)" : "acme";
  if ("acme" in tls) return "acme (not there yet)";
  if ("file" in tls) return `file ${tls.file}`;
  return `secret ${tls.secret}${tls.version === "" ? " (there is none)" : ""}`;
}

/** Ingresses, and parts of them, that make no route at all. */
function brokenParts(reader: Reader): readonly RouteRow[] {
  return reader.list(ingresses).flatMap((ingress) => {
    const { namespace = "default", creationTimestamp: since } = ingress.metadata;
    const common = { source: `Ingress ${keyOf(ingress)}`, namespace, to: "", isServed: false, since } as const;
    const { problems } = ingressRoutes(ingress, () => undefined);
    return [...classProblem(reader, ingress), ...problems].map((problem) => ({
      ...{ host: "", path: "", pathType: "prefix" as const, ...common },
      words: [problem],
    }));
  });
}

/** An Ingress whose class is there is another controller's, who says what becomes of it. */
function classProblem(reader: Reader, ingress: Ingress): readonly string[] {
  const name = classOf(ingress);
  if (isOurs(ingress) || name === undefined || name === INGRESS_CLASS || reader.get(ingressClasses, name)) return [];
  return [`its class is ${name}, which there is not; ours is ${INGRESS_CLASS}`];
}
