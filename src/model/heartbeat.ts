/** A node's sign of life, and what it is answered. */

/** What the node says of itself beside "I live". Shown, and steers new placements away; moves nothing. */
export type NodeHealth =
  | "ok"
  | "io-stalled"
  /** The Docker Engine. */
  | "engine-silent"
  /** What runs processes and units. */
  | "keeper-silent"
  | "memory-pressure"
  /** Of the state directory: nothing can be written for a pod there. */
  | "disk-pressure"
  | "agent-stalled";

export interface Heartbeat {
  readonly node: string;
  /** A new one after every start of the host. */
  readonly bootId: string;
  /** A new one after every start of the agent. */
  readonly session: string;
  /** Counts up within a session: one that is late or came twice is told by it. */
  readonly sequence: number;
  readonly health: NodeHealth;
  /** What `health` means here, in words; absent when it is ok. */
  readonly message?: string;
}

export interface HeartbeatAnswer {
  /**
   * The lease was renewed as of the moment the heartbeat was sent. False: exclusive pods of this node have been, or are
   * being, given away: it goes on without them, and asks again.
   */
  readonly renewed: boolean;
  /** False: the control plane does not know this node; it registers itself again. */
  readonly known: boolean;
  readonly terms: LeaseTerms;
}

export interface LeaseTerms {
  readonly heartbeatMs: number;
  /**
   * After so much silence exclusive pods may be started elsewhere. The agent begins to stop them after half of it and has
   * killed them after three quarters. Undefined: never, as this control plane cannot outlive its agent.
   */
  readonly exclusiveMs?: number;
  /**
   * A node whose goodbye was answered is waited for so long from the moment it sent it, with its exclusive pods too: they
   * must be gone, or the lease renewed, before.
   */
  readonly rebootGraceMs?: number;
}

/**
 * "I go away for a while": said before an orderly end of the agent or the host. `down`: for good, and all that runs here is about to be
 * stopped and removed: nobody waits.
 */
export interface Goodbye {
  readonly node: string;
  readonly session: string;
  readonly why: "agent-restart" | "reboot" | "down";
}

/** Where signs of life arrive in the control plane. A beat's answer waits for nothing. */
export interface LeaseDesk {
  beat(beat: Heartbeat): HeartbeatAnswer;
  /**
   * Throws ApiError Conflict when there is nothing left to wait with: then nothing was promised. A promise that it
   * gives is that of the disk: the goodbye is answered when it resolves.
   */
  goodbye(goodbye: Goodbye): void | Promise<void>;
}
