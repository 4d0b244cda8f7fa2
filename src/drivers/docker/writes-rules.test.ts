import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { rulesAsTold } from "./writes-rules.ts";

describe("whether an engine makes rules, by what it was told at its start", () => {
  for (const { name, words = ["dockerd"], config, writes } of [
    { name: "it does, unless told otherwise", writes: true },
    { name: "by its file", config: '{"live-restore": true}', writes: true },
    { name: "none by its file", config: '{"iptables": false}', writes: false },
    { name: "none by its option", words: ["dockerd", "--iptables=false", "-H", "fd://"], writes: false },
    { name: "an option that says the usual", words: ["dockerd", "--iptables"], writes: true },
    { name: "nothing is known of a file that is none", config: "{", writes: undefined },
  ])
    test(name, () => assert.equal(rulesAsTold(words, config), writes));
});
