import type { PublishedService, Publisher } from "../../model/discovery.ts";
import type { Protocol, RouteEntry } from "../../model/network.ts";
import { portHalves, portId, portsOf } from "./app-definition.ts";
import { type App, apps } from "./kinds.ts";
import { portNames } from "./task-environment.ts";
import { wayInRoutes } from "./way-in-labels.ts";

/** Service ports and routes of an app, as it is deployed at present. */
export const appPublisher: Publisher<App> = {
  kind: apps,
  tell: (app) => ({ services: servicesOf(app), routes: routesOf(app) }),
};

/** Where its instances are reached by it (discovery.ts). */
export function serviceIdOf(appId: string): string {
  return `marathon:${appId}`;
}

/**
 * A deleted app has its ports for as long as its tasks take to stop, which have connections, unless another wants them: on a host that is
 * not reached it may take for ever.
 */
function servicesOf({ metadata, spec }: App): readonly PublishedService[] {
  const app = spec.active ?? spec.definition;
  const names = portNames(app);
  const ports = portsOf(app).flatMap(({ servicePort, protocol }, i) =>
    servicePort > 0
      ? portHalves(protocol, names[i] ?? "").map((half) => ({
          ...{ id: portId(i), name: half.name, protocol: half.protocol.toLowerCase() as Protocol, servicePort },
        }))
      : [],
  );
  const since = metadata.deletionTimestamp === undefined ? { since: metadata.creationTimestamp } : {};
  return [{ id: serviceIdOf(app.id), name: app.id, ports, ...since }];
}

function routesOf({ metadata, spec }: App): readonly Omit<RouteEntry, "kind">[] {
  const app = spec.active ?? spec.definition;
  const isLabelled =
    metadata.deletionTimestamp === undefined && Object.keys(app.labels).some((name) => name.startsWith("HAPROXY_"));
  if (!isLabelled) return [];
  const ports = portsOf(app).map((_port, i) => portId(i));
  return wayInRoutes({ id: app.id, labels: app.labels, ports, since: metadata.creationTimestamp });
}
