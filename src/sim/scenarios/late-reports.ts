/** A network that brings everything late, twice and out of order. */
import { type Pod, pods } from "../../model/pod.ts";
import { evenCluster } from "../draw/cluster.ts";
import { define } from "./define.ts";
import { replicated } from "./workloads.ts";

/** Less than what makes a host suspect, more than what lies between two reports. */
const POOR = { delayMs: [1, 2_500], loss: 0, duplicate: 0.7, reorder: 1 } as const;

export const lateReports = define(
  "late-reports",
  "reports arrive late, twice and out of order: what is stored never goes back to what was said earlier",
  evenCluster(3),
  async (stage) => {
    const told = new Map<string, number>();
    const wrong: string[] = [];
    stage.world.observe({
      committed: (changes) => {
        for (const { kind, object } of changes) {
          if (kind.name !== pods.name) continue;
          const { metadata } = object as Pod;
          const [before, now] = [told.get(metadata.uid) ?? 0, stepOf(object as Pod)];
          if (now < before) wrong.push(`${metadata.name} was at step ${before}, and then at step ${now}`);
          told.set(metadata.uid, now);
        }
      },
    });
    stage.world.network.setQuality(POOR);
    await stage.ask(replicated("shaky", 12, { image: "fake/exit-1:after-300ms" }));
    await stage.run(240_000);
    stage.expect(wrong.length === 0, "what is stored never goes back", wrong[0]);
    const most = Math.max(0, ...told.values());
    stage.expect(most >= 8, "they were restarted again and again", most);
  },
);

/** Of what starts, ends and waits again and again: two steps for each start. */
function stepOf({ status }: Pod): number {
  const [container] = status.containerStatuses ?? [];
  const waits = container?.state.waiting?.reason === "CrashLoopBackOff";
  return (container?.restartCount ?? 0) * 2 + (waits ? 1 : 0);
}
