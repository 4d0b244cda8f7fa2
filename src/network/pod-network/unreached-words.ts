/** What is known of a way by which nothing comes back. Pure. */
import { type PeerPlan, UNROUTED } from "./plan.ts";
import { WIREGUARD_PORT } from "./wireguard.ts";

/** Not what is said of a way that works: that packets are wrapped is no reason when these do not pass either. */
export function unreachedWords({ mode, words }: Pick<PeerPlan, "mode" | "words">, vxlanPort: number): string {
  const wrapped = `VXLAN (UDP port ${vxlanPort})`;
  const ways = {
    routes: "by a plain route (packets with pods' own addresses)",
    vxlan: words === UNROUTED ? `neither by a plain route nor through ${wrapped}` : `through ${wrapped}`,
    wireguard: `through WireGuard (UDP port ${WIREGUARD_PORT})`,
  };
  return `nothing comes back from it, ${ways[mode]}`;
}
