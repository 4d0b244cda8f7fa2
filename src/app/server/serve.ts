/** `styr server`: a control plane without an agent. */
import { join } from "node:path";
import { keepPlace, reachOf, readPlace } from "../instance.ts";
import { LateNodeAccess } from "../late-node-access.ts";
import { readMembership } from "../membership.ts";
import { refuseClashingRanges } from "../network/range-clash.ts";
import { foldersOf } from "../node-side.ts";
import type { Settings } from "../settings.ts";
import { beginProcess, type StyrProcess, styrWith, throwIfFailed, untilAborted } from "../styr-process.ts";
import type { UpIo } from "../up-io.ts";
import { listeningWords, placeWords } from "./banner.ts";
import { ServerHalf } from "./server-half.ts";

/** Runs until `signal` aborts. Throws an Error with words for people when it cannot start. */
export async function serve(settings: Settings, io: UpIo, { newStore }: { readonly newStore: boolean }): Promise<void> {
  // Who joins takes the addresses that the cluster has.
  if (!(await readMembership(settings.stateDir))) await refuseClashingRanges(settings);
  const process = await beginProcess(settings, io);
  const { stopping, log } = process;
  const server = await ServerHalf.open({ process, newStore, nodeAccess: new LateNodeAccess() });
  await rememberPlace(process, server);
  try {
    await server.start();
    announce(process, server);
    await untilAborted(stopping.signal);
  } finally {
    stopping.abort();
    io.say("stopping the server; what runs on the nodes goes on running");
    await server.stopListening();
    await server.stop();
    log.info("stopped");
  }
  throwIfFailed(stopping.signal);
}

async function rememberPlace({ settings, random }: StyrProcess, { store }: ServerHalf): Promise<void> {
  const { stateDir, networkName: network, cgroupRoot: cgroup, podRange, clusterNetwork } = settings;
  const reach = reachOf(settings);
  // No containers are started by this process; one that does says where its engine is.
  const dockerHost = (await readPlace(stateDir))?.dockerHost ?? settings.dockerHost ?? "unix:///var/run/docker.sock";
  await keepPlace(stateDir, { network, cgroup, podRange, clusterNetwork, dockerHost, store, ...reach }, random);
}

function announce({ settings, io, version }: StyrProcess, { urls, store }: ServerHalf): void {
  const { stateDir } = settings;
  io.say("");
  io.say(`Styrmann ${version}: the server is up`);
  io.say(`  listening  ${listeningWords(settings, urls)}`);
  io.say(`  store      ${placeWords(settings, store)}`);
  io.say(`  state      ${stateDir}`);
  io.say(`  logs       ${join(foldersOf(stateDir).logs, "styr.log")}`);
  io.say(`  token      ${join(stateDir, "pki/admin.token")}   CA ${join(stateDir, "pki/ca.crt")}`);
  io.say("Next, in another terminal:");
  io.say(`  ${styrWith(settings)} token create --role agent   prints the line that lets another host join`);
  io.say(`  ${styrWith(settings)} status                      how it fares`);
  io.say("Ctrl-C stops this server; nodes and their pods go on.");
}
