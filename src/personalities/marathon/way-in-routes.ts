import type { ObjectReader } from "../../model/discovery.ts";
import { controllerOf } from "../../model/meta.ts";
import type { RouteEntry } from "../../model/network.ts";
import type { Pod } from "../../model/pod.ts";
import type { WorkloadReader } from "../../model/workload.ts";
import { type App, apps, NAMESPACE } from "./kinds.ts";
import { portNames } from "./task-environment.ts";
import { wayInRoutes } from "./way-in-labels.ts";

/** Routes of the app that a pod is an instance of. */
export function routesOfInstance(pod: Pod, objects: ObjectReader): readonly Omit<RouteEntry, "kind">[] {
  const app = appOf(pod, objects);
  return app ? routesOfApp(app) : [];
}

/** The app that a pod is an instance of. */
export function appOf(pod: Pod, objects: ObjectReader): App | undefined {
  const owner = controllerOf(pod);
  return owner && objects.get(apps, `${NAMESPACE}/${owner.name}`);
}

/** Routes of all apps, whether they run or not. */
export function routesOfApps(reader: WorkloadReader): readonly RouteEntry[] {
  return reader.list(apps).flatMap((app) => routesOfApp(app).map((route) => ({ kind: "route", ...route })));
}

function routesOfApp({ metadata, spec }: App): readonly Omit<RouteEntry, "kind">[] {
  const app = spec.active ?? spec.definition;
  const isLabelled =
    metadata.deletionTimestamp === undefined && Object.keys(app.labels).some((name) => name.startsWith("HAPROXY_"));
  if (!isLabelled) return [];
  return wayInRoutes({ id: app.id, labels: app.labels, ports: portNames(app), since: metadata.creationTimestamp });
}
