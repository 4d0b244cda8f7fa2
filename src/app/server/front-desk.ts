import { UserTokens } from "../../api/user-tokens.ts";
import type { AuditLog } from "../../audit/audit-log.ts";
import type { FrontDesk } from "../../http/front-desk.ts";
import { Gate } from "../../http/gate.ts";
import { OpenStreams } from "../../http/open-streams.ts";
import { CLUSTER_SETTINGS_NAME, clusterSettings, settingsInForce } from "../../model/cluster-settings.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Log } from "../../seams/log.ts";
import type { Store } from "../../store/store.ts";
import type { Reader } from "../../store/transaction.ts";
import { endRevoked } from "./end-revoked.ts";

/** Who asks is looked up in the store, and how much may be asked is what its settings say at that moment. */
export function frontDeskOf(store: Store, clock: Clock, log: Log, isLimited: boolean): FrontDesk {
  const tokens = new UserTokens(store, clock);
  if (!isLimited) return { tokens };
  const streams = new OpenStreams(clock);
  endRevoked(store, streams, log).catch((error: Error) =>
    log.error("streams of users whose rights are taken back go on", { error: error.message }),
  );
  return { tokens, gate: new Gate(clock, () => settings(store)), streams };
}

export function boundAudit(audit: AuditLog | undefined, store: Reader): void {
  audit?.boundedBy(() => {
    const { auditFiles, auditFileMib } = settings(store);
    return { files: auditFiles, fileBytes: auditFileMib * 2 ** 20 };
  });
}

function settings(store: Reader) {
  return settingsInForce(store.get(clusterSettings, CLUSTER_SETTINGS_NAME));
}
