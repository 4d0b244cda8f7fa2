import type { Authority } from "../../acme/authority.ts";
import { CertificateOrders } from "../../acme/certificate-orders.ts";
import type { Directory } from "../../directory/directory.ts";
import type { RouteLists } from "../../model/way-in/certificate-askers.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Log } from "../../seams/log.ts";
import type { Store } from "../../store/store.ts";

/** A node that does not answer must not keep the others from a certificate. */
const MOST_MS = 5_000;
const LOOK_AGAIN_MS = 50;

interface Parts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly authority: Authority;
  readonly directory: Directory;
  readonly routes: RouteLists;
}

/** Orders certificates; an answer counts as given when every connected node has it. */
export function certificateDesk({ store, clock, log, authority, directory, routes }: Parts): CertificateOrders {
  const settled = async (token: string) => {
    const from = clock.monotonic();
    const isTold = () => directory.get(`challenge ${token}`) !== undefined;
    let revision = Number.POSITIVE_INFINITY;
    while (clock.monotonic() - from < MOST_MS && directory.settledRevision < revision) {
      await clock.sleep(LOOK_AGAIN_MS);
      if (isTold() && revision === Number.POSITIVE_INFINITY) revision = directory.revision;
    }
  };
  const parts = { store, clock, authority, settled, routes };
  return new CertificateOrders({ ...parts, log: log.with({ component: "acme" }) });
}
