import type { SliceEndpoint, SlicePort } from "../../model/endpoint-slice.ts";

/** An endpoint that has to stand in some slice, and the ports that it serves: only endpoints with the same ports share a slice. */
export interface WantedEndpoint {
  readonly ports: readonly SlicePort[];
  readonly endpoint: SliceEndpoint;
}
