/** How a control plane comes, goes and comes again in one process, while the sockets stay open. */
import type { Mounted } from "../../http/mount.ts";
import type { ControlPlane } from "../control-plane.ts";

export interface Life {
  /** Serves whatever plane there is at the moment; the sockets are opened on it once. */
  readonly mounted: Mounted;
  readonly plane: ControlPlane | undefined;
  /** Called when the sockets are open. */
  begin(): void;
  /** Lets another server lead, where there is one, while requests are still taken. */
  handOver(): Promise<void>;
  /** What is stored stays; what runs goes on running. */
  stop(): Promise<void>;
}
