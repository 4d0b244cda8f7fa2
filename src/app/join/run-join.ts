/** `styr join`: joins, and then is what it joined as, in the foreground or as a service. */
import { SystemClock } from "../../seams/clock.ts";
import { SystemRandom } from "../../seams/random.ts";
import { answers } from "../listen.ts";
import type { Membership } from "../membership.ts";
import { readMembership } from "../membership.ts";
import { installService, refuseWithoutSystemd } from "../service/service.ts";
import { serviceWords } from "../service/service-words.ts";
import type { Options, Settings } from "../settings.ts";
import type { UpIo } from "../up-io.ts";
import { programVersion } from "../version.ts";
import { joinCluster } from "./join-cluster.ts";

export interface JoinWish extends Options {
  readonly token: string;
  readonly service?: boolean;
  /** False: a server without an agent. */
  readonly agent?: boolean;
}

/** Throws an Error with words for people. */
export async function runJoin(url: string, wish: JoinWish, settings: Settings, io: UpIo): Promise<void> {
  if (wish.service === true) refuseWithoutSystemd();
  await refuseRunning(settings, wish);
  const membership = await joinCluster({
    ...{ settings, url, token: wish.token, version: programVersion() },
    ...{ clock: new SystemClock(), random: new SystemRandom(), signal: io.signal, say: io.say },
  });
  if (wish.service === true) {
    const { stateDir, isDefaultState } = settings;
    const words = serviceWords(membership, { ...wish, ...(isDefaultState ? {} : { state: stateDir }) });
    return installService({ stateDir, isDefaultState, words }, io.say);
  }
  io.say(
    `it runs until this terminal ends; at every boot, after Ctrl-C here: styr service install (or join with --service)`,
  );
  await run(membership, settings, wish, io);
}

/** With a service the running one is its to restart. */
async function refuseRunning({ socketPath, stateDir }: Settings, { service }: JoinWish): Promise<void> {
  if (service === true || !(await answers(socketPath))) return;
  const membership = await readMembership(stateDir);
  const what = membership ? `as ${membership.nodeName} of a cluster` : "with a cluster of its own";
  throw new Error(`styr is running already on ${stateDir}, ${what}; stop it first (Ctrl-C there)`);
}

async function run({ role, nodeName }: Membership, given: Settings, wish: JoinWish, io: UpIo): Promise<void> {
  const settings: Settings = { ...given, nodeName };
  if (role === "agent") {
    const { runAgent } = await import("../agent/run-agent.ts");
    return runAgent(settings, io);
  }
  if (wish.agent === false) {
    const { serve } = await import("../server/serve.ts");
    return serve(settings, io, { newStore: false });
  }
  const { up } = await import("../up.ts");
  return up(settings, io, { demo: false, newStore: false });
}
