import assert from "node:assert/strict";
import { test } from "node:test";
import type { Connection } from "../connection.ts";
import { scaleWorkload } from "./change-workload.ts";

test("a unit that nothing would ever start is not asked for, so that nobody waits for it", async () => {
  const connection = {
    call: () => assert.fail("nothing is to be sent"),
  } as unknown as Connection;
  const scale = (name: string) =>
    scaleWorkload(connection, { dialect: "fleet", kind: "Unit", name, object: { kind: "Unit", key: name } }, 1);
  await assert.rejects(scale("a.timer"), /^ClientError: a\.timer cannot be started: a \.timer unit is kept/);
  await assert.rejects(scale("a@.service"), /a@\.service is a template/);
});
