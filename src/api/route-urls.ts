import { keyOf } from "../model/meta.ts";
import { pods } from "../model/pod.ts";
import { type Service, selectsPods, services } from "../model/service.ts";
import { urlOfRoute } from "../model/way-in/contest.ts";
import { workloadKey } from "../model/way-in/exposure-routes.ts";
import { settleRoutes } from "../model/way-in/settle-routes.ts";
import type { Workload } from "../model/workload.ts";
import type { Reader } from "../store/transaction.ts";
import type { StyrApiContext } from "./context.ts";
import { knownRoutes, wayInNodes } from "./route-rows.ts";

/** Workloads with the URLs by which they are reached from outside, in front of those of their pods. Costs nothing where there are no routes. */
export function withRouteUrls(
  reader: Reader,
  context: Pick<StyrApiContext, "publishers">,
  rows: readonly Workload[],
): readonly Workload[] {
  const urls = new RouteUrls(reader, context);
  if (urls.isEmpty) return rows;
  return rows.map((row) => {
    const found = urls.of(row);
    return found.length === 0 ? row : { ...row, urls: [...new Set([...found, ...row.urls])] };
  });
}

class RouteUrls {
  /** Exposed workload, or `marathon:/id` → URLs. */
  readonly #direct = new Map<string, string[]>();
  /** Namespace → Services with routes. */
  readonly #services = new Map<string, { service: Service; urls: readonly string[] }[]>();
  readonly #reader: Reader;

  constructor(reader: Reader, context: Pick<StyrApiContext, "publishers">) {
    this.#reader = reader;
    // What comes in nowhere has no URL.
    if (wayInNodes(reader).length === 0) return;
    const known = knownRoutes(reader, context);
    const served = new Set(settleRoutes(known.map(({ route }) => route)).routes);
    const byService = new Map<string, string[]>();
    for (const { route, exposure } of known) {
      const url = urlOfRoute(route);
      if (url === undefined || !served.has(route)) continue;
      if (exposure) push(this.#direct, workloadKey(exposure.spec.workload), url);
      else if (route.service.includes(":")) push(this.#direct, route.service, url);
      else push(byService, route.service, url);
    }
    for (const [key, urls] of byService) this.#addService(key, urls);
  }

  get isEmpty(): boolean {
    return this.#direct.size === 0 && this.#services.size === 0;
  }

  of({ dialect, namespace, name, pods: copies }: Workload): readonly string[] {
    const place = namespace === undefined ? { dialect, name } : { dialect, namespace, name };
    const direct = [...(this.#direct.get(workloadKey(place)) ?? []), ...(this.#direct.get(`${dialect}:${name}`) ?? [])];
    const candidates = this.#services.get(namespace ?? dialect) ?? [];
    // Copies of one workload have the same labels: one tells of all.
    const labels =
      candidates.length > 0 && copies[0] ? this.#reader.get(pods, copies[0].key)?.metadata.labels : undefined;
    if (labels === undefined) return direct;
    const selecting = candidates.filter(({ service }) => {
      return Object.entries(service.spec.selector ?? {}).every(([key, value]) => labels[key] === value);
    });
    return [...direct, ...selecting.flatMap(({ urls }) => urls)];
  }

  #addService(key: string, urls: readonly string[]): void {
    const service = this.#reader.get(services, key);
    if (service === undefined || !selectsPods(service)) return;
    const namespace = keyOf(service).split("/")[0] ?? "";
    push(this.#services, namespace, { service, urls });
  }
}

function push<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  list.push(value);
}
