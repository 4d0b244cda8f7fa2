/** What agents and the dispatcher count on of each other. Times in milliseconds. */

/** The dispatcher says something this often, so that a lost end and a dead link are noticed. */
export const KEEP_ALIVE_MS = 2_500;
/** An agent that heard nothing for so long dials again: two signs of life may get lost. */
export const AGENT_PATIENCE_MS = 7_000;
/** An agent answers the dispatcher's signs of life at least this often. */
export const AGENT_SIGN_MS = 5_000;
/** The dispatcher closes a link that it heard nothing on for so long. */
export const DISPATCHER_PATIENCE_MS = 20_000;
/** A timer that comes so late tells that its process stood still. */
export const STALL_MS = 1_000;

/** Pods and reports travel in frames of about this many characters; a single one that is larger travels alone. */
export const FRAME_CHARS = 64 * 1024;
/** Nothing larger is read: a Kubernetes object is at most 1.5 MiB. */
export const MOST_FRAME_CHARS = 8 * 1024 * 1024;
/** Nor this, of what an agent says: what it has to say of many pods it says in many calls. */
export const MOST_CALL_CHARS = 1024 * 1024;
/** How deep what an agent says may nest. */
export const DEEPEST = 64;
/** Reports and events in one call. */
export const MOST_REPORTS = 500;
export const MOST_EVENTS = 500;
/** What is said of one pod; an agent leaves out words before it says more. */
export const MOST_REPORT_CHARS = 256 * 1024;
export const MOST_HEALTH_CHARS = 1_024;
export const MOST_NAME_CHARS = 253;
/** Frames of one stream that are on their way at once; what changes meanwhile is gathered. */
export const MOST_UNACKNOWLEDGED = 32;
export const MOST_UNACKNOWLEDGED_CHARS = 8 * FRAME_CHARS;
/** An agent acknowledges after so many frames, or at once when one is larger than ACKNOWLEDGE_CHARS, or at the next sign of life. */
export const ACKNOWLEDGE_EVERY = 4;
export const ACKNOWLEDGE_CHARS = 16 * 1024;
/** Calls of one agent that may wait for their answers at once. */
export const MOST_CALLS = 256;
