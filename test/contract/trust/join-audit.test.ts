import assert from "node:assert/strict";
import { test } from "node:test";
import { auditEntryOf, isAudited } from "../../../src/audit/audit-entry.ts";
import { joinTokens } from "../../../src/model/join-token.ts";
import { formatJoinToken, parseJoinToken } from "../../../src/trust/token-text.ts";
import { openStage } from "./stage.ts";

test("the audit log says which host joined, with which token, also when it was refused; a wrong secret is nobody's", async () => {
  const stage = await openStage();
  try {
    const token = await stage.token();
    const { id } = parseJoinToken(token);
    await stage.join(stage.host("a"), token);
    await assert.rejects(stage.join(stage.host("b"), token, { nodeName: "web-2" }), /used up/);
    const wrong = formatJoinToken({ ...parseJoinToken(token), secret: "A".repeat(32) });
    await assert.rejects(stage.join(stage.host("c"), wrong, { nodeName: "web-3" }), /does not know the token/);
    await stage.store.update((tx) => tx.remove(joinTokens, id));
    await assert.rejects(stage.join(stage.host("d"), token, { nodeName: "web-4" }), /does not know the token/);
    const moment = { time: "", server: "srv", revision: undefined };
    const told = stage.served
      .filter((one) => one.access.verb === "join" && isAudited(one))
      .map((one) => auditEntryOf(one, moment))
      .map(({ actor, verb, name, result }) => [actor, verb, name, result]);
    assert.deepEqual(told, [
      [`join:${id}`, "join", "web-1", "done"],
      [`join:${id}`, "join", "web-2", "refused"],
      ["", "join", "web-3", "refused"],
      ["", "join", "web-4", "refused"],
    ]);
  } finally {
    await stage.close();
  }
});
