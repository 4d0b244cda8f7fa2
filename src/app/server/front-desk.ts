import { UserTokens } from "../../api/user-tokens.ts";
import type { AuditLog } from "../../audit/audit-log.ts";
import type { FrontDesk } from "../../http/front-desk.ts";
import { Gate } from "../../http/gate.ts";
import { CLUSTER_SETTINGS_NAME, clusterSettings, settingsInForce } from "../../model/cluster-settings.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Reader } from "../../store/transaction.ts";

/** Who asks is looked up in the store, and how much may be asked is what its settings say at that moment. */
export function frontDeskOf(store: Reader, clock: Clock, isLimited: boolean): FrontDesk {
  const tokens = new UserTokens(store, clock);
  return isLimited ? { tokens, gate: new Gate(clock, () => settings(store)) } : { tokens };
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
