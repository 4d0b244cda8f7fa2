/**
 * What people make of a cluster's network, on real hosts as in network.test.ts: three dialects that find each other, who is kept out of what,
 * and what a host that has other plans is refused. `npm run lab:guestbook -- policies`: what has this word in its name.
 */
import { canRunNetworkLab } from "./harness/can-run-lab.ts";
import { beginNetwork, openNetworkLab } from "./scenarios/network/begin.ts";
import {
  guestbookBegins,
  guestbookHasHostName,
  guestbookLosesHost,
  guestbookRolls,
} from "./scenarios/network/guestbook.ts";
import { withoutCopy } from "./scenarios/network/no-copy.ts";
import {
  hostPortIsNoWayAround,
  traceAgrees,
  trapsCatchNobody,
  unitsContainerIsClosed,
} from "./scenarios/network/policies.ts";
import { nftIsMissing, rangeOverlaps, serviceRangeIsShared } from "./scenarios/network/refusals.ts";
import { play, type Scenario } from "./scenarios/play.ts";

const SCENARIOS: readonly Scenario[] = [
  { name: "a server and four hosts, a Service that answers", run: beginNetwork, isBase: true },
  { name: "policies: a host port of a closed pod is no way around", run: hostPortIsNoWayAround },
  { name: "policies: a pod that traps whoever reads its devices sends as itself alone", run: trapsCatchNobody },
  { name: "policies: a container that a unit starts is a pod of its own", run: unitsContainerIsClosed },
  { name: "policies: a trace says what packets find, through ports of every host", run: traceAgrees },
  { name: "refusals: without nft, iptables is used and it is said", run: nftIsMissing },
  { name: "refusals: a range that a host has a route to", run: rangeOverlaps },
  { name: "sharing: a network of Docker's within the service range goes on, and is named", run: serviceRangeIsShared },
  { name: "guestbook: three dialects find each other by name", run: guestbookBegins },
  { name: "guestbook: its page has a host name", run: guestbookHasHostName },
  { name: "guestbook: while it has no copy, its host and its port are nobody else's", run: withoutCopy },
  { name: "guestbook: a rolling update fails no request", run: guestbookRolls },
  { name: "guestbook: it stays up when a host is lost", run: guestbookLosesHost, isAlone: true },
];

play({
  name: "lab: a guestbook of three dialects on four hosts",
  skip: canRunNetworkLab(),
  open: openNetworkLab,
  scenarios: SCENARIOS,
  askAfter: (cluster) => cluster.words("network", "status"),
});
