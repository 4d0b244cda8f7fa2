import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ClientError } from "../../client/client-error.ts";
import { ManualClock } from "../../seams/manual-clock.ts";
import { isPassing, judgeAnew } from "./judge-anew.ts";

const refusal = (status: number) => new ClientError("no", { status });

describe("what is asked before anything is sent", () => {
  test("is asked again while no server leads, until it is judged", async () => {
    const clock = new ManualClock();
    const answers = [refusal(503), refusal(504), refusal(422)];
    const judged = judgeAnew(clock, async () => {
      throw answers.shift() ?? assert.fail("it was judged already");
    });
    const refused = assert.rejects(judged, (error) => (error as ClientError).status === 422 && !isPassing(error));
    await clock.advance(5_000);
    await refused;
  });

  test("is given up after ten seconds, and that is no judgement", async () => {
    const clock = new ManualClock();
    let asked = 0;
    const judged = judgeAnew(clock, async () => {
      asked++;
      throw refusal(503);
    });
    const refused = assert.rejects(judged, isPassing);
    await clock.advance(15_000);
    await refused;
    assert.ok(asked > 10, `asked ${asked} times`);
  });
});
