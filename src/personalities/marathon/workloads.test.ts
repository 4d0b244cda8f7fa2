import assert from "node:assert/strict";
import { test } from "node:test";
import type { WorkloadReader } from "../../model/workload.ts";
import { appWorkloads } from "./workloads.ts";

test("an app in styr ps says how long after an end it is launched again, and since when ends count", () => {
  const lastConfigChangeAt = "2024-05-01T10:00:00.000Z";
  const definition = { id: "/a", cmd: "sleep 9", instances: 1, versionInfo: { lastConfigChangeAt } };
  const app = {
    metadata: { name: "a", uid: "u", creationTimestamp: "" },
    spec: { definition },
    status: { backoff: { delaySeconds: 3.6 } },
  };
  const reader = { get: () => undefined, list: () => [app] } as unknown as WorkloadReader;
  assert.deepEqual(appWorkloads.list(reader)[0]?.relaunch, { delaySeconds: 4, since: lastConfigChangeAt });
});
