import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EngineRefusal } from "./engine.ts";
import { withReason } from "./refusal.ts";

describe("what the engine refused", () => {
  const wordsOf = async (message: string): Promise<string> => {
    const refused = () => Promise.reject(new EngineRefusal(500, message));
    return await withReason("CreateContainerError", refused).catch((error: Error) => error.message);
  };

  test("is said in its own words", async () => {
    assert.equal(await wordsOf("port is already allocated"), "port is already allocated");
  });

  test("a port that cannot be published since Docker's rules are gone says what to do, in one line", async () => {
    const said =
      "driver failed programming external connectivity on endpoint web (1f): (iptables failed: iptables --wait -t nat -A DOCKER -p tcp " +
      "-d 0/0 --dport 31000 -j DNAT: iptables: No chain/target/match by that name.\n (exit status 1))";
    const words = await wordsOf(said);
    assert.match(words, /No chain\/target\/match by that name\. \(exit status 1\)\); .*systemctl restart docker/);
    assert.doesNotMatch(words, /\n/);
  });
});
