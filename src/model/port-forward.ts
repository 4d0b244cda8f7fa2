/** One TCP connection into a pod, as a WebSocket of our own API: src/api/port-forward.ts says what is on it. */
export const PORT_PROTOCOL = "v1.port.styrmann.dev";

/** A frame of text. */
export interface PortWords {
  /** Which copy it leads to. */
  readonly copy?: string;
  readonly node?: string;
  /** This side has said all. */
  readonly end?: true;
  /** The connection broke. */
  readonly error?: string;
}
