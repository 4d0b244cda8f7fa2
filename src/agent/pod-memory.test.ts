import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Pod } from "../model/pod.ts";
import { recordOf, seenFromRecord } from "./pod-memory.ts";
import { type ContainerSeen, NEW_CONTAINER, newlySeen } from "./seen.ts";

const metadata = {
  ...{ name: "p", namespace: "default", uid: "u1" },
  ...{ resourceVersion: "1", generation: 1, creationTimestamp: "2026-01-01T00:00:00Z" },
};
const pod: Pod = {
  ...{ apiVersion: "v1", kind: "Pod", metadata, status: { phase: "Pending" } },
  spec: { restartPolicy: "Never", containers: [{ name: "app", image: "busybox:1" }] },
};
const now = { monoMs: 0, wallMs: 1_800_000_000_000 };

function afterCrash(app: Partial<ContainerSeen>) {
  const seen = {
    ...newlySeen(pod),
    stage: "running" as const,
    admission: "yes" as const,
    containers: { app: { ...NEW_CONTAINER, ...app } },
  };
  const memory = {
    pod,
    seen,
    status: undefined,
    address: undefined,
    values: undefined,
    leaving: undefined,
    startedWallMs: now.wallMs,
  };
  return seenFromRecord(JSON.parse(JSON.stringify(recordOf(memory, "boot", now))), "boot", now).containers.app;
}

describe("a container after the agent was killed", () => {
  test("that ran is looked for: if it is gone, it ended and nobody saw how", () => {
    assert.equal(afterCrash({ wasStarted: true })?.wasStarted, true);
  });

  test("whose start was still asked for did not run: it is started, as the same attempt, and is no failure", () => {
    const app = afterCrash({ wasStarted: true, busy: "starting", attempt: 2 });
    assert.equal(app?.wasStarted, false);
    assert.equal(app?.attempt, 2);
  });
});
