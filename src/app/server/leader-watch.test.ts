import assert from "node:assert/strict";
import { test } from "node:test";
import { withMembers } from "../../lib/with-members.ts";
import { ManualClock } from "../../seams/manual-clock.ts";
import type { SharedJournal } from "../../store/journal.ts";
import { SharedMemory } from "../../store/journals/shared-memory.ts";
import { LEADER_PATIENCE_MS, LeaderWatch } from "./leader-watch.ts";

test("whoever waits in vain for a leader hears which members of the store do not answer", async () => {
  const clock = new ManualClock();
  const journal: SharedJournal = new SharedMemory(clock).open();
  const watch = new LeaderWatch(clock);
  watch.follow(
    withMembers(journal, {
      members: async () => [{ url: "http://h1:2379" }, { url: "http://h2:2379", problem: "connection refused" }],
    }),
  );
  const refused = assert.rejects(
    watch.wait(new AbortController().signal),
    /no server leads at present \(1 of 2 members of etcd answers; http:\/\/h2:2379: connection refused\).*goes on running/,
  );
  await clock.advance(LEADER_PATIENCE_MS);
  await refused;
});
