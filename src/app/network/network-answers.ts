/** Who answers what is asked of this host's network: the plane, and the host itself. */
import { Resolver } from "node:dns/promises";
import { deviceName } from "../../lib/device-name.ts";
import type { NetworkAnswer, NetworkQuestion } from "../../model/network-questions.ts";
import { hostsResolvers } from "../../network/names/dns-of-pods.ts";
import { tableName } from "../../network/nft/table.ts";
import { HostView } from "../../network/questions/host-view.ts";
import { NetworkDesk, type PlaneView } from "../../network/questions/network-desk.ts";
import type { Commands } from "../../seams/commands.ts";
import { SystemTransport } from "../../seams/transport.ts";

export interface NetworkAnswersOptions {
  readonly plane: PlaneView;
  readonly commands: Commands;
  readonly networkName: string;
}

/** No such name, or none with an address: an answer, and no failure of the server. */
const NOTHING: readonly string[] = ["ENOTFOUND", "ENODATA"];

export function networkAnswers({
  plane,
  commands,
  networkName,
}: NetworkAnswersOptions): (question: NetworkQuestion) => Promise<NetworkAnswer> {
  const transport = new SystemTransport();
  const view = new HostView({
    commands,
    table: tableName(networkName),
    bridge: deviceName(networkName),
    connect: (address, port, timeoutMs) => transport.tcpConnect(address, port, timeoutMs),
    lookUp,
  });
  const desk = new NetworkDesk(plane, view, hostsResolvers);
  return (question) => desk.answer(question);
}

async function lookUp(server: string, name: string, timeoutMs: number): Promise<readonly string[]> {
  const resolver = new Resolver({ timeout: timeoutMs, tries: 1 });
  resolver.setServers([server]);
  try {
    return await resolver.resolve4(name);
  } catch (error) {
    if (NOTHING.includes((error as NodeJS.ErrnoException).code ?? "")) return [];
    throw error;
  }
}
