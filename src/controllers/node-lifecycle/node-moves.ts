import type { NodeStateWord } from "../../model/node-state.ts";

/** A node's states and what moves it from one to the other. The store knows ready, unreachable and gone; the others are the lease's alone. */
export const NODE_MOVES: Readonly<Record<NodeStateWord, Readonly<Partial<Record<NodeStateWord, string>>>>> = {
  ready: {
    suspect: "no heartbeat for `suspectAfterMs` (3 s)",
    restarting: "its agent said goodbye",
    unreachable: "its host is taken down (`styr down`): its pods are replaced at once",
  },
  suspect: {
    ready: "a heartbeat",
    restarting: "its agent said goodbye",
    unreachable:
      "its host is taken down (`styr down`); no heartbeat for `unreachableAfterMs` (8 s); after a start or a stall of the control plane not before a new lease is over (`startGraceMs`, 30 s, or less)",
  },
  restarting: {
    ready: "a heartbeat of a new agent",
    suspect: "it is not back within `rebootGraceMs` (3 min)",
  },
  unreachable: {
    ready: "a heartbeat",
    gone: "unreachable for `goneAfterMs` (1 day)",
  },
  gone: {
    ready: "a heartbeat",
  },
};

/** What each of them means for its pods. */
export const NODE_MEANINGS: Readonly<Record<NodeStateWord, string>> = {
  ready: "takes pods; one whose health word is not ok takes them last",
  suspect: "shown, nothing else",
  restarting: "nothing of it is moved, exclusive pods neither; when it reboots, it takes new pods last",
  unreachable:
    "Ready is Unknown, it takes no pods, and its pods are replaced as each asks for, at the pace of the limits; exclusive ones after `exclusiveAfterMs` (40 s) of silence. While the brake holds it, its pods are left alone",
  gone: "what was replaced is forgotten",
};
