import type { Scenario } from "../contract.ts";
import { brakeJoins, brakeMajority, brakeRelease, brakeZone } from "./brake.ts";
import {
  exclusiveAgentCrash,
  exclusiveDeath,
  exclusivePartition,
  exclusiveServerDown,
  exclusiveStubborn,
} from "./exclusive.ts";
import {
  exclusiveAgentRestart,
  exclusiveLateAnswer,
  exclusiveReturnSlowJournal,
  exclusiveReturnWhileGiven,
} from "./exclusive-edges.ts";
import { exclusiveNodeDeleted } from "./exclusive-node-deleted.ts";
import { exclusiveNoMore, exclusiveRecreate } from "./exclusive-recreate.ts";
import { flappingLong } from "./flapping.ts";
import { brakeForget, releaseKept, stallsAndDeath, startsAndDeath, termsLowered } from "./forgetful.ts";
import { lateReports } from "./late-reports.ts";
import { drainDeadline, drained, drainFloor, rebalanced } from "./moving.ts";
import { network } from "./network.ts";
import { controlPlaneDown, ownStall, restartGrace, storeRefuses, upgrade } from "./outages.ts";
import { goodbyeKept, rebootAll, rebootAnnounced, staggeredRestart } from "./reboots.ts";
import { keep, marathonDisabled, rateLimit, replaceAfter, tolerations } from "./rules.ts";
import { blip, flappingNode, gone, oneWayCut, silentFullHost, silentHost, surplusOnReturn } from "./silence.ts";
import { engineDown, engineHang, healthSteersPlacement, ioStall } from "./slow-hosts.ts";
import { swarm } from "./swarm.ts";
import { backoffReset, pullQueue, updateFloor } from "./updates.ts";

/** What `npm run sim -- --scenario NAME` knows. The first draws everything; each other one is about one rule. */
export const scenarios: readonly Scenario[] = [
  swarm,
  silentHost,
  silentFullHost,
  blip,
  flappingNode,
  flappingLong,
  oneWayCut,
  surplusOnReturn,
  gone,
  ioStall,
  engineHang,
  engineDown,
  healthSteersPlacement,
  rebootAnnounced,
  goodbyeKept,
  rebootAll,
  staggeredRestart,
  controlPlaneDown,
  storeRefuses,
  ownStall,
  restartGrace,
  upgrade,
  brakeMajority,
  brakeZone,
  brakeRelease,
  brakeJoins,
  brakeForget,
  releaseKept,
  termsLowered,
  stallsAndDeath,
  startsAndDeath,
  keep,
  replaceAfter,
  tolerations,
  marathonDisabled,
  rateLimit,
  exclusivePartition,
  exclusiveStubborn,
  exclusiveAgentCrash,
  exclusiveServerDown,
  exclusiveDeath,
  exclusiveRecreate,
  exclusiveNoMore,
  exclusiveNodeDeleted,
  exclusiveLateAnswer,
  exclusiveAgentRestart,
  exclusiveReturnWhileGiven,
  exclusiveReturnSlowJournal,
  lateReports,
  network,
  drained,
  drainFloor,
  drainDeadline,
  rebalanced,
  updateFloor,
  pullQueue,
  backoffReset,
];
