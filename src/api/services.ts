/** /styr/v1/services: what `styr services` shows. */
import type { Route } from "../http/route.ts";
import { clusterSettings } from "../model/cluster-settings.ts";
import { endpointSlices } from "../model/endpoint-slice.ts";
import { pods } from "../model/pod.ts";
import { services } from "../model/service.ts";
import type { ServiceRow } from "../model/service-row.ts";
import type { StyrApiContext } from "./context.ts";
import { sees } from "./own-part.ts";
import { listOrWatch, readOwnPart } from "./own-part-routes.ts";
import { RowFeed } from "./row-feed.ts";
import { listServices, serviceId } from "./service-rows.ts";

export function serviceRoutes({ store, clock, publishers = [] }: StyrApiContext): readonly Route[] {
  const feed = new RowFeed<ServiceRow>({
    ...{ store, clock, id: serviceId },
    kinds: [services, endpointSlices, pods, clusterSettings, ...publishers.map(({ kind }) => kind)],
    list: () => listServices(store, clock, publishers),
  });
  return [
    readOwnPart("/styr/v1/services", "services", (part, { url, signal }) => {
      const isMeant = part && (({ namespace }: ServiceRow) => sees(part, namespace));
      return listOrWatch({ field: "services", feed, clock, isMeant, rowOf: (row) => row }, url, signal);
    }),
  ];
}
