import type { Route } from "./route.ts";

/** Routes of a dialect whose objects all lie in one namespace; those that say themselves where they reach are left alone. */
export function withinNamespace(namespace: string, routes: readonly Route[]): readonly Route[] {
  return routes.map((route) => ({ ...route, access: { reach: { namespace }, ...route.access } }));
}
