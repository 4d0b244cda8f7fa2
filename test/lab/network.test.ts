/**
 * The network of a cluster on real hosts: what reaches what, and what losses, restarts and careless hands do to it. Each scenario leaves the
 * cluster whole for the next. `npm run lab:network` runs this alone, `npm run lab:network -- names losses` what has these words in its name.
 */
import { canRunNetworkLab } from "./harness/can-run-lab.ts";
import type { Host } from "./harness/host.ts";
import { beginNetwork, openNetworkLab } from "./scenarios/network/begin.ts";
import { largePacketsAreLost } from "./scenarios/network/large-packets.ts";
import {
  agentStartsBesideLoss,
  halfIsCut,
  hostIsCutFromOne,
  hostLosesPower,
  processIsKilled,
  processStandsStill,
} from "./scenarios/network/losses.ts";
import { addressChanges, bridgeIsTouched, dockersRulesAreGone, rulesAreFlushed } from "./scenarios/network/meddling.ts";
import { namesFollowPods, namesOfAllDialects } from "./scenarios/network/names.ts";
import { forgottenHostJoinsAgain } from "./scenarios/network/ranges.ts";
import {
  largePacketsArrive,
  podsReachHostsAndServers,
  podsReachPods,
  waysAreChosen,
} from "./scenarios/network/reach.ts";
import {
  agentIsKilled,
  agentRestarts,
  agentRestartsInCloud,
  dockerRestarts,
  dockerStandsStill,
  hostIsTakenDown,
  serverIsAway,
} from "./scenarios/network/restarts.ts";
import { restoredTakesNothing } from "./scenarios/network/restored.ts";
import { rollApp, rollService, serviceAddresses, withoutEndpoints } from "./scenarios/network/services.ts";
import { networkOf, uninstallLeavesNothing } from "./scenarios/network/uninstall.ts";
import { play, type Scenario } from "./scenarios/play.ts";

/** What each host had before styr came. */
const untouched = new Map<Host, readonly string[]>();

const SCENARIOS: readonly Scenario[] = [
  { name: "a server and four hosts, a Service that answers", run: beginNetwork, isBase: true },
  {
    name: "reach: pods of any host reach pods of any host at their own addresses, and are seen by theirs",
    run: podsReachPods,
  },
  { name: "reach: plain routes on one link, VXLAN through a router", run: waysAreChosen },
  { name: "reach: packets as large as the way allows arrive", run: largePacketsArrive },
  { name: "reach: pods reach what is outside of the cluster's network", run: podsReachHostsAndServers },
  { name: "names: of Services, apps and units, from a pod of every host", run: namesOfAllDialects },
  { name: "names: they follow pods that come and go", run: namesFollowPods },
  {
    name: "services: an address from pods and hosts, a port from outside, the client's address kept",
    run: serviceAddresses,
  },
  { name: "services: without endpoints, refused at once", run: withoutEndpoints },
  { name: "services: a rolling update under load fails no request", run: rollService },
  { name: "services: a rolling update of an app behind its service port fails no request", run: rollApp },
  { name: "losses: kill -9 of an endpoint", run: processIsKilled, isAlone: true },
  {
    name: "losses: an endpoint that stands still is out within its probe's time",
    run: processStandsStill,
    isAlone: true,
  },
  {
    name: "losses: new connections fail for at most 2 s when a host loses its power",
    run: hostLosesPower,
    isAlone: true,
  },
  {
    name: "losses: a host that one other does not reach gets nothing new from there",
    run: hostIsCutFromOne,
    isAlone: true,
  },
  {
    name: "losses: large packets between two hosts, of which nobody is told, are seen by who looks",
    run: largePacketsAreLost,
    isAlone: true,
  },
  {
    name: "losses: an agent that starts beside a dead host, without a server, leaves it out",
    run: agentStartsBesideLoss,
    isAlone: true,
  },
  { name: "losses: half of the hosts are cut off, and come back", run: halfIsCut, isAlone: true },
  { name: "restarts: of Docker, no connection is lost", run: dockerRestarts },
  { name: "restarts: of agents, no connection is lost", run: agentRestarts },
  {
    name: "restarts: of an agent on a link that drops pods' addresses, no connection is lost",
    run: agentRestartsInCloud,
  },
  { name: "restarts: kill -9 of an agent, no connection is lost", run: agentIsKilled },
  { name: "restarts: an agent starts beside a Docker that stands still", run: dockerStandsStill },
  { name: "restarts: a host is taken down, no request fails, and it joins again", run: hostIsTakenDown },
  { name: "restarts: a host that was forgotten, whose range is another's, joins again", run: forgottenHostJoinsAgain },
  { name: "restarts: the control plane is away, the network goes on", run: serverIsAway },
  { name: "restarts: a control plane is restored, nothing made since is taken away", run: restoredTakesNothing },
  { name: "meddling: rules of iptables are flushed, pods reach each other again", run: rulesAreFlushed },
  { name: "meddling: the pods' bridge is touched, pods reach each other again", run: bridgeIsTouched },
  { name: "meddling: a host's address is another, and it is reached there", run: addressChanges },
  { name: "meddling: Docker's own rules are gone, and it is said", run: dockersRulesAreGone },
  {
    name: "uninstall: it leaves nothing on a host",
    run: (scene) => uninstallLeavesNothing(scene, untouched),
    isEnd: true,
  },
];

play({
  name: "lab: the network of four hosts",
  skip: canRunNetworkLab(),
  open: async () => {
    const cluster = await openNetworkLab();
    for (const host of cluster.agents) untouched.set(host, await networkOf(host));
    return cluster;
  },
  scenarios: SCENARIOS,
  askAfter: (cluster) => cluster.words("network", "status"),
});
