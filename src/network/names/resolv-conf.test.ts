import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parseResolvConf, withOurs, withoutOurs } from "./resolv-conf.ts";

const OURS = ["svc.cluster.local", "marathon.mesos"];

describe("resolv.conf", () => {
  test("is read as resolvers read it: comments, the last search list, what is no address", () => {
    const text =
      "# home\nnameserver 10.0.0.1 ; the first\nnameserver ten\ndomain a.example\nsearch b.example. c.example\noptions ndots:2 rotate\nnameserver ::1\n";
    assert.deepEqual(parseResolvConf(text), {
      nameservers: ["10.0.0.1", "::1"],
      searches: ["b.example", "c.example"],
      options: ["ndots:2", "rotate"],
    });
  });

  test("gets our server before all others, and our names behind its own", () => {
    const text = withOurs("search home.example\nnameserver 10.0.0.1\n", "10.42.0.1", OURS) ?? "";
    const { nameservers, searches } = parseResolvConf(text);
    assert.deepEqual(nameservers, ["10.42.0.1", "10.0.0.1"]);
    assert.deepEqual(searches, ["home.example", ...OURS]);
  });

  test("is left alone when it is so already, and when there is nothing of ours in it", () => {
    const once = withOurs("nameserver 10.0.0.1\n", "10.42.0.1", OURS) ?? "";
    assert.equal(withOurs(once, "10.42.0.1", OURS), undefined);
    assert.equal(withoutOurs("nameserver 10.0.0.1\n"), undefined);
  });

  test("is afterwards what it was before, but for empty lines at its end", () => {
    const line = fc.constantFrom("nameserver 10.0.0.1", "search a.example b.example", "# words", "", "options ndots:1");
    fc.assert(
      fc.property(fc.array(line, { minLength: 1 }), (lines) => {
        const text = lines.join("\n");
        const changed = withOurs(text, "10.42.0.1", OURS);
        const moved = withOurs(changed ?? "", "10.42.7.1", OURS);
        assert.equal(withoutOurs(moved ?? ""), `${text.replace(/\n*$/, "")}\n`);
      }),
    );
  });
});
