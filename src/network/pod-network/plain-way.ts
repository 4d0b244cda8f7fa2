import { gatewayOf } from "../../lib/subnet.ts";
import type { Clock } from "../../seams/clock.ts";
import type { HostNet } from "./host-net.ts";
import type { HostWay, PeerPlan } from "./plan.ts";
import type { Dial } from "./tcp-ping.ts";

export interface PlainFacts {
  readonly host: HostNet;
  readonly protocol: string;
  readonly clock: Clock;
  readonly dial: Dial;
  /** This node's pod range. */
  readonly own: string | undefined;
}

/** Whether a plain route leads to another node's pods: tried by a route of its host's own address alone, so that no pod notices. */
export async function isPlainWorking(
  { gateway, address }: Pick<PeerPlan, "gateway" | "address">,
  { device }: HostWay,
  { host, protocol, clock, dial, own }: PlainFacts,
): Promise<boolean> {
  const tooLate = new AbortController();
  const line = `${gateway}/32 via ${address} dev ${device} proto ${protocol}`;
  await host.write({ ip: [`route replace ${line}`], bridge: [] });
  const timer = clock.setTimer(1_000, () => tooLate.abort());
  try {
    await dial({ to: gateway, ...(own === undefined ? {} : { from: gatewayOf(own) }) }, tooLate.signal);
    return true;
  } catch {
    // Whatever the reason: that way does not lead there.
    return false;
  } finally {
    timer.cancel();
    await host.write({ ip: [`route del ${line}`], bridge: [] });
  }
}
